//! The custom resource of the stack: it is complete when the keyrings are.
//!
//! CloudFormation waits for an answer at a URL, for as long as the template lets it; so there is one in any case.

use serde_json::{Value, json};
use shared::keys::Maker;
use shared::words::{Error, Result};

use crate::RotateKeys;
use crate::event::text;

/// The same at all times: another one would have CloudFormation delete the one before.
const RESOURCE: &str = "latchkey-keyrings";
/// In characters. CloudFormation takes 4096 bytes for the whole answer.
const LONGEST_REASON: usize = 500;

impl RotateKeys {
    /// Does what the stack's state asks for, and answers.
    ///
    /// A failure is told to CloudFormation and is one of this function's too, so that Lambda repeats the event: to
    /// CloudFormation, only the first answer counts.
    pub(crate) async fn serve(&self, request: &Value, maker: &Maker) -> Result<Value> {
        let outcome = match text(request, "RequestType") {
            Some("Create" | "Update") => self.ensure(maker).await.map(|_| ()),
            // The keyrings belong to the users, who outlive the stack.
            Some("Delete") => Ok(()),
            _ => Err(Error::invalid("RequestType: expected Create, Update or Delete")),
        };
        let answer = answer(request, &outcome);
        let url = text(request, "ResponseURL").ok_or_else(|| Error::invalid("ResponseURL: expected a URL"))?;
        self.callback.put(url, &answer.to_string()).await?;
        outcome.map(|()| answer)
    }
}

fn answer(request: &Value, outcome: &Result<()>) -> Value {
    let reason = outcome.as_ref().err().map(|error| error.cause().unwrap_or_else(|| error.to_string()));
    let reason: String = reason.unwrap_or_default().chars().take(LONGEST_REASON).collect();
    let given = |name: &str| text(request, name).unwrap_or_default();
    json!({
        "Status": if outcome.is_ok() { "SUCCESS" } else { "FAILED" },
        "Reason": reason,
        "PhysicalResourceId": text(request, "PhysicalResourceId").unwrap_or(RESOURCE),
        "StackId": given("StackId"),
        "RequestId": given("RequestId"),
        "LogicalResourceId": given("LogicalResourceId"),
    })
}
