//! One permission that a request needs.

use super::actions;
use super::condition::{Context, SECURE};
use crate::wire::{Call, Refusal};

/// One action on one resource, with the values that conditions compare.
pub(super) struct Need {
    /// Such as `dynamodb:GetItem`.
    pub(super) action: String,
    /// An ARN, or a phone number, which has none.
    pub(super) resource: String,
    pub(super) context: Context,
}

/// The action that the operation is.
pub(super) fn action(call: &Call) -> Result<String, Refusal> {
    let action = call.action();
    if actions::is_one(&action) {
        return Ok(action);
    }
    tracing::warn!(action, "the local stack knows no such action");
    Err(Refusal::unknown(&format!("the local stack has no operation {action}")))
}

/// The values of every request. AWS calls are encrypted; on one machine they need not be.
pub(super) fn context() -> Context {
    Context::from([(SECURE, vec!["true".to_owned()])])
}
