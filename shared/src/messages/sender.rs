//! Sends codes within the request, in the same way for every identifier, so that response times reveal nothing (V09).

use std::time::Duration;

use futures_util::future::join_all;

use super::outcome::Sent;
use super::{MailSettings, Mailer, Message, SmsLength, SmsSettings, Tags, Text, Texter};
use crate::admission::Permit;
use crate::aws::Aws;
use crate::codes::Code;
use crate::observe::report::{self, Step};
use crate::texts::Language;
use crate::words::{Channel, Destination, Result};

/// The clients for mail and SMS.
pub struct Sender {
    product: String,
    in_subject: bool,
    mailer: Mailer,
    texter: Texter,
}

/// A code to send, and what its message needs.
pub struct CodeMessage<'a> {
    /// The code.
    pub code: &'a Code,
    /// How long it is accepted.
    pub life: Duration,
    /// The language of the message.
    pub language: Language,
    /// Where the provider's receipts belong.
    pub tags: Tags,
}

impl Sender {
    /// Clients that send in the product's name. `in_subject` is whether the subject of a mail has the code.
    ///
    /// # Errors
    /// [`crate::words::Error::Internal`] when the name does not fit into a header, or SMS has no sender.
    pub fn new(aws: &Aws, (mail, in_subject): (MailSettings, bool), sms: SmsSettings) -> Result<Sender> {
        let product = mail.product.clone();
        Ok(Sender { product, in_subject, mailer: Mailer::new(aws, mail)?, texter: Texter::new(aws, sms)? })
    }

    /// Opens a connection for the first message by each of `channels`.
    pub async fn warm(&self, channels: impl IntoIterator<Item = Channel>) {
        let connect = async |channel| match channel {
            Channel::Email => self.mailer.connect().await,
            Channel::Sms => self.texter.connect().await,
        };
        join_all(channels.into_iter().map(connect)).await;
    }

    /// The parts of the SMS, each of which is paid for. None for a mail.
    pub fn parts(&self, to: &Destination, message: &CodeMessage<'_>) -> u32 {
        let CodeMessage { code, life, language, .. } = *message;
        match to {
            Destination::Email(_) => 0,
            Destination::Sms(_) => {
                let text = Text::with_code(language, &self.product, code, life, self.texter.webotp_host());
                u32::try_from(SmsLength::of(text.reveal()).parts).unwrap_or(u32::MAX)
            }
        }
    }

    /// Sends a code to the canonical address only (V20). The permit is for this address and one message (S160).
    ///
    /// # Errors
    /// [`crate::words::Error::Internal`] when the SDK rejects the message before sending it.
    pub async fn send(&self, permit: Permit<'_>, message: CodeMessage<'_>) -> Result<Sent> {
        let CodeMessage { code, life, language, tags } = message;
        let to = permit.to();
        let (sent, country) = match to {
            Destination::Email(email) => {
                let message = Message::with_code(language, &self.product, code, life, self.in_subject)?;
                (self.mailer.send(email, message, Some(tags)).await?, None)
            }
            Destination::Sms(phone) => {
                let text = Text::with_code(language, &self.product, code, life, self.texter.webotp_host());
                (self.texter.send(phone, (&text, tags), life).await?, phone.plan().country)
            }
        };
        report::note(Step::Delivery {
            channel: to.channel(),
            country: country.map(|country| country.code().into()),
            message: if let Sent::Accepted(id) = &sent { id.clone() } else { None },
            refused: if let Sent::Refused(reason) = &sent { Some(reason.clone()) } else { None },
            unknown: match &sent {
                Sent::Unclear(reason) => Some(reason.clone()),
                Sent::Lost => Some("the connection broke".to_owned()),
                Sent::Accepted(_) | Sent::Refused(_) => None,
            },
        });
        if !matches!(sent, Sent::Refused(_)) {
            permit.spend();
        }
        Ok(sent)
    }
}
