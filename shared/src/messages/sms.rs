//! Sends SMS through the chosen provider.

use std::time::Duration;

use super::eum::Eum;
use super::outcome::Sent;
use super::sms_settings::{IndiaIds, SmsProvider, SmsSettings};
use super::sns::Sns;
use super::{Tags, Text};
use crate::aws::Aws;
use crate::words::{Phone, Result};

/// India's country code. Other countries do not share it.
const INDIA: &str = "+91";

/// The client of the chosen provider. The other one is not built.
pub(super) struct Texter {
    provider: Provider,
    india: Option<IndiaIds>,
    webotp_host: Option<String>,
}

enum Provider {
    Sns(Sns),
    Eum(Eum),
}

impl Texter {
    /// Creates the client.
    ///
    /// # Errors
    /// As [`Eum::new`].
    pub(super) fn new(aws: &Aws, settings: SmsSettings) -> Result<Texter> {
        let (india, webotp_host) = (settings.india.clone(), settings.webotp_host.clone());
        let provider = match settings.provider {
            SmsProvider::Sns => Provider::Sns(Sns::new(aws, settings)),
            SmsProvider::Eum => Provider::Eum(Eum::new(aws, settings)?),
        };
        Ok(Texter { provider, india, webotp_host })
    }

    /// Opens the connection for the first SMS.
    pub(super) async fn connect(&self) {
        match &self.provider {
            Provider::Sns(sns) => sns.connect().await,
            Provider::Eum(eum) => eum.connect().await,
        }
    }

    /// The host that the code is bound to, for the text.
    pub(super) fn webotp_host(&self) -> Option<&str> {
        self.webotp_host.as_deref()
    }

    /// Sends `text`, whose code expires after `life`, to the canonical number. SNS has no receipts, so it gets no tags.
    ///
    /// # Errors
    /// [`crate::words::Error::Internal`] when the SDK rejects the message before sending it.
    pub(super) async fn send(&self, to: &Phone, (text, tags): (&Text, &Tags), life: Duration) -> Result<Sent> {
        let india = self.india.as_ref().filter(|_| to.reveal().starts_with(INDIA));
        match &self.provider {
            Provider::Sns(sns) => sns.send(to, text, india).await,
            Provider::Eum(eum) => eum.send(to, (text, tags), life, india).await,
        }
    }
}
