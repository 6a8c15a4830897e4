//! One permission for a request.

use super::actions;
use super::condition::{Context, SECURE};
use crate::wire::{Call, Refusal};

/// One action on one resource, with the values for conditions.
pub(super) struct Need {
    /// Such as `dynamodb:GetItem`.
    pub(super) action: String,
    /// An ARN, or a phone number.
    pub(super) resource: String,
    pub(super) context: Context,
}

/// The action with the operation's name.
pub(super) fn action(call: &Call) -> Result<String, Refusal> {
    let action = call.action();
    if actions::is_one(&action) {
        return Ok(action);
    }
    tracing::warn!(action, "the local stack does not know this action");
    Err(Refusal::unknown(&format!("the local stack has no operation {action}")))
}

/// The values of every request. Calls to AWS are encrypted, so this condition holds here even without encryption.
pub(super) fn context() -> Context {
    Context::from([(SECURE, vec!["true".to_owned()])])
}
