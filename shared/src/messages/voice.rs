//! Speaks codes in calls.

use std::time::Duration;

use super::eum::EumVoice;
use super::outcome::Sent;
use super::phone_channels::{VoiceProvider, VoiceSettings};
use super::{Script, Tags};
use crate::aws::Aws;
use crate::words::{Phone, Result};

/// The client of the chosen provider.
pub(super) enum Caller {
    Eum(EumVoice),
}

impl Caller {
    /// Creates the client.
    pub(super) fn new(aws: &Aws, settings: VoiceSettings) -> Caller {
        match settings.provider {
            VoiceProvider::Eum => Caller::Eum(EumVoice::new(aws, settings)),
        }
    }

    /// Calls the canonical number, within the life of the code.
    ///
    /// # Errors
    /// [`crate::words::Error::Internal`] when the SDK rejects the call before making it.
    pub(super) async fn call(&self, to: &Phone, (script, tags): (&Script, &Tags), life: Duration) -> Result<Sent> {
        match self {
            Caller::Eum(eum) => eum.call(to, (script, tags), life).await,
        }
    }
}
