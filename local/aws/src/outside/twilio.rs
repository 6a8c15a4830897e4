//! Twilio's API of 2010-04-01: messages, calls and feedback.
//!
//! Any sender is valid, because the stand-in has no account with numbers. As with Twilio's own test numbers, the last digits of a recipient
//! decide: 5550001 is invalid, 5550004 has opted out, and what goes to 5550009 is not delivered.

use std::collections::BTreeMap;

use bytes::Bytes;
use data_encoding::BASE64;
use http::Request;
use serde_json::Value;
use shared::words::{Timestamp, is_e164};

use super::accounts::Accounts;
use super::messages::{Chat, OutsideDelivered, OutsideMessage, Taken, Way};
use crate::ids::new_id;
use crate::sms_voice::PhoneCall;
use crate::sns::{Sms, SmsType};
use crate::wire::Service;

pub(super) const INVALID_NUMBER: u32 = 21_211;
pub(super) const NOT_DELIVERABLE: u32 = 21_612;
pub(super) const OPTED_OUT: u32 = 21_610;
pub(super) const THROTTLED: u32 = 20_429;

/// The members that each operation may have here.
const MEMBERS: [(&str, &[&str]); 2] = [
    (
        "Messages",
        &[
            "To",
            "From",
            "MessagingServiceSid",
            "Body",
            "ContentSid",
            "ContentVariables",
            "ValidityPeriod",
            "MaxPrice",
            "StatusCallback",
        ],
    ),
    ("Calls", &["To", "From", "Twiml", "StatusCallback"]),
];

const LONGEST_BODY: usize = 1_600;

type Problem = (u32, String);
type Form = BTreeMap<String, String>;

pub(super) fn credentials(accounts: &Accounts) -> String {
    format!("Basic {}", BASE64.encode(format!("{}:{}", accounts.account, accounts.auth_token).as_bytes()))
}

/// The message of a valid call.
pub(super) fn read(
    operation: &str,
    request: &Request<Bytes>,
    (account, kind): (&str, &str),
    at: Timestamp,
) -> Result<Taken, Problem> {
    let bad = |problem: String| (20_001, problem);
    let folder = format!("/2010-04-01/Accounts/{account}/");
    if !request.uri().path().starts_with(&folder) {
        return Err(bad("the path is of another account".to_owned()));
    }
    if kind != "application/x-www-form-urlencoded" {
        return Err(bad("the body is no form".to_owned()));
    }
    let form = form(operation, request.body())?;
    message(operation, &form, at)
}

/// A member that is missing in [`MEMBERS`] or comes twice is a mistake. Twilio ignores the first.
fn form(operation: &str, body: &[u8]) -> Result<Form, Problem> {
    let allowed = MEMBERS.iter().find(|(name, _)| *name == operation).map_or(&[][..], |(_, members)| members);
    let mut form = Form::new();
    for (name, value) in form_urlencoded::parse(body).into_owned() {
        if !allowed.contains(&name.as_str()) || value.is_empty() || form.insert(name.clone(), value).is_some() {
            return Err((20_001, format!("{name}: an unknown, empty or repeated member of {operation}")));
        }
    }
    Ok(form)
}

fn message(operation: &str, form: &Form, at: Timestamp) -> Result<Taken, Problem> {
    let field = |name: &str| form.get(name).map(String::as_str);
    let invalid = |name: &str| (20_001, format!("{name} is missing or invalid"));
    let address = field("To").ok_or_else(|| invalid("To"))?;
    let to = address.strip_prefix("whatsapp:").unwrap_or(address);
    if !is_e164(to) || to.ends_with("5550001") {
        return Err((INVALID_NUMBER, "The 'To' number is not a valid phone number".to_owned()));
    }
    let is_number = |text: &&str| {
        let longest = field(text).and_then(|value| value.parse::<u32>().ok());
        longest.is_some_and(|seconds| (1..=36_000).contains(&seconds))
    };
    if field("ValidityPeriod").is_some() && !is_number(&"ValidityPeriod") {
        return Err(invalid("ValidityPeriod"));
    }
    if field("MaxPrice").is_some_and(|text| text.parse::<f64>().is_err()) {
        return Err(invalid("MaxPrice"));
    }
    let webhook = field("StatusCallback").filter(|url| url.starts_with("https://") || url.starts_with("http://"));
    let webhook = webhook.ok_or_else(|| invalid("StatusCallback"))?;
    let sender = match (field("From"), field("MessagingServiceSid")) {
        (Some(number), None) => number,
        (None, Some(service)) if service.starts_with("MG") && service.len() == 34 && operation == "Messages" => service,
        _ => return Err(invalid("From or MessagingServiceSid")),
    };
    let (service, life) = (Service::Twilio, field("ValidityPeriod").and_then(|text| text.parse().ok()));
    let (to, sender) = (to.to_owned(), sender.to_owned());
    let delivered = match (operation, field("Body"), field("ContentSid"), field("Twiml")) {
        ("Messages", Some(text), None, None) if text.chars().count() <= LONGEST_BODY => OutsideDelivered::Sms(Sms {
            service,
            to: to.clone(),
            text: text.to_owned(),
            sender,
            sms_type: SmsType::Transactional,
            max_price: field("MaxPrice").map(str::to_owned),
            india: None,
            life,
        }),
        ("Messages", None, Some(template), None) if template.starts_with("HX") && template.len() == 34 => {
            let text =
                content(field("ContentVariables"), address, &sender).ok_or_else(|| invalid("ContentVariables"))?;
            OutsideDelivered::Whatsapp(Chat {
                service,
                to: to.clone(),
                from: sender,
                template: template.to_owned(),
                text,
            })
        }
        ("Calls", None, None, Some(twiml)) => {
            let (speaker, ssml) = said(twiml).ok_or_else(|| invalid("Twiml"))?;
            OutsideDelivered::Call(PhoneCall {
                service,
                to: to.clone(),
                from: sender,
                ssml,
                speaker,
                max_price: None,
                life,
            })
        }
        _ => return Err(invalid("Body, ContentSid or Twiml")),
    };
    let (way, start) = if operation == "Calls" { (Way::Call, "CA") } else { (Way::Message, "SM") };
    let id = format!("{start}{}", new_id().replace('-', ""));
    let webhook = Some(webhook.to_owned());
    let is_pooled = field("MessagingServiceSid").is_some();
    let message = OutsideMessage { way, id, to, webhook, is_pooled, tags: BTreeMap::new(), at };
    Ok(Taken { message, delivered })
}

/// An authentication template shows its only variable.
fn content(variables: Option<&str>, to: &str, sender: &str) -> Option<String> {
    let variables: Value = serde_json::from_str(variables?).ok()?;
    let code = variables.as_object().filter(|all| all.len() == 1)?.get("1")?.as_str()?;
    let is_whatsapp = [to, sender].iter().all(|address| address.starts_with("whatsapp:+"));
    is_whatsapp.then(|| format!("{code} is your verification code."))
}

/// The speaker of a document that says one thing, and the words as SSML.
fn said(twiml: &str) -> Option<(String, String)> {
    let say = twiml.strip_prefix("<Response><Say voice=\"Polly.")?.strip_suffix("</Say></Response>")?;
    let (speaker, words) = say.split_once("\">")?;
    Some((speaker.to_owned(), format!("<speak>{words}</speak>")))
}
