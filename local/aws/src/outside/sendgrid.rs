//! SendGrid's API v3: one mail to one recipient.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Request;
use serde::Deserialize;
use shared::words::Timestamp;

use super::accounts::Accounts;
use super::messages::{OutsideDelivered, OutsideMessage, Taken, Way};
use crate::ids::new_id;
use crate::ses::Mail;
use crate::wire::Service;

/// The request. SendGrid refuses unknown members too.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SendMail {
    personalizations: [Personalization; 1],
    from: Mailbox,
    subject: String,
    /// The text has to come first.
    content: [Content; 2],
    headers: BTreeMap<String, String>,
    custom_args: BTreeMap<String, String>,
    mail_settings: MailSettings,
    tracking_settings: TrackingSettings,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Personalization {
    to: [Mailbox; 1],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mailbox {
    email: String,
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    #[serde(rename = "type")]
    kind: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MailSettings {
    bypass_bounce_management: Switch,
    bypass_spam_management: Switch,
    bypass_unsubscribe_management: Switch,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TrackingSettings {
    click_tracking: Switch,
    open_tracking: Switch,
    subscription_tracking: Switch,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Switch {
    enable: bool,
    #[serde(default)]
    enable_text: bool,
}

/// Headers that SendGrid sets itself.
const RESERVED: [&str; 7] = ["to", "from", "subject", "reply-to", "cc", "bcc", "content-type"];

type Problem = (u32, String);

pub(super) fn credentials(accounts: &Accounts) -> String {
    format!("Bearer {}", accounts.api_key)
}

/// The message of a valid call.
pub(super) fn read(request: &Request<Bytes>, kind: &str, at: Timestamp) -> Result<Taken, Problem> {
    let bad = |problem: &str| (0, problem.to_owned());
    if kind != "application/json" {
        return Err(bad("the content type is not application/json"));
    }
    // The parser's message could quote a code.
    let mail: SendMail =
        serde_json::from_slice(request.body()).map_err(|_| bad("a member is missing, unknown or invalid"))?;
    let SendMail { personalizations: [Personalization { to: [to] }], from, subject, content, .. } = mail;
    let (settings, tracking) = (mail.mail_settings, mail.tracking_settings);
    let bypasses =
        [settings.bypass_bounce_management, settings.bypass_spam_management, settings.bypass_unsubscribe_management];
    if bypasses.iter().any(|switch| !switch.enable) {
        return Err(bad("the account's suppressions would drop the mail"));
    }
    let tracks = [tracking.click_tracking, tracking.open_tracking, tracking.subscription_tracking];
    if tracks.iter().any(|switch| switch.enable || switch.enable_text) {
        return Err(bad("tracking changes the mail"));
    }
    if mail.headers.keys().any(|name| RESERVED.contains(&name.to_ascii_lowercase().as_str())) {
        return Err(bad("headers has a reserved header"));
    }
    let [text, html] = content;
    let is_complete = text.kind == "text/plain" && html.kind == "text/html" && !text.value.is_empty();
    if !is_complete || subject.is_empty() || !to.email.contains('@') || to.name.is_some() {
        return Err(bad("subject, content or personalizations is invalid"));
    }
    let id = new_id().replace('-', "");
    let from = from.name.map_or_else(|| from.email.clone(), |name| format!("{name} <{}>", from.email));
    let tags = mail.custom_args;
    let message =
        OutsideMessage { way: Way::Mail, id, to: to.email.clone(), webhook: None, is_pooled: false, tags, at };
    let mail = Mail {
        service: Service::SendGrid,
        from,
        to: to.email,
        subject,
        text: text.value,
        html: Some(html.value),
        headers: mail.headers,
    };
    Ok(Taken { message, delivered: OutsideDelivered::Mail(mail) })
}

/// Parts of the model that a request does not use.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_member_is_refused() {
        let body = serde_json::json!({ "personalizations": [{ "to": [{ "email": "a@b.example" }], "cc": [] }] });
        let request = Request::post("/v3/mail/send").body(Bytes::from(body.to_string())).unwrap();
        assert!(read(&request, "application/json", Timestamp::default()).is_err());
    }
}
