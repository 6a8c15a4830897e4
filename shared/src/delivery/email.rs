//! Mail by SESv2. A send is repeated only when the one before was surely not accepted: nobody wants the code twice.

use std::time::Duration;

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::operation::send_email::builders::SendEmailFluentBuilder;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message as SesMessage};
use data_encoding::BASE64;

use super::{Message, Sent};
use crate::aws::{Aws, Retries};
use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::identifier::Email;

/// The way to SES.
pub struct Mailer {
    client: Client,
    from: String,
}

const MOST_TRIES: u32 = 3;

impl Mailer {
    /// Mail from `sender`, which SES knows as verified, under the product's name.
    pub fn new(aws: &Aws, product: &str, sender: &str) -> Mailer {
        let client = Client::new(&aws.client(|endpoints| &endpoints.ses, Retries::Never));
        Mailer { client, from: format!("{} <{sender}>", display_name(product)) }
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
            .destination(Destination::builder().to_addresses(to.reveal()).build())
            .content(content(message)?);
        for tried in 1..=MOST_TRIES {
            match outcome(send.clone()).await {
                Outcome::Accepted => return Ok(Sent::Accepted),
                Outcome::Unknown(reason) => {
                    tracing::warn!(reason, "nobody knows whether the mail was accepted");
                    return Ok(Sent::Accepted);
                }
                Outcome::Throttled(_) if tried < MOST_TRIES => pause(tried).await?,
                Outcome::Throttled(reason) | Outcome::Refused(reason) => return Ok(Sent::Refused(reason)),
            }
        }
        Ok(Sent::Refused("throttled".to_owned()))
    }
}

enum Outcome {
    Accepted,
    /// Refused for now.
    Throttled(String),
    /// Refused for good.
    Refused(String),
    /// No answer, or one that does not say.
    Unknown(String),
}

async fn outcome(send: SendEmailFluentBuilder) -> Outcome {
    let error = match send.send().await {
        Ok(_) => return Outcome::Accepted,
        Err(error) => error,
    };
    // The service's message is left out: it may repeat the address.
    let reason = error.code().unwrap_or("no answer").to_owned();
    match &error {
        SdkError::ConstructionFailure(_) => Outcome::Refused(reason),
        SdkError::DispatchFailure(failure)
            if failure.as_connector_error().is_some_and(|error| never_connected(error)) =>
        {
            Outcome::Refused("no connection".to_owned())
        }
        SdkError::ServiceError(answer) if answer.raw().status().is_client_error() => {
            if is_throttled(answer.err()) || answer.raw().status().as_u16() == 429 {
                Outcome::Throttled(reason)
            } else {
                Outcome::Refused(reason)
            }
        }
        _ => Outcome::Unknown(reason),
    }
}

/// Nothing was sent where no connection was made.
fn never_connected(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source())
        .filter_map(|error| error.downcast_ref::<hyper_util::client::legacy::Error>())
        .any(hyper_util::client::legacy::Error::is_connect)
}

fn is_throttled(error: &SendEmailError) -> bool {
    error.is_too_many_requests_exception() || matches!(error.code(), Some("Throttling" | "ThrottlingException"))
}

async fn pause(tried: u32) -> Result<()> {
    let millis = 50 * u64::from(tried) + Entropy.below(100)?;
    tokio::time::sleep(Duration::from_millis(millis)).await;
    Ok(())
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
