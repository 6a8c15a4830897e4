//! The check of a call against its caller's policies.

use std::collections::BTreeMap;

use serde_json::Value;

use super::condition::LEADING_KEYS;
use super::need::{Need, context};
use super::needs::{self, Resources};
use super::statement::{Decision, Statement};
use super::{advice, read};
use crate::wire::{Call, Refusal};

/// The policies of all functions. Other callers are refused.
pub struct Permissions(BTreeMap<String, Vec<Statement>>);

impl Permissions {
    /// Reads the policies of functions by resource name. This name is also the function's access key id.
    ///
    /// # Errors
    /// A statement has unsupported parts. The message names it and the reason.
    pub fn read<'a>(functions: impl IntoIterator<Item = (&'a str, &'a Value)>) -> Result<Permissions, String> {
        let read = |(name, policies): (&str, &Value)| Ok((name.to_owned(), read::statements(name, policies)?));
        functions.into_iter().map(read).collect::<Result<_, String>>().map(Permissions)
    }

    /// Refuses a call if its caller lacks a permission.
    pub(crate) fn check(&self, call: &Call, resources: &Resources<'_>) -> Result<(), Refusal> {
        let statements = self.0.get(&call.caller).ok_or_else(|| stranger(call))?;
        for need in needs::of(call, resources)? {
            let decision = Decision::of(statements, &need);
            match &decision {
                Decision::Allowed => continue,
                Decision::Denied(statement) => {
                    let (caller, action, by) = (&call.caller, &need.action, &statement.place);
                    tracing::warn!(caller, action, by, "refused: a statement denies it");
                }
                Decision::NotAllowed => {
                    let (caller, action) = (&call.caller, &need.action);
                    let statement = advice::statement(&need, statements.iter().any(names_keys));
                    tracing::warn!(caller, action, statement, "refused: no statement of the template allows it");
                }
            }
            return Err(call.denied(&need.action, &need.resource, matches!(decision, Decision::Denied(_))));
        }
        Ok(())
    }

    /// Checks an action that a service takes for the function `caller`, such as Lambda's reads of a stream.
    pub(crate) fn check_action(&self, caller: &str, action: &str, resource: &str) -> Result<(), String> {
        let need = Need { action: action.to_owned(), resource: resource.to_owned(), context: context() };
        let statements = self.0.get(caller).map_or(&[][..], Vec::as_slice);
        match Decision::of(statements, &need) {
            Decision::Allowed => Ok(()),
            Decision::Denied(_) | Decision::NotAllowed => {
                Err(format!("the role of {caller} lacks {action} on {resource}"))
            }
        }
    }
}

/// The refusal for a caller outside the template.
fn stranger(call: &Call) -> Refusal {
    tracing::warn!(caller = call.caller, "the access key id names no function of the template");
    let message = "The security token included in the request is invalid.";
    Refusal::new(call.service.forbidden(), "UnrecognizedClientException", message)
}

fn names_keys(statement: &Statement) -> bool {
    statement.conditions.iter().any(|condition| condition.key == LEADING_KEYS)
}
