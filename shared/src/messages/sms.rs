//! Sends SMS through the chosen provider.

use std::sync::Arc;

use super::eum::Eum;
use super::outcome::Sent;
use super::sms_settings::{IndiaIds, SmsProvider, SmsSettings};
use super::sns::Sns;
use super::twilio::{self, Twilio};
use super::{CodeMessage, Providers, Text};
use crate::aws::Aws;
use crate::words::{Error, Phone, Result};

/// India's country code. Other countries do not share it.
const INDIA: &str = "+91";

/// The client of the chosen provider. The others are not built.
pub(super) struct Texter {
    provider: Provider,
    india: Option<IndiaIds>,
    webotp_host: Option<String>,
}

enum Provider {
    Sns(Sns),
    Eum(Eum),
    Twilio(Twilio, twilio::Sender, Option<String>),
}

impl Texter {
    /// Creates the client.
    ///
    /// # Errors
    /// As [`Eum::new`] and [`Twilio::new`].
    pub(super) fn new(aws: &Aws, settings: SmsSettings, outside: Option<&Arc<Providers>>) -> Result<Texter> {
        let (india, webotp_host) = (settings.india.clone(), settings.webotp_host.clone());
        let provider = match settings.provider {
            SmsProvider::Sns => Provider::Sns(Sns::new(aws, settings)),
            SmsProvider::Eum => Provider::Eum(Eum::new(aws, settings)?),
            SmsProvider::Twilio => {
                let sender = settings.twilio_sender().ok_or_else(|| Error::internal("an SMS has no sender"))?;
                Provider::Twilio(Twilio::new(outside)?, sender, settings.max_price)
            }
        };
        Ok(Texter { provider, india, webotp_host })
    }

    /// Opens the connection for the first SMS.
    pub(super) async fn connect(&self) {
        match &self.provider {
            Provider::Sns(sns) => sns.connect().await,
            Provider::Eum(eum) => eum.connect().await,
            Provider::Twilio(twilio, ..) => twilio.connect().await,
        }
    }

    /// Whether a carrier of the number delivers only the registered text.
    pub(super) fn is_text_registered(&self, to: &Phone) -> bool {
        self.india.is_some() && to.reveal().starts_with(INDIA)
    }

    /// The host that the code is bound to, for the text.
    pub(super) fn webotp_host(&self) -> Option<&str> {
        self.webotp_host.as_deref()
    }

    /// Sends `text` to the canonical number. SNS has no receipts, so it gets no tags. Also returns the provider's name.
    ///
    /// # Errors
    /// [`crate::words::Error::Internal`] when the SDK rejects the message before sending it.
    pub(super) async fn send(
        &self,
        to: &Phone,
        text: &Text,
        message: &CodeMessage<'_>,
    ) -> Result<(Sent, &'static str)> {
        let india = self.india.as_ref().filter(|_| to.reveal().starts_with(INDIA));
        Ok(match &self.provider {
            Provider::Sns(sns) => (sns.send(to, text, india).await?, "sns"),
            Provider::Eum(eum) => (eum.send(to, (text, &message.tags), message.life, india).await?, "eum"),
            Provider::Twilio(twilio, sender, max_price) => {
                (twilio.send_text((to, text), (sender, max_price.as_deref()), message).await?, "twilio")
            }
        })
    }
}
