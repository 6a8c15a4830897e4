//! AWS End User Messaging: `SendTextMessage` of a text to a phone number, `SendVoiceMessage` of a call, the events of both, and
//! `PutMessageFeedback` about them.
//!
//! Any pool, number, name and configuration set is valid, because the stand-in has no account with them. The service's model has the
//! rules for all other members.

mod phone_call;
mod texting;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};
use shared::words::{Clock, is_e164};

pub use self::phone_call::PhoneCall;
pub use self::texting::Texting;
use crate::faults::Delivery;
use crate::ids::new_id;
use crate::lock::locked;
use crate::sent::Sent;
use crate::sns::{Sms, SmsType};
use crate::wire::{Call, Origin, Refusal, Service};

/// In bytes, as SNS counts them. The model counts characters.
const LONGEST_MESSAGE: usize = 1_600;

/// A message that the service takes.
enum Taken {
    Text(Sms),
    Call(PhoneCall),
}

pub(crate) struct SmsVoice {
    text: Box<dyn Fn(Sms, Origin) + Send + Sync>,
    call: Box<dyn Fn(PhoneCall, Origin) + Send + Sync>,
    sent: Sent<Texting>,
    /// The ids of the messages that were received, as their sender says.
    received: Mutex<BTreeSet<String>>,
    clock: Clock,
}

impl SmsVoice {
    pub(crate) fn new(
        clock: Clock,
        text: impl Fn(Sms, Origin) + Send + Sync + 'static,
        call: impl Fn(PhoneCall, Origin) + Send + Sync + 'static,
    ) -> SmsVoice {
        let (text, call) = (Box::new(text), Box::new(call));
        SmsVoice { text, call, sent: Sent::default(), received: Mutex::default(), clock }
    }

    /// The messages that the service took after the first `count`, at most the newest, and how many there are in all.
    pub(crate) fn sent_after(&self, count: u64) -> (Vec<Texting>, u64) {
        self.sent.after(count)
    }

    /// The ids of the messages that were received, as their sender says.
    pub(crate) fn received(&self) -> Vec<String> {
        locked(&self.received).iter().cloned().collect()
    }

    /// Keeps what the sender says about a message. Messages without a promise of it have no record.
    fn feedback(&self, call: &Call) -> Result<Value, Refusal> {
        let (id, status) = (call.text("MessageId").unwrap_or_default(), call.text("MessageFeedbackStatus"));
        if !self.sent.after(0).0.iter().any(|sent| sent.id == id && sent.wants_feedback) {
            let refusal = Refusal::bad("ResourceNotFoundException", "The message has no feedback record");
            return Err(refusal);
        }
        if status == Some("RECEIVED") {
            locked(&self.received).insert(id.to_owned());
        }
        Ok(json!({ "MessageId": id, "MessageFeedbackStatus": status }))
    }

    /// The answer and its delay. `fate` decides about an accepted message. A refused one is for a number that has opted out.
    pub(crate) fn answer(&self, call: &Call, fate: impl Fn() -> Delivery) -> (Result<Value, Refusal>, Duration) {
        if call.operation == "PutMessageFeedback" {
            return (self.feedback(call), Duration::ZERO);
        }
        let taken = match call.operation.as_str() {
            "SendVoiceMessage" => phone_call::read(call).map(Taken::Call),
            _ => read(call).map(Taken::Text),
        };
        let taken = match taken {
            Ok(taken) => taken,
            Err(refusal) => return (Err(refusal), Duration::ZERO),
        };
        let refused = reasoned(
            Refusal::bad("ConflictException", "The destination phone number has opted out"),
            "DESTINATION_PHONE_NUMBER_OPTED_OUT",
        );
        let throttled = Refusal::bad("ThrottlingException", "Rate exceeded");
        let (delivery, id) = (fate(), new_id());
        if delivery.arrives() {
            self.sent.keep(self.texting(call, id.clone()));
            let origin = Origin { id: id.clone(), caller: call.caller.clone() };
            match taken {
                Taken::Text(text) => (self.text)(text, origin),
                Taken::Call(call) => (self.call)(call, origin),
            }
        }
        delivery.told(json!({ "MessageId": id }), refused, throttled)
    }
}

impl SmsVoice {
    fn texting(&self, call: &Call, id: String) -> Texting {
        let context = call.body.get("Context").and_then(Value::as_object).into_iter().flatten();
        Texting {
            id,
            to: call.text("DestinationPhoneNumber").unwrap_or_default().to_owned(),
            is_call: call.operation == "SendVoiceMessage",
            context: context.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect(),
            wants_feedback: call.body.get("MessageFeedbackEnabled") == Some(&Value::Bool(true)),
            text: call.text("MessageBody").unwrap_or_default().to_owned(),
            at: self.clock.now(),
        }
    }
}

fn reasoned(mut refusal: Refusal, reason: &str) -> Refusal {
    if let Some(body) = refusal.body.as_object_mut() {
        body.insert("Reason".to_owned(), json!(reason));
    }
    refusal
}

fn read(call: &Call) -> Result<Sms, Refusal> {
    let invalid = |message: &str| reasoned(Refusal::bad("ValidationException", message), "INVALID_PARAMETER");
    let (to, text) =
        (call.text("DestinationPhoneNumber").unwrap_or_default(), call.text("MessageBody").unwrap_or_default());
    // Stricter than the service, which adds a missing plus.
    if !is_e164(to) {
        return Err(invalid("DestinationPhoneNumber is not in E.164 form"));
    }
    if text.is_empty() || text.len() > LONGEST_MESSAGE {
        return Err(invalid("MessageBody is empty or too long"));
    }
    let parameters = call.body.get("DestinationCountryParameters");
    let parameter = |name: &str| Some(parameters?.get(name)?.as_str()?.to_owned());
    Ok(Sms {
        service: Service::SmsVoice,
        to: to.to_owned(),
        text: text.to_owned(),
        // Without a named sender AWS picks one of the account's.
        sender: call.text("OriginationIdentity").unwrap_or("a number of the account").to_owned(),
        sms_type: match call.text("MessageType") {
            Some("PROMOTIONAL") => SmsType::Promotional,
            _ => SmsType::Transactional,
        },
        max_price: call.text("MaxPrice").map(str::to_owned),
        india: parameter("IN_ENTITY_ID").zip(parameter("IN_TEMPLATE_ID")).map(<[String; 2]>::from),
        life: call.body.get("TimeToLive").and_then(Value::as_u64),
    })
}
