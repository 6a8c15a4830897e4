//! The services outside AWS that send messages: their settings, and the keys that the deployer has put into a secret.

use std::sync::Arc;

use crate::aws::{Aws, KeyringReader, Outside, Secrets, Warm};
use crate::config::{Check, Reader};
use crate::keys::ProviderKeys;

/// The settings of all services outside AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderSettings {
    /// The ARN of the secret with their keys. `None` if the deployment uses none of them.
    pub secret: Option<String>,
    /// Replaces Twilio's endpoint, in `local` and tests.
    pub twilio: String,
    /// Replaces SendGrid's endpoint, in `local` and tests.
    pub sendgrid: String,
}

const IS_ENDPOINT: Check = (
    |text| (text.starts_with("https://") || text.starts_with("http://")) && !text.ends_with('/'),
    "a URL without a final slash",
);

impl ProviderSettings {
    /// Reads the settings from their variables.
    pub fn read(read: &mut Reader<'_>) -> ProviderSettings {
        ProviderSettings {
            secret: ProviderKeys::read_secret(read),
            twilio: read.text("TWILIO_ENDPOINT_URL", Some("https://api.twilio.com"), IS_ENDPOINT),
            sendgrid: read.text("SENDGRID_ENDPOINT_URL", Some("https://api.sendgrid.com"), IS_ENDPOINT),
        }
    }

    /// Reports that `setting` needs the secret, if there is none.
    pub(super) fn demand(read: &mut Reader<'_>, setting: &str) {
        if read.get("PROVIDERS_SECRET_ARN").is_none() {
            read.report(format!(
                "PROVIDERS_SECRET_ARN is not set: {setting} needs the secret with the provider's keys. Set its ARN"
            ));
        }
    }
}

/// The services outside AWS, with their keys.
pub struct Providers {
    keys: KeyringReader<ProviderKeys>,
    pub(super) twilio: Outside,
    pub(super) sendgrid: Outside,
}

impl Providers {
    /// The services, or `None` if the deployment uses none of them.
    pub fn new(aws: &Aws, secrets: &Secrets, settings: &ProviderSettings) -> Option<Arc<Providers>> {
        let ProviderSettings { secret, twilio, sendgrid } = settings;
        Some(Arc::new(Providers {
            keys: secrets.keyring(secret.clone()?),
            twilio: Outside::new(aws, twilio),
            sendgrid: Outside::new(aws, sendgrid),
        }))
    }

    /// The secret to read when a function starts.
    pub fn secret(&self) -> &dyn Warm {
        &self.keys
    }

    /// The keys. An error is the reason why nothing can be sent, with the next step.
    pub(super) async fn keys(&self) -> Result<Arc<ProviderKeys>, String> {
        self.keys.keys(self.twilio.now()).await.map_err(|error| {
            let cause = error.cause().unwrap_or_else(|| error.to_string());
            format!("the providers' keys could not be read: {cause}. {}", self.remedy())
        })
    }

    /// The reason for a refusal while the keys of `service` are missing.
    pub(super) fn missing(&self, service: &str) -> String {
        format!("the secret has no {service}. {}", self.remedy())
    }

    fn remedy(&self) -> String {
        ProviderKeys::remedy(self.keys.arn())
    }
}
