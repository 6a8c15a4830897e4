//! Sends SMS through SNS.

use aws_sdk_sns::Client;
use aws_sdk_sns::types::MessageAttributeValue;

use super::Text;
use super::outcome::{self, Sent, WhenBroken};
use super::text::LONGEST_HOST;
use crate::aws::{Aws, Retries, endpoint};
use crate::config::{Check, Reader};
use crate::words::{Error, Phone, Result, is_host_label};

/// The settings for SMS. Each is optional.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SmsSettings {
    /// The sender's name on the phone, in countries that allow one: 1 to 11 letters and digits.
    pub sender_id: Option<String>,
    /// The sender's number, in countries that require one.
    pub origination_number: Option<String>,
    /// The maximum price of one SMS, in US dollars. SNS does not deliver more expensive ones (S72).
    pub max_price: Option<String>,
    /// The ids of sender and text in India's register, which SMS to India need.
    pub india: Option<IndiaIds>,
    /// The frontend's host. Browsers offer to fill in the code on its pages.
    pub webotp_host: Option<String>,
}

/// The ids that India's regulator gives to a sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndiaIds {
    /// The sender's own.
    pub entity: String,
    /// That of the registered text.
    pub template: String,
}

/// The rule of SNS.
const IS_SENDER_ID: Check = (
    |text| {
        (1..=11).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && text.bytes().any(|byte| byte.is_ascii_alphabetic())
    },
    "1 to 11 letters and digits, at least one of them a letter. A number belongs in SMS_ORIGINATION_NUMBER",
);
const IS_NUMBER: Check = (
    |text| {
        let digits = text.strip_prefix('+').unwrap_or(text);
        (3..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    },
    "a phone number or short code",
);
const IS_INDIA_ID: Check =
    (|text| (1..=30).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()), "1 to 30 digits");
const IS_PRICE: Check = (
    |text| {
        text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
            && text.parse::<f64>().is_ok_and(|price| price > 0.0)
    },
    "a price in US dollars, such as 0.10",
);
const IS_HOST: Check = (
    |text| text.len() <= LONGEST_HOST && text.split('.').all(is_host_label),
    "a host name in lower case of at most 47 characters, such as app.example.com",
);

impl SmsSettings {
    /// Reads the settings from their variables. An SMS setting without `SMS_COUNTRIES` is an error, because its author expects
    /// SMS to work.
    pub fn read(read: &mut Reader<'_>) -> SmsSettings {
        const NEED_COUNTRIES: [&str; 6] = [
            "SMS_SENDER_ID",
            "SMS_ORIGINATION_NUMBER",
            "SMS_MAX_PRICE",
            "SMS_ENTITY_ID",
            "SMS_TEMPLATE_ID",
            "WEBOTP_HOST",
        ];
        for name in NEED_COUNTRIES {
            if read.get("SMS_COUNTRIES").is_none() && read.get(name).is_some() {
                read.report(format!(
                    "{name}: SMS is off, because SMS_COUNTRIES is empty. Set SMS_COUNTRIES or remove {name}"
                ));
            }
        }
        SmsSettings {
            sender_id: read.optional("SMS_SENDER_ID", IS_SENDER_ID),
            origination_number: read.optional("SMS_ORIGINATION_NUMBER", IS_NUMBER),
            max_price: read.optional("SMS_MAX_PRICE", IS_PRICE),
            india: IndiaIds::read(read),
            webotp_host: read.optional("WEBOTP_HOST", IS_HOST),
        }
    }
}

impl IndiaIds {
    /// Reads both ids. One without the other is an error, because carriers would drop the SMS.
    fn read(read: &mut Reader<'_>) -> Option<IndiaIds> {
        let [entity, template] = ["SMS_ENTITY_ID", "SMS_TEMPLATE_ID"].map(|name| read.optional(name, IS_INDIA_ID));
        if entity.is_some() != template.is_some() {
            read.report("SMS_ENTITY_ID and SMS_TEMPLATE_ID: SMS to India need both. Set both or neither".to_owned());
        }
        Some(IndiaIds { entity: entity?, template: template? })
    }
}

/// India's country code. Other countries do not share it.
const INDIA: &str = "+91";

/// The client for SNS.
pub(super) struct Texter {
    aws: Aws,
    client: Client,
    settings: SmsSettings,
}

impl Texter {
    /// Creates the client.
    pub(super) fn new(aws: &Aws, settings: SmsSettings) -> Texter {
        let client = Client::new(&aws.client(|endpoints| &endpoints.sns, Retries::Never));
        Texter { aws: aws.clone(), client, settings }
    }

    /// Opens the connection for the first SMS.
    pub(super) async fn connect(&self) {
        self.aws.connect(endpoint!(aws_sdk_sns, self.aws.settings(), sns), 1).await;
    }

    /// The host that the code is bound to, for the text.
    pub(super) fn webotp_host(&self) -> Option<&str> {
        self.settings.webotp_host.as_deref()
    }

    /// Sends `text` to the canonical number.
    ///
    /// # Errors
    /// [`Error::Internal`] when the SDK rejects the message before sending it.
    pub(super) async fn send(&self, to: &Phone, text: Text) -> Result<Sent> {
        let SmsSettings { sender_id, origination_number, max_price, india, .. } = &self.settings;
        let india = india.as_ref().filter(|_| to.reveal().starts_with(INDIA));
        let mut publish = self
            .client
            .publish()
            .phone_number(to.reveal())
            .message(text.reveal())
            // A late code is worthless, so this chooses the fastest route over the cheapest.
            .message_attributes("AWS.SNS.SMS.SMSType", attribute("String", "Transactional")?);
        for (name, kind, value) in [
            ("AWS.SNS.SMS.SenderID", "String", sender_id.as_ref()),
            ("AWS.MM.SMS.OriginationNumber", "String", origination_number.as_ref()),
            ("AWS.SNS.SMS.MaxPrice", "Number", max_price.as_ref()),
            ("AWS.MM.SMS.EntityId", "String", india.map(|ids| &ids.entity)),
            ("AWS.MM.SMS.TemplateId", "String", india.map(|ids| &ids.template)),
        ] {
            if let Some(value) = value {
                publish = publish.message_attributes(name, attribute(kind, value)?);
            }
        }
        outcome::once(WhenBroken::Fail, || {
            let sending = publish.clone().send();
            async { sending.await.map(|sent| sent.message_id) }
        })
        .await
    }
}

fn attribute(kind: &str, value: &str) -> Result<MessageAttributeValue> {
    MessageAttributeValue::builder().data_type(kind).string_value(value).build().map_err(Error::internal)
}
