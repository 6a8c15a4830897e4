//! Sends codes within the request, in the same way for every identifier, so that response times reveal nothing (V09).

use std::sync::Arc;

use super::outcome::Sent;
use super::twilio::Twilio;
use super::{
    Caller, CodeMessage, MailSettings, Mailer, Message, PhoneChannels, Providers, Script, SmsLength, SmsSettings, Text,
    Texter,
};
use crate::admission::Permit;
use crate::aws::Aws;
use crate::codes::Purpose;
use crate::observe::report::{self, Step};
use crate::words::{Channel, Destination, Error, Phone, Result};

/// The clients for mail and SMS.
pub struct Sender {
    product: String,
    in_subject: bool,
    mailer: Mailer,
    texter: Texter,
    caller: Option<Caller>,
    /// With the number that sends.
    whatsapp: Option<(Twilio, String)>,
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
        outside: Option<&Arc<Providers>>,
    ) -> Result<Sender> {
        let (mailer, texter) = (Mailer::new(aws, &mail, outside)?, Texter::new(aws, sms, outside)?);
        let caller = others.voice.clone().map(|voice| Caller::new(aws, voice, outside)).transpose()?;
        let whatsapp = others.whatsapp.clone().map(|number| Ok((Twilio::new(outside)?, number))).transpose()?;
        Ok(Sender { product: mail.product, in_subject, mailer, texter, caller, whatsapp })
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
        match to {
            Destination::Email(_) => 0,
            Destination::Voice(_) | Destination::Whatsapp(_) => 1,
            Destination::Sms(phone) => {
                u32::try_from(SmsLength::of(self.text(phone, message).reveal()).parts).unwrap_or(u32::MAX)
            }
        }
    }

    fn text(&self, to: &Phone, message: &CodeMessage<'_>) -> Text {
        let CodeMessage { code, purpose, life, language, .. } = *message;
        // The registered text is that of a sign-in. It does not say what its code is for.
        let purpose = if self.texter.is_text_registered(to) { Purpose::SignIn } else { purpose };
        Text::with_code(language, &self.product, (code, purpose), life, self.texter.webotp_host())
    }

    /// Sends a code to the canonical address only (V20). The permit is for this address and one message (S160).
    ///
    /// # Errors
    /// [`crate::words::Error::Internal`] when the SDK rejects the message before sending it.
    pub async fn send(&self, permit: Permit<'_>, message: &CodeMessage<'_>) -> Result<Sent> {
        let CodeMessage { code, purpose, life, language, ref tags, .. } = *message;
        let to = permit.to();
        let ((sent, provider), country) = match to {
            Destination::Email(email) => {
                let mail = Message::with_code(language, &self.product, (code, purpose), life, self.in_subject)?;
                (self.mailer.send(email, &mail, Some(tags)).await?, None)
            }
            Destination::Sms(phone) => {
                let text = self.text(phone, message);
                (self.texter.send(phone, &text, message).await?, phone.plan().country)
            }
            Destination::Voice(phone) => {
                let script = Script::with_code(language, &self.product, code, purpose);
                let caller = self.caller.as_ref().ok_or_else(|| off(to.channel()))?;
                (caller.call(phone, &script, message).await?, phone.plan().country)
            }
            Destination::Whatsapp(phone) => {
                let (twilio, number) = self.whatsapp.as_ref().ok_or_else(|| off(to.channel()))?;
                ((twilio.send_whatsapp(phone, number, message).await?, "twilio"), phone.plan().country)
            }
        };
        report::note(Step::Delivery {
            channel: to.channel(),
            provider: provider.into(),
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
