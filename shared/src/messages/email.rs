//! Sends mail through SES (API v2).

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{
    Body, Content, Destination, EmailContent, Message as SesMessage, MessageHeader, MessageTag,
};
use email_encoding::headers::rfc2047;
use email_encoding::headers::writer::EmailWriter;

use super::Message;
use super::alphabet::LONGEST_PRODUCT;
use super::outcome::{self, Reasoned, Sent, WhenBroken};
use super::text::is_gsm7;
use crate::aws::{Aws, Retries, endpoint};
use crate::config::{Check, IS_NAME, Reader};
use crate::words::{Email, Error, Result};

/// The names and values that a provider returns with each receipt of a message ([`SendName::tags`](crate::codes::SendName::tags)).
pub type Tags = [(&'static str, String); 3];

/// The client for SES.
pub(super) struct Mailer {
    aws: Aws,
    client: Client,
    from: String,
    configuration_set: Option<String>,
}

/// The settings for mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailSettings {
    /// The product's name, at most 40 characters.
    pub product: String,
    /// The sender's address, verified in SES.
    pub sender: String,
    /// The SES configuration set, which decides about TLS, bounces and complaints.
    pub configuration_set: Option<String>,
}

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
        }
    }

    /// Reads whether the subject of a mail with a code has the code.
    pub fn read_in_subject(read: &mut Reader<'_>) -> bool {
        read.is_on("OTP_IN_SUBJECT")
    }
}

impl Mailer {
    /// A client that sends mail in the product's name.
    ///
    /// # Errors
    /// [`Error::Internal`] when the name does not fit into a header.
    pub(super) fn new(aws: &Aws, settings: MailSettings) -> Result<Mailer> {
        let MailSettings { product, sender, configuration_set } = settings;
        let client = Client::new(&aws.client(|endpoints| &endpoints.ses, Retries::Never));
        let from = format!("{} <{sender}>", display_name(&product)?);
        Ok(Mailer { aws: aws.clone(), client, from, configuration_set })
    }

    /// Opens the connection for the first message.
    pub(super) async fn connect(&self) {
        self.aws.connect(endpoint!(aws_sdk_sesv2, self.aws.settings(), ses), 1).await;
    }

    /// Sends `message` to the canonical address. SES returns the tags with each receipt. A notice has none.
    ///
    /// # Errors
    /// [`Error::Internal`] when the SDK rejects the message before sending it.
    pub(super) async fn send(&self, to: &Email, message: Message, tags: Option<Tags>) -> Result<Sent> {
        let tag = |(name, value): (&str, String)| MessageTag::builder().name(name).value(value).build();
        let tags = tags.map(|tags| tags.into_iter().map(tag).collect::<std::result::Result<_, _>>());
        let tags = tags.transpose().map_err(Error::internal)?;
        let send = self
            .client
            .send_email()
            .from_email_address(&self.from)
            .set_configuration_set_name(self.configuration_set.clone())
            .set_email_tags(tags)
            .destination(Destination::builder().to_addresses(to.reveal()).build())
            .content(content(message)?);
        outcome::once(WhenBroken::SendAgain, || {
            let sending = send.clone().send();
            async { sending.await.map(|sent| sent.message_id) }
        })
        .await
    }
}

impl Reasoned for SendEmailError {}

fn content(message: Message) -> Result<EmailContent> {
    let utf8 = |data: String| Content::builder().data(data).charset("UTF-8").build().map_err(Error::internal);
    let body = Body::builder().text(utf8(message.text)?).html(utf8(message.html)?).build();
    let message =
        SesMessage::builder().subject(utf8(message.subject)?).body(body).set_headers(Some(headers()?)).build();
    Ok(EmailContent::builder().simple(message).build())
}

/// Asks mailboxes for no automatic reply, such as a vacation notice (RFC 3834). Exchange has a header of its own (MS-OXCMAIL).
fn headers() -> Result<Vec<MessageHeader>> {
    let header = |(name, value)| MessageHeader::builder().name(name).value(value).build().map_err(Error::internal);
    [("Auto-Submitted", "auto-generated"), ("X-Auto-Response-Suppress", "All")].map(header).into_iter().collect()
}

/// A display name for the `From` header: a quoted string, or encoded words (RFC 2047) for other than ASCII characters.
fn display_name(product: &str) -> Result<String> {
    if product.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Ok(format!("\"{}\"", product.replace('\\', "\\\\").replace('"', "\\\"")));
    }
    let mut words = String::new();
    rfc2047::encode(product, &mut EmailWriter::new(&mut words, 0, 0, false)).map_err(Error::internal)?;
    // The crate starts a new line for each word, but SES accepts addresses on one line only.
    Ok(words.replace("\r\n", ""))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_display_name_stays_within_its_header() {
        let display_name = |product: &str| super::display_name(product).unwrap();
        assert_eq!(display_name("Latchkey"), "\"Latchkey\"");
        assert_eq!(display_name("A \"B\" <c@d>, \\"), "\"A \\\"B\\\" <c@d>, \\\\\"");
        assert_eq!(display_name("Clé"), "=?utf-8?b?Q2zDqQ==?=");
        let long = display_name(&"é".repeat(40));
        assert!(long.split(' ').count() == 2 && long.split(' ').all(|word| word.len() <= 75), "{long}");
        for injection in ["a\r\nBcc: bob@example.com", "é\r\nBcc: bob@example.com", "a\nb", "a\0", "a\u{7f}"] {
            let name = display_name(injection);
            assert!(name.starts_with("=?") && !name.contains(char::is_control), "{name}");
        }
    }
}
