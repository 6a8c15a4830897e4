//! The settings for SMS, and what each provider needs of them.

use super::alphabet::LONGEST_HOST;
use super::providers::ProviderSettings;
use crate::aws::{Aws, Feedback};
use crate::config::{Check, IS_NAME, Reader};
use crate::words::{Money, is_host_label};

/// The service that sends SMS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SmsProvider {
    /// SNS.
    #[default]
    Sns,
    /// AWS End User Messaging.
    Eum,
    /// Twilio.
    Twilio,
}

impl SmsProvider {
    /// Who hears of used codes.
    pub fn feedback(self, aws: &Aws) -> Feedback {
        match self {
            SmsProvider::Eum => Feedback::to_eum(aws),
            SmsProvider::Sns | SmsProvider::Twilio => Feedback::Nobody,
        }
    }
}

/// The settings for SMS. Each is optional.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SmsSettings {
    /// The service that sends.
    pub provider: SmsProvider,
    /// The sender's name on the phone, in countries that allow one: 1 to 11 letters and digits.
    pub sender_id: Option<String>,
    /// The sender's number, in countries that require one.
    pub origination_number: Option<String>,
    /// The pool of senders for AWS End User Messaging, or the messaging service for Twilio.
    pub pool: Option<String>,
    /// The configuration set of AWS End User Messaging, which decides about the events of messages.
    pub configuration_set: Option<String>,
    /// The maximum price of one SMS, in US dollars. The provider does not deliver more expensive ones (S72).
    pub max_price: Option<String>,
    /// The ids of sender and text in India's register, which SMS to India need.
    pub india: Option<IndiaIds>,
    /// The table in which receipts belong. Messages of AWS End User Messaging carry its name.
    pub receipts_in: String,
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
/// The rule of AWS End User Messaging.
fn is_eum_price(text: &str) -> bool {
    Money::read(text).is_some_and(|price| price < Money::micros(100_000_000) && price.as_micros() % 10 == 0)
}
/// The rule of Twilio.
fn is_twilio_price(text: &str) -> bool {
    Money::read(text).is_some_and(|price| price.as_micros() % 100 == 0)
}
const IS_POOL: Check = (
    |text| is_pool(text) || is_messaging_service(text),
    "the id of a pool, such as pool-0123456789abcdef0123456789abcdef, or of a messaging service of Twilio, such as \
     MG0123456789abcdef0123456789abcdef",
);
fn is_pool(text: &str) -> bool {
    text.len() <= 64 && text.strip_prefix("pool-").is_some_and(|id| id.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}
fn is_messaging_service(text: &str) -> bool {
    text.strip_prefix("MG").is_some_and(|id| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
const IS_SET: Check = (
    |text| text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)),
    "the name of a configuration set, at most 64 letters, digits, hyphens and underscores",
);
const IS_HOST: Check = (
    |text| text.len() <= LONGEST_HOST && text.split('.').all(is_host_label),
    "a host name in lower case of at most 47 characters, such as app.example.com",
);

impl SmsProvider {
    /// Reads the provider.
    pub fn read(read: &mut Reader<'_>) -> SmsProvider {
        match read.choice("SMS_PROVIDER", "sns", &["sns", "eum", "twilio"]).as_str() {
            "eum" => SmsProvider::Eum,
            "twilio" => SmsProvider::Twilio,
            _ => SmsProvider::Sns,
        }
    }
}

impl SmsSettings {
    /// Reads the settings from their variables. An SMS setting without `SMS_COUNTRIES` is an error, because its author expects
    /// SMS to work.
    pub fn read(read: &mut Reader<'_>) -> SmsSettings {
        const NEED_COUNTRIES: [&str; 9] = [
            "SMS_DAILY_BUDGET_USD",
            "SMS_POOL",
            "SMS_CONFIGURATION_SET",
            "SMS_SENDER_ID",
            "SMS_ORIGINATION_NUMBER",
            "SMS_MAX_PRICE",
            "SMS_ENTITY_ID",
            "SMS_TEMPLATE_ID",
            "WEBOTP_HOST",
        ];
        let provider = SmsProvider::read(read);
        let is_off = read.get("SMS_COUNTRIES").is_none();
        for name in NEED_COUNTRIES {
            if is_off && read.get(name).is_some() {
                read.report(format!(
                    "{name}: SMS is off, because SMS_COUNTRIES is empty. Set SMS_COUNTRIES or remove {name}"
                ));
            }
        }
        if is_off && provider != SmsProvider::Sns {
            read.report(
                "SMS_PROVIDER: SMS is off, because SMS_COUNTRIES is empty. Set SMS_COUNTRIES or remove SMS_PROVIDER"
                    .to_owned(),
            );
        }
        let settings = SmsSettings {
            provider,
            sender_id: read.optional("SMS_SENDER_ID", IS_SENDER_ID),
            origination_number: read.optional("SMS_ORIGINATION_NUMBER", IS_NUMBER),
            pool: read.optional("SMS_POOL", IS_POOL),
            configuration_set: read.optional("SMS_CONFIGURATION_SET", IS_SET),
            max_price: read.optional("SMS_MAX_PRICE", IS_PRICE),
            india: IndiaIds::read(read),
            receipts_in: read.text("OTP_TABLE", None, IS_NAME),
            webotp_host: read.optional("WEBOTP_HOST", IS_HOST).or_else(|| first_https_host(read)),
        };
        match provider {
            SmsProvider::Sns => settings.check_sns(read),
            SmsProvider::Eum => settings.check_eum(read),
            SmsProvider::Twilio => settings.check_twilio(read),
        }
        settings
    }

    /// SNS has no such settings, so their author expects another provider.
    fn check_sns(&self, read: &mut Reader<'_>) {
        if self.pool.is_some() {
            read.report(
                "SMS_POOL: only SMS_PROVIDER=eum and SMS_PROVIDER=twilio use it. Set one of them or remove SMS_POOL"
                    .to_owned(),
            );
        }
        self.check_configuration_set(read);
    }

    fn check_configuration_set(&self, read: &mut Reader<'_>) {
        if self.configuration_set.is_some() {
            read.report(
                "SMS_CONFIGURATION_SET: only SMS_PROVIDER=eum uses it. Set SMS_PROVIDER=eum or remove \
                 SMS_CONFIGURATION_SET"
                    .to_owned(),
            );
        }
    }

    /// With several senders, one of them would be ignored. Without a named one, any number of the account could send.
    fn check_sender(&self, read: &mut Reader<'_>, provider: &str) {
        const SENDERS: &str = "SMS_POOL, SMS_ORIGINATION_NUMBER and SMS_SENDER_ID";
        match [&self.pool, &self.origination_number, &self.sender_id].into_iter().flatten().count() {
            0 => read.report(format!("{SENDERS}: SMS_PROVIDER={provider} needs a sender. Set one of them")),
            1 => {}
            _ => read.report(format!("{SENDERS}: SMS_PROVIDER={provider} sends from one of them. Set only one")),
        }
    }

    /// Twilio keeps the ids of India's register with the sender.
    fn check_twilio(&self, read: &mut Reader<'_>) {
        self.check_sender(read, "twilio");
        self.check_configuration_set(read);
        ProviderSettings::demand(read, "SMS_PROVIDER=twilio");
        if self.pool.as_deref().is_some_and(|pool| !is_messaging_service(pool)) {
            read.report(
                "SMS_POOL: SMS_PROVIDER=twilio takes the id of a messaging service, such as \
                 MG0123456789abcdef0123456789abcdef"
                    .to_owned(),
            );
        }
        if self.max_price.as_deref().is_some_and(|price| !is_twilio_price(price)) {
            read.report("SMS_MAX_PRICE: SMS_PROVIDER=twilio takes a price with at most four decimals".to_owned());
        }
        if self.india.is_some() {
            read.report(
                "SMS_ENTITY_ID and SMS_TEMPLATE_ID: Twilio keeps these ids in its console. Remove both".to_owned(),
            );
        }
    }

    /// Without a configuration set, nobody would learn what became of a message.
    fn check_eum(&self, read: &mut Reader<'_>) {
        self.check_sender(read, "eum");
        if self.pool.as_deref().is_some_and(|pool| !is_pool(pool)) {
            read.report("SMS_POOL: SMS_PROVIDER=eum takes the id of a pool, which starts with pool-".to_owned());
        }
        if self.configuration_set.is_none() {
            read.report(
                "SMS_CONFIGURATION_SET: SMS_PROVIDER=eum needs it. Set the name of a configuration set".to_owned(),
            );
        }
        if self.max_price.as_deref().is_some_and(|price| !is_eum_price(price)) {
            read.report(
                "SMS_MAX_PRICE: SMS_PROVIDER=eum takes a price below 100 dollars with at most five decimals".to_owned(),
            );
        }
    }

    /// The sender for AWS End User Messaging.
    pub(super) fn eum_identity(&self) -> Option<&str> {
        self.pool.as_ref().or(self.origination_number.as_ref()).or(self.sender_id.as_ref()).map(String::as_str)
    }
}

/// The host of the first https origin. Most deployments have one frontend.
fn first_https_host(read: &Reader<'_>) -> Option<String> {
    let origins = read.get("ALLOWED_ORIGINS")?;
    let host = origins.split(',').find_map(|origin| origin.trim().strip_prefix("https://"))?;
    let host = host.split(':').next().unwrap_or_default();
    IS_HOST.0(host).then(|| host.to_owned())
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
