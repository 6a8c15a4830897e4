//! Speaks codes in calls.

use std::sync::Arc;

use super::eum::EumVoice;
use super::outcome::Sent;
use super::phone_channels::{VoiceProvider, VoiceSettings};
use super::twilio::Twilio;
use super::{CodeMessage, Providers, Script};
use crate::aws::Aws;
use crate::words::{Phone, Result};

/// The client of the chosen provider.
pub(super) enum Caller {
    Eum(EumVoice),
    /// With the number that calls.
    Twilio(Twilio, String),
}

impl Caller {
    /// Creates the client.
    ///
    /// # Errors
    /// As [`Twilio::new`].
    pub(super) fn new(aws: &Aws, settings: VoiceSettings, outside: Option<&Arc<Providers>>) -> Result<Caller> {
        Ok(match settings.provider {
            VoiceProvider::Eum => Caller::Eum(EumVoice::new(aws, settings)),
            VoiceProvider::Twilio => Caller::Twilio(Twilio::new(outside)?, settings.number),
        })
    }

    /// Calls the canonical number. Only AWS End User Messaging bounds the wait for a call by the life of its code. Also returns the
    /// provider's name.
    ///
    /// # Errors
    /// [`crate::words::Error::Internal`] when the SDK rejects the call before making it.
    pub(super) async fn call(
        &self,
        to: &Phone,
        script: &Script,
        message: &CodeMessage<'_>,
    ) -> Result<(Sent, &'static str)> {
        Ok(match self {
            Caller::Eum(eum) => (eum.call(to, (script, &message.tags), message.life).await?, "eum"),
            Caller::Twilio(twilio, number) => (twilio.call((to, script), number, message).await?, "twilio"),
        })
    }
}
