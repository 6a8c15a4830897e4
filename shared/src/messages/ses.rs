//! Sends mail through SES (API v2).

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{
    Body, Content, Destination, EmailContent, Message as SesMessage, MessageHeader, MessageTag,
};
use email_encoding::headers::rfc2047;
use email_encoding::headers::writer::EmailWriter;

use super::email::AUTOMATIC;
use super::outcome::{self, Reasoned, Sent, WhenBroken};
use super::{MailSettings, Message, Tags};
use crate::aws::{Aws, Retries, endpoint};
use crate::words::{Email, Error, Result};

/// The client for SES.
pub(super) struct Ses {
    aws: Aws,
    client: Client,
    from: String,
    configuration_set: Option<String>,
}

impl Ses {
    /// A client that sends mail in the product's name.
    ///
    /// # Errors
    /// [`Error::Internal`] when the name does not fit into a header.
    pub(super) fn new(aws: &Aws, settings: &MailSettings) -> Result<Ses> {
        let MailSettings { product, sender, configuration_set, .. } = settings;
        let client = Client::new(&aws.client(|endpoints| &endpoints.ses, Retries::Never));
        let from = format!("{} <{sender}>", display_name(product)?);
        Ok(Ses { aws: aws.clone(), client, from, configuration_set: configuration_set.clone() })
    }

    /// Opens the connection for the first message.
    pub(super) async fn connect(&self) {
        self.aws.connect(endpoint!(aws_sdk_sesv2, self.aws.settings(), ses), 1).await;
    }

    /// Sends `message` to the canonical address. SES returns the tags with each receipt. A notice has none.
    ///
    /// # Errors
    /// [`Error::Internal`] when the SDK rejects the message before sending it.
    pub(super) async fn send(&self, to: &Email, message: &Message, tags: Option<&Tags>) -> Result<Sent> {
        let tag = |(name, value): &(&str, String)| MessageTag::builder().name(*name).value(value).build();
        let tags = tags.map(|tags| tags.iter().map(tag).collect::<std::result::Result<_, _>>());
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

fn content(message: &Message) -> Result<EmailContent> {
    let utf8 = |data: &str| Content::builder().data(data).charset("UTF-8").build().map_err(Error::internal);
    let body = Body::builder().text(utf8(&message.text)?).html(utf8(&message.html)?).build();
    let message =
        SesMessage::builder().subject(utf8(&message.subject)?).body(body).set_headers(Some(headers()?)).build();
    Ok(EmailContent::builder().simple(message).build())
}

fn headers() -> Result<Vec<MessageHeader>> {
    let header = |(name, value)| MessageHeader::builder().name(name).value(value).build().map_err(Error::internal);
    AUTOMATIC.map(header).into_iter().collect()
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
