//! Mail: its settings, and what every service that sends it needs.

use super::alphabet::LONGEST_PRODUCT;
use super::providers::ProviderSettings;
use super::text::is_gsm7;
use crate::config::{Check, IS_NAME, Reader};

/// The headers that ask mailboxes for no automatic reply, such as a vacation notice (RFC 3834). Exchange has one of its own (MS-OXCMAIL).
pub(super) const AUTOMATIC: [(&str, &str); 2] =
    [("Auto-Submitted", "auto-generated"), ("X-Auto-Response-Suppress", "All")];

/// The names and values that a provider returns with each receipt of a message ([`SendName::tags`](crate::codes::SendName::tags)).
pub type Tags = [(&'static str, String); 3];

/// The settings for mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailSettings {
    /// The product's name, at most 40 characters.
    pub product: String,
    /// The sender's address, verified at each service that sends.
    pub sender: String,
    /// The SES configuration set, which decides about TLS, bounces and complaints.
    pub configuration_set: Option<String>,
    /// The services that send, in their order. The next one sends what the one before has surely refused.
    pub providers: Vec<MailProvider>,
}

/// A service that sends mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailProvider {
    /// SES.
    Ses,
    /// SendGrid.
    SendGrid,
}

/// The values of `MAIL_PROVIDER`.
const PROVIDERS: [&str; 4] = ["ses", "sendgrid", "ses,sendgrid", "sendgrid,ses"];

const IS_PRODUCT_NAME: Check = (
    |text| text.chars().count() <= LONGEST_PRODUCT && !text.chars().any(char::is_control),
    "at most 40 characters on one line",
);
const IS_SMS_PRODUCT_NAME: Check = (
    |text| text.chars().count() <= LONGEST_PRODUCT && is_gsm7(text),
    "at most 40 characters, all of them in the basic GSM 7-bit alphabet, because SMS_COUNTRIES turns SMS on. Choose another name, or leave SMS_COUNTRIES empty",
);
/// The same rule as in the template. Parsing it as an identifier would link the Unicode tables into every function.
const IS_EMAIL: Check = (names_a_mailbox, "an email address in ASCII without a name, such as no-reply@example.com");

fn names_a_mailbox(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>(),;:\"".contains(&byte))
        && text.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && !domain.contains('@')
                && domain.split('.').count() > 1
                && !domain.split('.').any(str::is_empty)
        })
}

impl MailSettings {
    /// Reads the settings from their variables.
    pub fn read(read: &mut Reader<'_>) -> MailSettings {
        let sends_sms = read.get("SMS_COUNTRIES").is_some();
        let is_product_name = if sends_sms { IS_SMS_PRODUCT_NAME } else { IS_PRODUCT_NAME };
        MailSettings {
            product: read.text("PRODUCT_NAME", Some("Latchkey"), is_product_name),
            sender: read.text("SENDER_EMAIL", None, IS_EMAIL),
            configuration_set: read.optional("SES_CONFIGURATION_SET", IS_NAME),
            providers: MailProvider::read_all(read),
        }
    }

    /// Reads whether the subject of a mail with a code has the code.
    pub fn read_in_subject(read: &mut Reader<'_>) -> bool {
        read.is_on("OTP_IN_SUBJECT")
    }
}

impl MailProvider {
    fn read_all(read: &mut Reader<'_>) -> Vec<MailProvider> {
        let chosen = read.choice("MAIL_PROVIDER", "ses", &PROVIDERS);
        let providers = chosen.split(',').map(|name| match name {
            "sendgrid" => MailProvider::SendGrid,
            _ => MailProvider::Ses,
        });
        let providers: Vec<_> = providers.collect();
        if providers.contains(&MailProvider::SendGrid) {
            ProviderSettings::demand(read, "MAIL_PROVIDER=sendgrid");
        }
        providers
    }
}
