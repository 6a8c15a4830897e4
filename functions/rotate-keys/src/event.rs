//! What the function may be asked.

use serde::Deserialize;
use serde_json::Value;
use shared::words::{Error, Result};

/// One question.
pub(crate) enum Event {
    /// Secrets Manager's.
    Step(StepEvent),
    /// CloudFormation's.
    Stack(Value),
    /// Makes what the deployment lacks.
    Ensure,
    /// Withdraws the key of this name.
    Revoke(String),
}

/// One step of a rotation. `RotationToken`, which it may carry too, is for rotations across accounts.
#[derive(Deserialize)]
pub(crate) struct StepEvent {
    #[serde(rename = "Step")]
    pub(crate) step: Step,
    #[serde(rename = "SecretId")]
    pub(crate) secret: String,
    /// The id of the version that this rotation is about.
    #[serde(rename = "ClientRequestToken")]
    pub(crate) token: String,
}

/// The steps, in their order.
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

const MODES: &str = "modes are \"ensure\" and, with the key's \"kid\", \"revoke\"";

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
            (Some("revoke"), Some(kid)) => Ok(Event::Revoke(kid.to_owned())),
            (Some("revoke"), None) => Err(Error::invalid("\"revoke\" needs the key's \"kid\"")),
            (_, _) => Err(Error::invalid(format!("neither a step of a rotation nor a mode: {MODES}"))),
        }
    }
}

/// What an event asks for, of a few words: an event may hold anything, and the log must not.
pub(crate) fn kind(event: &Value) -> &'static str {
    let asked = ["Step", "RequestType", "mode"].iter().find_map(|name| text(event, name));
    let known =
        ["createSecret", "setSecret", "testSecret", "finishSecret", "Create", "Update", "Delete", "ensure", "revoke"];
    known.into_iter().find(|word| Some(*word) == asked).unwrap_or("unknown")
}

pub(crate) fn text<'a>(event: &'a Value, name: &str) -> Option<&'a str> {
    event.get(name).and_then(Value::as_str)
}
