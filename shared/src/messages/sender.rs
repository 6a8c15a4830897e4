//! Sends codes within the request, in the same way for every identifier, so that response times reveal nothing (V09).

use std::time::Duration;

use futures_util::future::join_all;

use super::outcome::Sent;
use super::{MailSettings, Mailer, Message, SmsSettings, Tags, Text, Texter};
use crate::admission::Permit;
use crate::aws::Aws;
use crate::codes::Code;
use crate::observe::report::{self, Step};
use crate::words::{Channel, Destination, Result};

/// The clients for mail and SMS.
pub struct Sender {
    product: String,
    mailer: Mailer,
    texter: Texter,
}

impl Sender {
    /// Clients that send in the product's name.
    ///
    /// # Errors
    /// [`crate::words::Error::Internal`] when the name does not fit into a header.
    pub fn new(aws: &Aws, mail: MailSettings, sms: SmsSettings) -> Result<Sender> {
        Ok(Sender { product: mail.product.clone(), mailer: Mailer::new(aws, mail)?, texter: Texter::new(aws, sms) })
    }

    /// Opens a connection for the first message by each of `channels`.
    pub async fn warm(&self, channels: impl IntoIterator<Item = Channel>) {
        let connect = async |channel| match channel {
            Channel::Email => self.mailer.connect().await,
            Channel::Sms => self.texter.connect().await,
        };
        join_all(channels.into_iter().map(connect)).await;
    }

    /// Sends `code`, which expires after `life`, to the canonical address only (V20). The permit is for this address and one
    /// message (S160).
    ///
    /// # Errors
    /// [`crate::words::Error::Internal`] when the SDK rejects the message before sending it.
    pub async fn send(&self, permit: Permit<'_>, code: &Code, life: Duration, tags: Tags) -> Result<Sent> {
        let to = permit.to();
        let (sent, country) = match to {
            Destination::Email(email) => {
                let message = Message::with_code(&self.product, code, life)?;
                (self.mailer.send(email, message, tags).await?, None)
            }
            Destination::Sms(phone) => {
                let text = Text::with_code(&self.product, code, life, self.texter.webotp_host());
                (self.texter.send(phone, text).await?, phone.plan().country)
            }
        };
        report::note(Step::Delivery {
            channel: to.channel(),
            country: country.map(|country| country.code().into()),
            refused: if let Sent::Refused(reason) = &sent { Some(reason.clone()) } else { None },
            unknown: match &sent {
                Sent::Unclear(reason) => Some(reason.clone()),
                Sent::Lost => Some("the connection broke".to_owned()),
                Sent::Accepted(_) | Sent::Refused(_) => None,
            },
            message: if let Sent::Accepted(id) = &sent { id.clone() } else { None },
        });
        if !matches!(sent, Sent::Refused(_)) {
            permit.spend();
        }
        Ok(sent)
    }
}
