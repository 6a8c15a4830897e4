//! `Publish` of a plain message to a phone number.
//!
//! Real SNS also returns a `MessageId` if the number has opted out, the country is blocked, the price exceeds `MaxPrice` or
//! the monthly budget is used up. Only its delivery logs show this, so the stand-in leaves it out. Any number is valid as
//! `OriginationNumber`, because the stand-in has no account with numbers.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};
use shared::words::is_e164;

use super::attributes::{Attributes, SmsType};
use crate::faults::Delivery;
use crate::ids::new_id;
use crate::wire::{Call, Origin, Refusal, Service};

/// In bytes, as in AWS's guide. The API reference counts characters. A message within this limit satisfies both.
const LONGEST_MESSAGE: usize = 1_600;
/// A subject must be shorter than this, in characters. SNS checks it but does not send it by SMS.
const LONGEST_SUBJECT: usize = 100;

/// An SMS as its recipient gets it, and what its sender asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sms {
    /// The service that sent it.
    pub service: Service,
    /// The number in E.164 form.
    pub to: String,
    /// The text.
    pub text: String,
    /// The sender on the phone's screen: the sender id, or else the origination number. Without both it is `NOTICE`, as AWS
    /// sends it in countries that require a name. In other countries AWS would choose a number.
    pub sender: String,
    /// The message type, for routing.
    pub sms_type: SmsType,
    /// The maximum price in US dollars.
    pub max_price: Option<String>,
    /// The ids of sender and text in India's register.
    pub india: Option<[String; 2]>,
    /// For how many seconds it may be delivered. SNS has no such limit.
    pub life: Option<u64>,
}

pub(crate) struct Sns {
    deliver: Box<dyn Fn(Sms, Origin) + Send + Sync>,
}

impl Sns {
    pub(crate) fn new(deliver: impl Fn(Sms, Origin) + Send + Sync + 'static) -> Sns {
        Sns { deliver: Box::new(deliver) }
    }

    /// The answer and its delay. `fate` decides about an accepted message.
    pub(crate) fn answer(&self, call: &Call, fate: impl Fn() -> Delivery) -> (Result<Value, Refusal>, Duration) {
        let sms = match read(call) {
            Ok(sms) => sms,
            Err(refusal) => return (Err(refusal), Duration::ZERO),
        };
        // SNS also gives this answer for valid numbers to which it does not send.
        let refused = not_valid(&sms.to);
        let throttled = Refusal::bad("Throttling", "Rate exceeded");
        let (delivery, id) = (fate(), new_id());
        if delivery.arrives() {
            (self.deliver)(sms, Origin { id: id.clone(), caller: call.caller.clone() });
        }
        delivery.told(json!({ "MessageId": id }), refused, throttled)
    }
}

/// Runs the checks in SNS's order.
fn read(call: &Call) -> Result<Sms, Refusal> {
    if call.text("Subject").is_some_and(|subject| !is_subject(subject)) {
        return Err(invalid("Subject"));
    }
    let text = call.text("Message").filter(|text| !text.is_empty()).ok_or_else(|| invalid("Empty message"))?;
    let to = recipient(call)?;
    let attributes = Attributes::read(call)?;
    if text.len() > LONGEST_MESSAGE {
        return Err(invalid("Message too long"));
    }
    if call.text("MessageStructure") == Some("json") {
        return Err(invalid("MessageStructure Reason: the local stack sends plain messages only"));
    }
    let (to, text, sender) = (to.to_owned(), text.to_owned(), attributes.sender().to_owned());
    let (sms_type, max_price, india) = (attributes.sms_type(), attributes.max_price(), attributes.india());
    Ok(Sms { service: Service::Sns, to, text, sender, sms_type, max_price, india, life: None })
}

fn is_subject(text: &str) -> bool {
    !text.is_empty() && text.chars().count() < LONGEST_SUBJECT && !text.chars().any(char::is_control)
}

/// The recipient's number. The local stack has neither topics nor apps.
fn recipient(call: &Call) -> Result<&str, Refusal> {
    let named = |member| call.text(member).filter(|text| !text.is_empty());
    match (named("PhoneNumber"), named("TopicArn"), named("TargetArn")) {
        // Stricter than SNS, which adds a missing plus if it can.
        (Some(number), None, None) if is_e164(number) => Ok(number),
        (Some(number), None, None) => Err(not_valid(number)),
        (None, Some(_), None) => Err(Refusal::new(StatusCode::NOT_FOUND, "NotFound", "Topic does not exist")),
        (None, None, Some(_)) => Err(invalid("TargetArn Reason: No endpoint found for the target arn specified")),
        (None, None, None) => Err(invalid("TopicArn or TargetArn Reason: no value for required parameter")),
        _ => Err(invalid("PhoneNumber Reason: only one of PhoneNumber, TopicArn and TargetArn may have a value")),
    }
}

fn not_valid(number: &str) -> Refusal {
    invalid(&format!("PhoneNumber Reason: {number} is not valid to publish to"))
}

fn invalid(what: &str) -> Refusal {
    Refusal::bad("InvalidParameter", &format!("Invalid parameter: {what}"))
}
