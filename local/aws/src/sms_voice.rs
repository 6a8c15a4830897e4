//! AWS End User Messaging: `SendTextMessage` of a text to a phone number, and `SendVoiceMessage` of a call.
//!
//! Any pool, number, name and configuration set is valid, because the stand-in has no account with them. The service's model has the
//! rules for all other members.

use std::time::Duration;

use serde_json::{Value, json};
use shared::words::is_e164;

use crate::faults::Delivery;
use crate::ids::new_id;
use crate::services::Delivered;
use crate::sns::{Sms, SmsType};
use crate::wire::{Call, Refusal, Service};

mod phone_call;

pub use self::phone_call::PhoneCall;

/// In bytes, as SNS counts them. The model counts characters.
const LONGEST_MESSAGE: usize = 1_600;

pub(crate) struct SmsVoice {
    deliver: Box<dyn Fn(Delivered) + Send + Sync>,
}

impl SmsVoice {
    pub(crate) fn new(deliver: impl Fn(Delivered) + Send + Sync + 'static) -> SmsVoice {
        SmsVoice { deliver: Box::new(deliver) }
    }

    /// The answer and its delay. `fate` decides about an accepted message. A refused one is for a number that has opted out.
    pub(crate) fn answer(&self, call: &Call, fate: impl Fn() -> Delivery) -> (Result<Value, Refusal>, Duration) {
        let delivered = match call.operation.as_str() {
            "SendVoiceMessage" => phone_call::read(call).map(Delivered::Call),
            _ => read(call).map(Delivered::Sms),
        };
        let delivered = match delivered {
            Ok(delivered) => delivered,
            Err(refusal) => return (Err(refusal), Duration::ZERO),
        };
        let refused = reasoned(
            Refusal::bad("ConflictException", "The destination phone number has opted out"),
            "DESTINATION_PHONE_NUMBER_OPTED_OUT",
        );
        let throttled = Refusal::bad("ThrottlingException", "Rate exceeded");
        let delivery = fate();
        if delivery.arrives() {
            (self.deliver)(delivered);
        }
        delivery.told(json!({ "MessageId": new_id() }), refused, throttled)
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
