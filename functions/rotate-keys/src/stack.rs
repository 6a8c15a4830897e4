//! The stack's custom resource. It completes once the keyrings are complete.
//!
//! CloudFormation waits for an answer at a URL, up to the template's timeout. So the function always sends one.

use serde_json::{Value, json};
use shared::keys::Maker;
use shared::words::{Error, Result};

use crate::RotateKeys;
use crate::event::text;

/// The resource's id must never change, because CloudFormation would then delete the resource with the old id.
const RESOURCE: &str = "latchkey-keyrings";
/// In characters. CloudFormation accepts 4096 bytes for the whole answer.
const LONGEST_REASON: usize = 500;

impl RotateKeys {
    /// Handles the event and sends the answer.
    ///
    /// After a failure it answers CloudFormation and also fails itself, so that Lambda retries the event.
    /// CloudFormation only uses the first answer.
    pub(crate) async fn serve(&self, request: &Value, maker: &Maker) -> Result<Value> {
        let outcome = match text(request, "RequestType") {
            Some("Create" | "Update") => self.ensure(maker).await.map(|_| ()),
            // The keyrings belong to the users, and users outlive the stack.
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
