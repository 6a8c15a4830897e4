//! The stack's custom resource. It completes once every function can start with the settings and the keyrings are complete.
//!
//! CloudFormation waits for an answer at a URL, up to the template's timeout. So the function always sends one, even if its own
//! settings keep it from starting.

use serde_json::{Value, json};
use shared::aws::Callback;
use shared::config;
use shared::keys::Maker;
use shared::runtime::Refusal;
use shared::words::{Error, Result};

use crate::RotateKeys;
use crate::event::text;
use crate::patience::patiently;
use crate::settings;

/// The resource's id must never change, because CloudFormation would then delete the resource with the old id.
const RESOURCE: &str = "latchkey-keyrings";
/// In characters. CloudFormation accepts 4096 bytes for the whole answer.
const LONGEST_REASON: usize = 2_000;

impl RotateKeys {
    /// Handles the event and sends the answer. It fails only if the answer cannot be sent, because CloudFormation uses only the
    /// first answer, and a repetition by Lambda would come too late.
    pub(crate) async fn serve(&self, request: &Value, maker: &Maker) -> Result<Value> {
        let outcome = match text(request, "RequestType") {
            Some("Create" | "Update") => self.complete(request, maker).await,
            // The keyrings belong to the users, and users outlive the stack.
            Some("Delete") => Ok(json!({})),
            _ => Err(Error::invalid("RequestType: expected Create, Update or Delete")),
        };
        send(&self.callback, request, outcome.map_err(in_words)).await
    }

    /// Checks the settings and makes the missing keys. The result is the resource's attributes.
    async fn complete(&self, request: &Value, maker: &Maker) -> Result<Value> {
        let properties = request.get("ResourceProperties").unwrap_or(&Value::Null);
        settings::check(properties)?;
        patiently(|| self.ensure(maker)).await?;
        let root = self.signing_keys().await?.root.public()?;
        Ok(json!({ "Settings": config::digest(properties), "RootKey": root.as_str() }))
    }
}

/// Answers an event in place of a function that cannot start.
///
/// CloudFormation learns the reason, and deletes the resource without waiting. A rollback therefore always ends.
///
/// # Errors
/// The reason, if the event is not CloudFormation's.
pub async fn refuse(refusal: Refusal, event: Value) -> std::result::Result<Value, String> {
    let Refusal { reason, aws } = refusal;
    if text(&event, "ResponseURL").is_none() {
        return Err(reason);
    }
    let outcome = match text(&event, "RequestType") {
        Some("Delete") => Ok(json!({})),
        _ => Err(reason),
    };
    send(&Callback::new(&aws), &event, outcome).await.map_err(in_words)
}

async fn send(callback: &Callback, request: &Value, outcome: std::result::Result<Value, String>) -> Result<Value> {
    if let Err(reason) = &outcome {
        tracing::warn!(cause = reason, "reporting a failure to CloudFormation");
    }
    let url = text(request, "ResponseURL").ok_or_else(|| Error::invalid("ResponseURL: expected a URL"))?;
    let answer = answer(request, outcome);
    callback.put(url, &answer.to_string()).await?;
    Ok(answer)
}

fn answer(request: &Value, outcome: std::result::Result<Value, String>) -> Value {
    let given = |name: &str| text(request, name).unwrap_or_default();
    let (status, data, reason) = match outcome {
        Ok(data) => ("SUCCESS", data, String::new()),
        Err(reason) => ("FAILED", json!({}), reason.chars().take(LONGEST_REASON).collect()),
    };
    json!({
        "Status": status,
        "Reason": reason,
        "PhysicalResourceId": text(request, "PhysicalResourceId").unwrap_or(RESOURCE),
        "StackId": given("StackId"),
        "RequestId": given("RequestId"),
        "LogicalResourceId": given("LogicalResourceId"),
        "Data": data,
    })
}

fn in_words(error: Error) -> String {
    error.cause().unwrap_or_else(|| error.to_string())
}
