//! Events of AWS End User Messaging, as a rule of EventBridge passes them to Lambda. They have neither the text nor the number.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use shared::codes::{News, Receipt, SendName, Told};
use shared::words::Timestamp;

/// The source of these events. Only AWS may use it.
const SOURCE: &str = "aws.sms-voice";

/// The longest message id that the service allows.
const LONGEST_ID: usize = 64;

/// The part of an event that the service writes, with its names for the members. Times are in milliseconds.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    event_type: String,
    event_timestamp: u64,
    message_request_timestamp: Option<u64>,
    message_id: String,
    context: BTreeMap<String, String>,
    is_final: Option<bool>,
    total_message_price: Option<f64>,
    total_carrier_fee: Option<f64>,
}

/// Whether this is an event of the service.
pub(crate) fn is_from(event: &Value) -> bool {
    event.get("source").and_then(Value::as_str) == Some(SOURCE)
}

/// The kind of the event, in one word for the log.
pub(crate) fn kind(event: &Value) -> &'static str {
    let kind = event.pointer("/detail/eventType").and_then(Value::as_str);
    kind.and_then(known).map_or("unknown", |(kind, _)| kind)
}

/// The types of events that say something, with a word for the log. `TEXT_SUCCESSFUL` means that the recipient's carrier took the text.
/// A call may end at an answering machine, and still counts as delivered. A phone that was off may get the message after all, so a
/// later delivery hides what only came back. A text whose fate is unknown after 72 hours stays as it is.
fn known(kind: &str) -> Option<(&'static str, Receipt)> {
    Some(match kind {
        "TEXT_SUCCESSFUL" => ("text_successful", Receipt::HandedOver),
        "TEXT_DELIVERED" => ("text_delivered", Receipt::Delivered),
        "TEXT_UNREACHABLE" => ("text_unreachable", Receipt::Returned),
        "TEXT_CARRIER_UNREACHABLE" => ("text_carrier_unreachable", Receipt::Returned),
        "TEXT_TTL_EXPIRED" => ("text_ttl_expired", Receipt::Returned),
        "TEXT_INVALID" => ("text_invalid", Receipt::Failed),
        "TEXT_INVALID_MESSAGE" => ("text_invalid_message", Receipt::Failed),
        "TEXT_BLOCKED" => ("text_blocked", Receipt::Failed),
        "TEXT_CARRIER_BLOCKED" => ("text_carrier_blocked", Receipt::Failed),
        "TEXT_PROTECT_BLOCKED" => ("text_protect_blocked", Receipt::Failed),
        "TEXT_SPAM" => ("text_spam", Receipt::Failed),
        "VOICE_ANSWERED" => ("voice_answered", Receipt::HandedOver),
        "VOICE_COMPLETED" => ("voice_completed", Receipt::Delivered),
        "VOICE_BUSY" => ("voice_busy", Receipt::Returned),
        "VOICE_NO_ANSWER" => ("voice_no_answer", Receipt::Returned),
        "VOICE_TTL_EXPIRED" => ("voice_ttl_expired", Receipt::Returned),
        "VOICE_FAILED" => ("voice_failed", Receipt::Failed),
        _ => return None,
    })
}

/// The event, if it is about one of our messages.
pub(crate) fn read(event: &Value, now: Timestamp) -> Option<News> {
    let detail = event.get("detail").and_then(|detail| Detail::deserialize(detail).ok());
    let Some(detail) = detail.filter(|detail| is_id(&detail.message_id)) else {
        tracing::warn!(event = "unreadable_event", "an event of AWS End User Messaging has an unknown form");
        return None;
    };
    let dropped = |why: &str| tracing::info!(event = "event_dropped", message = detail.message_id, why);
    let Some((identifier, name)) = SendName::of_tags(|tag| detail.context.get(tag).map(String::as_str)) else {
        dropped("it is about no message with a code");
        return None;
    };
    let Some((_, receipt)) = known(&detail.event_type) else {
        dropped("its kind is unknown");
        return None;
    };
    // The service still tries.
    let receipt = match (receipt, detail.is_final) {
        (Receipt::Returned, Some(false)) => Receipt::Delayed,
        (receipt, _) => receipt,
    };
    let after = Duration::from_millis(
        detail.message_request_timestamp.map_or(0, |sent| detail.event_timestamp.saturating_sub(sent)),
    );
    let price = detail.total_message_price.map(|price| price + detail.total_carrier_fee.unwrap_or_default());
    let at = Timestamp::from_unix(detail.event_timestamp / 1_000).min(now);
    let news = News::of((identifier, name), detail.message_id, Told::Receipt(receipt, None), (at, after));
    Some(News { price, wants_feedback: true, ..news })
}

fn is_id(text: &str) -> bool {
    (1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
