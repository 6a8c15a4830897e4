//! The attributes of a message: general rules, and the rules for SMS attributes.
//!
//! Error messages are SNS's own, except those about the values of `AWS.*` attributes.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::wire::{Call, Refusal};

const SENDER_ID: &str = "AWS.SNS.SMS.SenderID";
const SMS_TYPE: &str = "AWS.SNS.SMS.SMSType";
const MAX_PRICE: &str = "AWS.SNS.SMS.MaxPrice";
const ORIGINATION_NUMBER: &str = "AWS.MM.SMS.OriginationNumber";
const ENTITY_ID: &str = "AWS.MM.SMS.EntityId";
const TEMPLATE_ID: &str = "AWS.MM.SMS.TemplateId";
/// India's regulator requires these.
const INDIAN: [&str; 2] = [ENTITY_ID, TEMPLATE_ID];

const LONGEST_NAME: usize = 256;

/// The message type, which decides how AWS routes an SMS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum SmsType {
    /// Optimized for cost. The default.
    #[default]
    Promotional,
    /// Optimized for reliability.
    Transactional,
}

/// Values by name. A binary value stays in base64.
pub(super) struct Attributes(BTreeMap<String, String>);

impl Attributes {
    pub(super) fn read(call: &Call) -> Result<Attributes, Refusal> {
        let attributes = call.body.get("MessageAttributes").and_then(Value::as_object);
        let read = attributes.into_iter().flatten().map(|(name, attribute)| {
            check_name(name)?;
            let value = value(name, attribute)?;
            check_value(name, value)?;
            Ok((name.to_owned(), value.to_owned()))
        });
        read.collect::<Result<_, String>>().map(Attributes).map_err(|message| bad(&message))
    }

    /// The sender on the phone's screen.
    pub(super) fn sender(&self) -> &str {
        self.get(SENDER_ID).or_else(|| self.get(ORIGINATION_NUMBER)).unwrap_or("NOTICE")
    }

    pub(super) fn max_price(&self) -> Option<String> {
        self.get(MAX_PRICE).map(str::to_owned)
    }

    pub(super) fn india(&self) -> Option<[String; 2]> {
        Some([self.get(ENTITY_ID)?.to_owned(), self.get(TEMPLATE_ID)?.to_owned()])
    }

    pub(super) fn sms_type(&self) -> SmsType {
        self.get(SMS_TYPE).and_then(sms_type).unwrap_or_default()
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

fn bad(message: &str) -> Refusal {
    Refusal::bad("ParameterValueInvalid", message)
}

fn check_name(name: &str) -> Result<(), String> {
    if name.len() > LONGEST_NAME {
        return Err("Length of message attribute name must be less than 256 bytes.".to_owned());
    }
    if name.starts_with('.') {
        return Err("Invalid message attribute name starting with character '.' was found.".to_owned());
    }
    if name.is_empty() || name.ends_with('.') {
        return Err("Invalid message attribute name ending with character '.' was found.".to_owned());
    }
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
    if let Some(letter) = name.chars().find(|letter| !is_allowed(*letter)) {
        return Err(format!(
            "Invalid non-alphanumeric character '#x{:X}' was found in the message attribute name. Can only include \
             alphanumeric characters, hyphens, underscores, or dots.",
            u32::from(letter)
        ));
    }
    if name.contains("..") {
        return Err("Message attribute name can not have successive '.' character.".to_owned());
    }
    let lower = name.to_ascii_lowercase();
    let is_reserved = lower.starts_with("aws.") || lower.starts_with("amazon.");
    // `AWS.SNS.SMS.SenderId`, with a lower-case `d`, is refused instead of ignored.
    let is_known = [SENDER_ID, SMS_TYPE, MAX_PRICE, ORIGINATION_NUMBER].iter().chain(&INDIAN).any(|own| *own == name);
    if is_reserved && !is_known {
        return Err(
            "Message attribute names starting with 'AWS.' or 'Amazon.' are reserved for use by Amazon.".to_owned()
        );
    }
    Ok(())
}

/// The attribute's value, if it fits its type.
fn value<'a>(name: &str, attribute: &'a Value) -> Result<&'a str, String> {
    let member = |member: &str| attribute.get(member).and_then(Value::as_str);
    let about = |what: String| Err(format!("The message attribute '{name}' {what}"));
    let Some(data_type) = member("DataType").filter(|data_type| !data_type.is_empty()) else {
        return about("must contain non-empty message attribute type.".to_owned());
    };
    let field = match data_type.split('.').next() {
        Some("String" | "Number") => "String",
        Some("Binary") => "Binary",
        _ => {
            return about(
                "has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String."
                    .to_owned(),
            );
        }
    };
    let other = if field == "String" { "Binary" } else { "String" };
    match (member(&format!("{field}Value")), member(&format!("{other}Value"))) {
        (None, Some(_)) => about(format!("with type '{data_type}' must use field '{field}'.")),
        (None | Some(""), _) => {
            about(format!("must contain non-empty message attribute value for message attribute type '{data_type}'."))
        }
        (Some(text), _) if data_type.starts_with("Number") && !is_number(text) => {
            Err(format!("Could not cast message attribute '{name}' value to number."))
        }
        (Some(value), _) => Ok(value),
    }
}

fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// The rules for AWS's own attributes. A sender id consists of letters and digits. AWS's console also allows hyphens inside
/// it, but the API reference excludes them.
fn check_value(name: &str, value: &str) -> Result<(), String> {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (is_good, expected) = match name {
        SENDER_ID => (
            value.len() <= 11
                && value.bytes().all(|byte| byte.is_ascii_alphanumeric())
                && value.bytes().any(|byte| byte.is_ascii_alphabetic()),
            "1 to 11 letters and digits, with at least one letter",
        ),
        SMS_TYPE => (sms_type(value).is_some(), "Promotional or Transactional"),
        MAX_PRICE => {
            let (whole, rest) = value.split_once('.').unwrap_or((value, "0"));
            (is_digits(whole) && is_digits(rest), "a price in US dollars, such as 0.50")
        }
        ORIGINATION_NUMBER => {
            let digits = value.strip_prefix('+').unwrap_or(value);
            (
                is_digits(digits) && (5..=14).contains(&digits.len()),
                "5 to 14 digits, with or without a plus before them",
            )
        }
        _ if INDIAN.contains(&name) => ((1..=30).contains(&value.len()), "1 to 30 characters"),
        _ => (true, ""),
    };
    if is_good { Ok(()) } else { Err(format!("Invalid value for message attribute '{name}': expected {expected}.")) }
}

fn sms_type(text: &str) -> Option<SmsType> {
    match text {
        "Promotional" => Some(SmsType::Promotional),
        "Transactional" => Some(SmsType::Transactional),
        _ => None,
    }
}
