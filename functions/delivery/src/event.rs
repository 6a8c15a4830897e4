//! Events about messages. SNS passes those of SES to Lambda.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use shared::codes::{News, Reach, Receipt, SendName, Told, is_of_address};
use shared::words::Timestamp;

use crate::eum;

/// SES sends this text once, when the event destination is created.
const VALIDATION: &str = "Successfully validated SNS topic";

/// An event, with SES's names for its members.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SesEvent {
    event_type: String,
    mail: Mail,
    bounce: Option<Bounce>,
    complaint: Option<Complaint>,
    delivery: Option<Delivery>,
    delivery_delay: Option<Delay>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mail {
    timestamp: String,
    message_id: String,
    destination: Vec<String>,
    tags: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bounce {
    bounce_type: String,
    #[serde(default)]
    bounce_sub_type: String,
    bounced_recipients: Vec<Recipient>,
    timestamp: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Complaint {
    complained_recipients: Vec<Recipient>,
    timestamp: String,
}

#[derive(Deserialize)]
struct Delivery {
    recipients: Vec<String>,
    timestamp: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delay {
    delayed_recipients: Vec<Recipient>,
    timestamp: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recipient {
    email_address: String,
    /// The status of a bounce (RFC 3463), such as `5.1.1`.
    #[serde(default)]
    status: String,
}

/// The texts that SNS brings.
fn texts(event: &Value) -> impl Iterator<Item = &str> {
    let records = event.get("Records").and_then(Value::as_array).into_iter().flatten();
    records.filter_map(|record| record.pointer("/Sns/Message")?.as_str())
}

/// The kind of the first event, in one word for the log.
pub(crate) fn kind(event: &Value) -> &'static str {
    if eum::is_from(event) {
        return eum::kind(event);
    }
    let Some(text) = texts(event).next() else { return "unknown" };
    if text.starts_with(VALIDATION) {
        return "validation";
    }
    let kind = serde_json::from_str::<Value>(text).ok();
    match kind.as_ref().and_then(|event| event.get("eventType")?.as_str()) {
        Some("Bounce") => "bounce",
        Some("Complaint") => "complaint",
        Some("Delivery") => "delivery",
        Some("DeliveryDelay") => "delay",
        Some("Reject") => "reject",
        _ => "unknown",
    }
}

/// The events about our messages. Another one is dropped: SNS would bring it again and again, and nothing could read it then.
pub(crate) fn read_all(event: &Value, now: Timestamp) -> Vec<News> {
    if eum::is_from(event) {
        return eum::read(event, now).into_iter().collect();
    }
    texts(event).filter(|text| !text.starts_with(VALIDATION)).filter_map(|text| read(text, now)).collect()
}

fn read(text: &str, now: Timestamp) -> Option<News> {
    let Ok(event) = serde_json::from_str::<SesEvent>(text) else {
        // The text and the parser's message may contain the code.
        tracing::warn!(event = "unreadable_event", "an event of SES has an unknown form");
        return None;
    };
    let dropped = |why: &str| tracing::info!(event = "event_dropped", message = event.mail.message_id, why);
    let tag = |name: &str| event.mail.tags.get(name)?.first().map(String::as_str);
    let Some((identifier, name)) = SendName::of_tags(tag) else {
        dropped("it is about no message with a code");
        return None;
    };
    let Some((told, at)) = event.told() else {
        dropped("its kind is unknown, or it is about another recipient");
        return None;
    };
    let sent = Timestamp::read(&event.mail.timestamp)?;
    let at = at.map_or(Some(sent), Timestamp::read)?;
    let after = sent.until(at);
    // A clock ahead of ours must not lengthen a hold.
    Some(News::of((identifier, name), event.mail.message_id, told, (at.min(now), after)))
}

impl Bounce {
    /// Whether the address is what the server refuses.
    fn is_of_address(&self) -> bool {
        ["NoEmail", "Suppressed", "OnAccountSuppressionList"].contains(&self.bounce_sub_type.as_str())
            || self.bounced_recipients.iter().any(|recipient| is_of_address(&recipient.status))
    }
}

impl SesEvent {
    /// The news and its time. Only SES's own refusal has no time. `None` for an unknown kind, and for an event about another
    /// recipient: a server that forwards the mail may refuse it for somebody else.
    fn told(&self) -> Option<(Told, Option<&str>)> {
        let receipt = |receipt, reach| Told::Receipt(receipt, reach);
        let told = match self.event_type.as_str() {
            "Bounce" => {
                let bounce = self.bounce.as_ref().filter(|bounce| self.is_to(addresses(&bounce.bounced_recipients)))?;
                let told = match bounce.bounce_type.as_str() {
                    "Permanent" => receipt(Receipt::Failed, bounce.is_of_address().then_some(Reach::Bounced)),
                    _ => receipt(Receipt::Returned, None),
                };
                (told, Some(bounce.timestamp.as_str()))
            }
            "Complaint" => {
                let complaint = self.complaint.as_ref();
                let complaint = complaint.filter(|told| self.is_to(addresses(&told.complained_recipients)))?;
                (Told::Complaint, Some(complaint.timestamp.as_str()))
            }
            "Delivery" => {
                let delivery = self.delivery.as_ref();
                let delivery = delivery.filter(|told| self.is_to(told.recipients.iter().map(String::as_str)))?;
                (receipt(Receipt::Delivered, Some(Reach::Delivered)), Some(delivery.timestamp.as_str()))
            }
            "DeliveryDelay" => {
                let delay = self.delivery_delay.as_ref();
                let delay = delay.filter(|told| self.is_to(addresses(&told.delayed_recipients)))?;
                (receipt(Receipt::Delayed, None), Some(delay.timestamp.as_str()))
            }
            "Reject" => (receipt(Receipt::Failed, None), None),
            _ => return None,
        };
        Some(told)
    }

    /// Whether the mail's only destination is the only address in question.
    fn is_to<'a>(&self, mut addresses: impl Iterator<Item = &'a str>) -> bool {
        let [to] = self.mail.destination.as_slice() else { return false };
        addresses.next().is_some_and(|address| address.eq_ignore_ascii_case(to)) && addresses.next().is_none()
    }
}

fn addresses(recipients: &[Recipient]) -> impl Iterator<Item = &str> {
    recipients.iter().map(|recipient| recipient.email_address.as_str())
}
