//! Sends mail through SendGrid (API v3).

use std::sync::Arc;

use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};

use super::email::AUTOMATIC;
use super::outcome::{self, Sent, WhenBroken};
use super::providers::Providers;
use super::{Message, Tags};
use crate::codes::SENT_AT;
use crate::keys::SendGridKeys;
use crate::words::{Email, Error, Result};

/// The client for SendGrid.
pub(super) struct SendGrid {
    providers: Arc<Providers>,
    product: String,
    sender: String,
}

/// SendGrid's errors, by the members that they are about. Their texts may contain the address.
#[derive(Deserialize)]
struct Refusal {
    errors: Vec<Problem>,
}

#[derive(Deserialize)]
struct Problem {
    field: Option<String>,
}

impl SendGrid {
    /// A client that sends mail in the product's name.
    ///
    /// # Errors
    /// [`Error::Internal`] without the secret, which the settings demand.
    pub(super) fn new(providers: Option<&Arc<Providers>>, product: &str, sender: &str) -> Result<SendGrid> {
        let providers = providers.ok_or_else(|| Error::internal("SendGrid needs the providers' secret"))?;
        Ok(SendGrid { providers: providers.clone(), product: product.to_owned(), sender: sender.to_owned() })
    }

    /// Opens the connection for the first message.
    pub(super) async fn connect(&self) {
        self.providers.sendgrid.connect().await;
    }

    /// Sends `message` to the canonical address. SendGrid returns the tags with each event. A notice has none.
    pub(super) async fn send(&self, to: &Email, message: &Message, tags: Option<&Tags>) -> Result<Sent> {
        let keys = match self.providers.keys().await {
            Ok(keys) => keys,
            Err(reason) => return Ok(Sent::Refused(reason)),
        };
        let Some(SendGridKeys { api_key, .. }) = &keys.sendgrid else {
            return Ok(Sent::Refused(self.providers.missing("sendgrid")));
        };
        let headers =
            [("authorization", &*format!("Bearer {}", api_key.expose_secret())), ("content-type", "application/json")];
        let body = self.body(to, message, tags).to_string();
        outcome::once(WhenBroken::SendAgain, || async {
            Ok(self.providers.sendgrid.post("/v3/mail/send", &headers, body.clone(), field).await?.id)
        })
        .await
    }

    /// Tracking would rewrite links and add an image. A bounce or complaint from before suppresses nothing: the stack's own holds end after
    /// a day, and SendGrid would accept each mail to such an address and drop it.
    fn body(&self, to: &Email, message: &Message, tags: Option<&Tags>) -> Value {
        let sent = self.providers.sendgrid.now().unix().to_string();
        let tags = tags.map(|tags| tags.iter().map(|(name, value)| (*name, value.as_str())));
        let tags = tags.map(|tags| tags.chain([(SENT_AT, sent.as_str())]).collect());
        let tags: serde_json::Map<String, Value> = tags.map(named).unwrap_or_default();
        json!({
            "personalizations": [{ "to": [{ "email": to.reveal() }] }],
            "from": { "email": self.sender, "name": self.product },
            "subject": message.subject,
            "content": [
                { "type": "text/plain", "value": message.text },
                { "type": "text/html", "value": message.html },
            ],
            "headers": named(AUTOMATIC.to_vec()),
            "custom_args": tags,
            "mail_settings": {
                "bypass_bounce_management": { "enable": true },
                "bypass_spam_management": { "enable": true },
                "bypass_unsubscribe_management": { "enable": true },
            },
            "tracking_settings": {
                "click_tracking": { "enable": false, "enable_text": false },
                "open_tracking": { "enable": false },
                "subscription_tracking": { "enable": false },
            },
        })
    }
}

fn named(all: Vec<(&str, &str)>) -> serde_json::Map<String, Value> {
    all.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect()
}

fn field(body: &[u8]) -> Option<String> {
    let refusal: Refusal = serde_json::from_slice(body).ok()?;
    refusal.errors.into_iter().find_map(|problem| problem.field)
}
