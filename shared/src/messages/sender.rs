//! Sends codes within the request, in the same way for every identifier, so that response times reveal nothing (V09).

use std::time::Duration;

use super::outcome::Sent;
use super::{Caller, MailSettings, Mailer, Message, PhoneChannels, Script, SmsLength, SmsSettings, Tags, Text, Texter};
use crate::admission::Permit;
use crate::aws::Aws;
use crate::codes::Code;
use crate::observe::report::{self, Step};
use crate::texts::Language;
use crate::words::{Channel, Destination, Error, Result};

/// The clients for mail and SMS.
pub struct Sender {
    product: String,
    in_subject: bool,
    mailer: Mailer,
    texter: Texter,
    caller: Option<Caller>,
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
    pub fn new(
        aws: &Aws,
        (mail, in_subject): (MailSettings, bool),
        sms: SmsSettings,
        others: &PhoneChannels,
    ) -> Result<Sender> {
        let (product, caller) = (mail.product.clone(), others.voice.clone().map(|voice| Caller::new(aws, voice)));
        Ok(Sender { product, in_subject, mailer: Mailer::new(aws, mail)?, texter: Texter::new(aws, sms)?, caller })
    }

    /// Opens a connection for the first mail, and for the first text if `has_sms`. The other channels follow a text.
    pub async fn warm(&self, has_sms: bool) {
        let texter = async {
            if has_sms {
                self.texter.connect().await;
            }
        };
        tokio::join!(self.mailer.connect(), texter);
    }

    /// The parts of a message to a phone, each of which is paid for. None for a mail.
    pub fn parts(&self, to: &Destination, message: &CodeMessage<'_>) -> u32 {
        let CodeMessage { code, life, language, .. } = *message;
        match to {
            Destination::Email(_) => 0,
            Destination::Voice(_) | Destination::Whatsapp(_) => 1,
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
    pub async fn send(&self, permit: Permit<'_>, message: &CodeMessage<'_>) -> Result<Sent> {
        let CodeMessage { code, life, language, ref tags } = *message;
        let to = permit.to();
        let (sent, country) = match to {
            Destination::Email(email) => {
                let message = Message::with_code(language, &self.product, code, life, self.in_subject)?;
                (self.mailer.send(email, message, Some(tags.clone())).await?, None)
            }
            Destination::Sms(phone) => {
                let text = Text::with_code(language, &self.product, code, life, self.texter.webotp_host());
                (self.texter.send(phone, (&text, tags), life).await?, phone.plan().country)
            }
            Destination::Voice(phone) => {
                let script = Script::with_code(language, &self.product, code);
                let caller = self.caller.as_ref().ok_or_else(|| off(to.channel()))?;
                (caller.call(phone, (&script, tags), life).await?, phone.plan().country)
            }
            Destination::Whatsapp(_) => return Err(off(to.channel())),
        };
        report::note(Step::Delivery {
            channel: to.channel(),
            country: country.map(|country| country.code().into()),
            message: if let Sent::Accepted(id) = &sent { id.clone() } else { None },
            refused: match &sent {
                Sent::Refused(reason) | Sent::OptedOut(reason) => Some(reason.clone()),
                _ => None,
            },
            unknown: match &sent {
                Sent::Unclear(reason) => Some(reason.clone()),
                Sent::Lost => Some("the connection broke".to_owned()),
                Sent::Accepted(_) | Sent::Refused(_) | Sent::OptedOut(_) => None,
            },
        });
        if !matches!(sent, Sent::Refused(_) | Sent::OptedOut(_)) {
            permit.spend();
        }
        Ok(sent)
    }
}

/// The function has checked its settings before it asked for a permit.
fn off(channel: Channel) -> Error {
    Error::internal(format!("a message by {} has no provider", channel.name()))
}
