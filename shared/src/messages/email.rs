//! Mail by SESv2.

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message as SesMessage};
use data_encoding::BASE64;

use super::{Message, Sent, outcome};
use crate::aws::{Aws, Retries, endpoint};
use crate::words::{Email, Error, Result};

/// The way to SES.
pub struct Mailer {
    aws: Aws,
    client: Client,
    from: String,
    configuration_set: Option<String>,
}

/// How mail is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailSettings {
    /// What the product is called.
    pub product: String,
    /// Where mail comes from: SES knows it as verified.
    pub sender: String,
    /// What SES does about encryption, bounces and complaints.
    pub configuration_set: Option<String>,
}

impl Mailer {
    /// Mail as the settings say, under the product's name.
    pub fn new(aws: &Aws, settings: MailSettings) -> Mailer {
        let MailSettings { product, sender, configuration_set } = settings;
        let client = Client::new(&aws.client(|endpoints| &endpoints.ses, Retries::Never));
        Mailer { aws: aws.clone(), client, from: format!("{} <{sender}>", display_name(&product)), configuration_set }
    }

    /// Opens the connection that the first message goes over.
    pub async fn connect(&self) {
        self.aws.connect(endpoint!(aws_sdk_sesv2, self.aws.settings(), ses), 1).await;
    }

    /// Sends `message` to the canonical address.
    ///
    /// # Errors
    /// [`Error::Internal`] when the message cannot even be put together.
    pub async fn send(&self, to: &Email, message: Message) -> Result<Sent> {
        let send = self
            .client
            .send_email()
            .from_email_address(&self.from)
            .set_configuration_set_name(self.configuration_set.clone())
            .destination(Destination::builder().to_addresses(to.reveal()).build())
            .content(content(message)?);
        outcome::once(|| {
            let sending = send.clone().send();
            async { sending.await.map(|_| ()) }
        })
        .await
    }
}

fn content(message: Message) -> Result<EmailContent> {
    let utf8 = |data: String| Content::builder().data(data).charset("UTF-8").build().map_err(Error::internal);
    let body = Body::builder().text(utf8(message.text)?).html(utf8(message.html)?).build();
    let message = SesMessage::builder().subject(utf8(message.subject)?).body(body).build();
    Ok(EmailContent::builder().simple(message).build())
}

/// A display name for the `From` header: quoted, or as an encoded word where it is not ASCII (RFC 2047).
fn display_name(product: &str) -> String {
    if product.is_ascii() {
        format!("\"{}\"", product.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        let words = chunks(product).into_iter().map(|chunk| format!("=?UTF-8?B?{}?=", BASE64.encode(chunk.as_bytes())));
        words.collect::<Vec<_>>().join(" ")
    }
}

/// An encoded word has at most 75 characters: 45 bytes in base64 and its frame, and no letter is cut in two.
fn chunks(text: &str) -> Vec<String> {
    let mut chunks = vec![String::new()];
    for letter in text.chars() {
        match chunks.last_mut() {
            Some(last) if last.len() + letter.len_utf8() <= 45 => last.push(letter),
            _ => chunks.push(letter.to_string()),
        }
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_display_name_stays_within_its_header() {
        assert_eq!(display_name("Latchkey"), "\"Latchkey\"");
        assert_eq!(display_name("A \"B\" <c@d>, \\"), "\"A \\\"B\\\" <c@d>, \\\\\"");
        assert_eq!(display_name("Clé"), "=?UTF-8?B?Q2zDqQ==?=");
        let long = display_name(&"é".repeat(40));
        assert!(long.split(' ').count() == 2 && long.split(' ').all(|word| word.len() <= 75), "{long}");
    }
}
