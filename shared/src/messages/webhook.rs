//! The webhook that Twilio calls with what became of a message. The URL names the send, and Twilio signs the whole URL.

use super::Tags;
use crate::codes::SENT_AT;
use crate::words::Timestamp;

/// The path of the webhook.
pub const TWILIO_WEBHOOK: &str = "/api/webhooks/twilio/";

/// The URL at the API with the origin `api`, for a message that was sent at this time. All values consist of characters that a URL has as
/// they are.
pub fn twilio_webhook(api: &str, tags: &Tags, sent: Timestamp) -> String {
    let tags: String = tags.iter().map(|(name, value)| format!("{name}={value}&")).collect();
    format!("{api}{TWILIO_WEBHOOK}?{tags}{SENT_AT}={}", sent.unix())
}
