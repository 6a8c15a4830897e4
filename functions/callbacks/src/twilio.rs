//! Twilio's callbacks about messages and calls.
//!
//! Twilio signs the URL that the message was sent with, and the form.

use shared::codes::{News, Receipt, SENT_AT, SendName, Told};
use shared::http::Request;
use shared::keys::TwilioKeys;
use shared::messages::twilio_webhook;
use shared::words::{Result, Timestamp};

use crate::FORGED;

/// The news in a request to the API with the origin `api`, if its signature is right. The URL is built like that of the message, so neither a
/// header nor the spelling of a query decides what was signed.
///
/// # Errors
/// [`shared::words::Error::Forbidden`] for a wrong signature, and [`shared::words::Error::InvalidRequest`] for a malformed form.
pub(crate) fn read(request: &Request, api: &str, keys: &TwilioKeys, now: Timestamp) -> Result<Option<News>> {
    let form = request.form()?;
    let (identifier, name) = SendName::of_tags(|tag| request.parameter(tag)).ok_or(FORGED)?;
    let sent = request.parameter(SENT_AT).and_then(|text| text.parse().ok()).ok_or(FORGED)?;
    let sent = Timestamp::from_unix(sent);
    let url = twilio_webhook(api, &name.tags(&identifier), sent);
    let signature = request.signature("x-twilio-signature").ok_or(FORGED)?;
    if !keys.have_signed((&url, &form), signature) {
        return Err(FORGED);
    }
    let field = |wanted: &str| form.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let receipt = field("MessageStatus").and_then(of_message).or_else(|| field("CallStatus").and_then(of_call));
    let message = field("MessageSid").or_else(|| field("CallSid")).unwrap_or_default().to_owned();
    // A messaging service takes a text for a number that has opted out, and tells it only here.
    let is_opt_out = field("ErrorCode") == Some(OPTED_OUT);
    let news = |receipt| {
        let told = Told::Receipt(receipt, None);
        News { is_opt_out, ..News::of((identifier, name), message, told, (now, sent.until(now))) }
    };
    Ok(receipt.map(news))
}

/// Twilio's error for a number that has opted out.
const OPTED_OUT: &str = "21610";

/// The receipt in the status of a message. The other statuses say that it is on its way.
fn of_message(status: &str) -> Option<Receipt> {
    match status {
        "delivered" | "read" => Some(Receipt::Delivered),
        "undelivered" | "failed" | "canceled" => Some(Receipt::Failed),
        _ => None,
    }
}

/// The receipt in the status of a call. The other statuses say that it goes on.
fn of_call(status: &str) -> Option<Receipt> {
    match status {
        "completed" => Some(Receipt::Delivered),
        "busy" | "no-answer" | "failed" | "canceled" => Some(Receipt::Failed),
        _ => None,
    }
}
