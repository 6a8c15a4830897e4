//! Sends mail by the chosen services.

use std::sync::Arc;

use super::Message;
use super::email::{MailProvider, MailSettings, Tags};
use super::outcome::Sent;
use super::providers::Providers;
use super::sendgrid::SendGrid;
use super::ses::Ses;
use crate::aws::Aws;
use crate::words::{Email, Result};

/// The chosen services, in their order.
pub(super) struct Mailer(Vec<Client>);

enum Client {
    Ses(Box<Ses>),
    SendGrid(SendGrid),
}

impl Mailer {
    /// Clients that send mail in the product's name.
    ///
    /// # Errors
    /// As [`Ses::new`] and [`SendGrid::new`].
    pub(super) fn new(aws: &Aws, settings: &MailSettings, outside: Option<&Arc<Providers>>) -> Result<Mailer> {
        let client = |provider: &MailProvider| match provider {
            MailProvider::Ses => Ok(Client::Ses(Box::new(Ses::new(aws, settings)?))),
            MailProvider::SendGrid => {
                Ok(Client::SendGrid(SendGrid::new(outside, &settings.product, &settings.sender)?))
            }
        };
        settings.providers.iter().map(client).collect::<Result<_>>().map(Mailer)
    }

    /// Opens the connection for the first message. The second service is seldom needed.
    pub(super) async fn connect(&self) {
        match self.0.first() {
            Some(Client::Ses(ses)) => ses.connect().await,
            Some(Client::SendGrid(sendgrid)) => sendgrid.connect().await,
            None => {}
        }
    }

    /// Sends `message` to the canonical address. If a service has surely refused it, the next one sends the same message. The receipts
    /// have the tags. A notice has none. Also returns the name of the service with this outcome.
    ///
    /// # Errors
    /// [`crate::words::Error::Internal`] when the SDK rejects the message before sending it.
    pub(super) async fn send(
        &self,
        to: &Email,
        message: &Message,
        tags: Option<&Tags>,
    ) -> Result<(Sent, &'static str)> {
        let mut outcome = (Sent::Refused("no service sends mail".to_owned()), "none");
        for client in &self.0 {
            outcome = match client {
                Client::Ses(ses) => (ses.send(to, message, tags).await?, "ses"),
                Client::SendGrid(sendgrid) => (sendgrid.send(to, message, tags).await?, "sendgrid"),
            };
            let (Sent::Refused(reason), provider) = &outcome else { break };
            tracing::warn!(provider, reason, "the mail was refused");
        }
        Ok(outcome)
    }
}
