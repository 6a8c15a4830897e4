//! The function's events.

use serde::Deserialize;
use serde_json::Value;
use shared::words::{Error, Result};

/// An event, by its sender.
pub(crate) enum Event {
    /// From Secrets Manager.
    Step(StepEvent),
    /// From CloudFormation.
    Stack(Value),
    /// Add missing keys.
    Ensure,
    /// Refuse the sessions that a restored backup has brought back.
    Restore,
    /// Revoke the key with this id.
    Revoke(String),
}

/// A step of a rotation. The optional `RotationToken` is ignored, because it is for rotations across accounts.
#[derive(Deserialize)]
pub(crate) struct StepEvent {
    #[serde(rename = "Step")]
    pub(crate) step: Step,
    #[serde(rename = "SecretId")]
    pub(crate) secret: String,
    /// The id of the new version of the secret.
    #[serde(rename = "ClientRequestToken")]
    pub(crate) token: String,
}

/// The steps, in order.
#[derive(Clone, Copy, Deserialize)]
pub(crate) enum Step {
    #[serde(rename = "createSecret")]
    Create,
    #[serde(rename = "setSecret")]
    Set,
    #[serde(rename = "testSecret")]
    Test,
    #[serde(rename = "finishSecret")]
    Finish,
}

const MODES: &str = "The modes are \"ensure\", \"restore\" and, with the key's \"kid\", \"revoke\"";

impl Event {
    pub(crate) fn read(event: Value) -> Result<Event> {
        if event.get("ResponseURL").is_some() {
            return Ok(Event::Stack(event));
        }
        if event.get("Step").is_some() {
            let step = serde_json::from_value(event);
            return step.map(Event::Step).map_err(|error| Error::invalid(format!("not a step of a rotation: {error}")));
        }
        match (text(&event, "mode"), text(&event, "kid")) {
            (Some("ensure"), _) => Ok(Event::Ensure),
            (Some("restore"), _) => Ok(Event::Restore),
            (Some("revoke"), Some(kid)) => Ok(Event::Revoke(kid.to_owned())),
            (Some("revoke"), None) => Err(Error::invalid("\"revoke\" needs the key's \"kid\"")),
            (_, _) => Err(Error::invalid(format!("unknown event. {MODES}"))),
        }
    }
}

/// The kind of an event, from a fixed set of words. Other text from an event stays out of the log.
pub(crate) fn kind(event: &Value) -> &'static str {
    let asked = ["Step", "RequestType", "mode"].iter().find_map(|name| text(event, name));
    let steps = ["createSecret", "setSecret", "testSecret", "finishSecret"];
    let requests = ["Create", "Update", "Delete", "ensure", "restore", "revoke"];
    steps.into_iter().chain(requests).find(|word| Some(*word) == asked).unwrap_or("unknown")
}

pub(crate) fn text<'a>(event: &'a Value, name: &str) -> Option<&'a str> {
    event.get(name).and_then(Value::as_str)
}
