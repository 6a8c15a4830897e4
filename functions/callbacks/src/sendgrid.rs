//! SendGrid's events about mails, in batches.
//!
//! SendGrid signs the time of the request and its body. It shows the public key to the deployer.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use shared::codes::{News, Reach, Receipt, SENT_AT, SendName, Told, is_of_address};
use shared::http::Request;
use shared::keys::SendGridKeys;
use shared::words::{Error, Result, Timestamp};

use crate::FORGED;

/// SendGrid's largest batch has 768 KB.
const LONGEST_BATCH: usize = 1024 * 1024;

/// How far the time in a request may be from ours. A recorded request is useless after it.
const LATEST: Duration = Duration::from_secs(5 * 60);

/// An event, with SendGrid's names for its members.
#[derive(Deserialize)]
struct Event {
    event: String,
    timestamp: u64,
    #[serde(default)]
    sg_message_id: String,
    /// The kind of a bounce: `bounce` or `blocked`.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// The status of a bounce (RFC 3463), such as `5.1.1`.
    #[serde(default)]
    status: String,
}

/// The news in a request, if its signature is right.
///
/// # Errors
/// [`Error::Forbidden`] for a wrong signature or an old one, and [`Error::InvalidRequest`] for a body that is no list.
pub(crate) fn read(request: &Request, keys: &SendGridKeys, now: Timestamp) -> Result<Vec<News>> {
    let body = request.body(LONGEST_BATCH)?;
    let header = |name| request.signature(name).ok_or(FORGED);
    let time = header("x-twilio-email-event-webhook-timestamp")?;
    let signature = header("x-twilio-email-event-webhook-signature")?;
    if !is_recent(time, now) || !keys.have_signed((time, body), signature) {
        return Err(FORGED);
    }
    let events: Vec<Value> =
        serde_json::from_slice(body).map_err(|_| Error::invalid("The body must be a list of events in JSON."))?;
    Ok(events.iter().filter_map(|event| news(event, now)).collect())
}

fn is_recent(time: &str, now: Timestamp) -> bool {
    let time = time.parse().map(Timestamp::from_unix);
    time.is_ok_and(|time| time.until(now).max(now.until(time)) <= LATEST)
}

/// `None` for another kind of event, and for a mail without a code.
fn news(event: &Value, now: Timestamp) -> Option<News> {
    let (identifier, name) = SendName::of_tags(|tag| event.get(tag)?.as_str())?;
    let sent = Timestamp::from_unix(event.get(SENT_AT)?.as_str()?.parse().ok()?);
    let Ok(event) = Event::deserialize(event) else {
        // The parser's message may contain an address.
        tracing::warn!(event = "unreadable_event", "an event of SendGrid has an unknown form");
        return None;
    };
    let told = told(&event)?;
    // A clock ahead of ours must not lengthen a hold.
    let at = Timestamp::from_unix(event.timestamp).min(now);
    Some(News::of((identifier, name), event.sg_message_id, told, (at, sent.until(at))))
}

fn told(event: &Event) -> Option<Told> {
    let told = match event.event.as_str() {
        "delivered" => Told::Receipt(Receipt::Delivered, Some(Reach::Delivered)),
        "deferred" => Told::Receipt(Receipt::Delayed, None),
        // The server takes nothing from this sender now, or nothing with this content.
        "bounce" if event.kind.as_deref() == Some("blocked") => Told::Receipt(Receipt::Returned, None),
        "bounce" => Told::Receipt(Receipt::Failed, is_of_address(&event.status).then_some(Reach::Bounced)),
        "dropped" => Told::Receipt(Receipt::Failed, None),
        "spamreport" => Told::Complaint,
        _ => return None,
    };
    Some(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_time_around_now_is_recent() {
        let now = Timestamp::from_unix(1_600_000_000);
        for (time, expected) in [
            ("1600000000", true),
            ("1599999700", true),
            ("1599999699", false),
            ("1600000300", true),
            ("1600000301", false),
            ("", false),
            ("-1600000000", false),
            ("99999999999999999999", false),
        ] {
            assert_eq!(is_recent(time, now), expected, "{time}");
        }
    }
}
