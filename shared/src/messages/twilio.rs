//! Sends SMS, calls and WhatsApp messages through Twilio.

use std::sync::Arc;
use std::time::Duration;

use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use data_encoding::BASE64;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::json;

use super::outcome::{self, Reasoned, Sent, WhenBroken};
use super::providers::Providers;
use super::webhook::twilio_webhook;
use super::{CodeMessage, Script, SmsSettings, Text};
use crate::aws::Told;
use crate::keys::TwilioKeys;
use crate::words::{Error, Phone, Result};

/// The client for Twilio.
pub(super) struct Twilio {
    providers: Arc<Providers>,
}

/// Who sends an SMS, as a member of the request.
pub(super) type Sender = (&'static str, String);

/// The members of a request.
type Form<'a> = [(&'static str, &'a str)];

/// The characters that a form has as they are.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The language whose template serves the languages without one.
const USUAL: &str = "en";

/// Twilio's code for a number that has opted out.
const OPTED_OUT: &str = "21610";

/// Twilio's error, without its text, which may contain the number.
#[derive(Deserialize)]
struct Refusal {
    code: u32,
}

/// The answer about a new message or call.
#[derive(Deserialize)]
struct Made {
    sid: String,
}

impl Twilio {
    /// Creates the client.
    ///
    /// # Errors
    /// [`Error::Internal`] without the secret, which the settings demand.
    pub(super) fn new(providers: Option<&Arc<Providers>>) -> Result<Twilio> {
        let providers = providers.ok_or_else(|| Error::internal("Twilio needs the providers' secret"))?;
        Ok(Twilio { providers: providers.clone() })
    }

    /// Opens the connection for the first message.
    pub(super) async fn connect(&self) {
        self.providers.twilio.connect().await;
    }

    /// Sends `text` to the canonical number. After the life of its code it is not delivered any more.
    pub(super) async fn send_text(
        &self,
        (to, text): (&Phone, &Text),
        (sender, max_price): (&Sender, Option<&str>),
        message: &CodeMessage<'_>,
    ) -> Result<Sent> {
        let life = seconds(message.life);
        let form = [("To", to.reveal()), (sender.0, &sender.1), ("Body", text.reveal()), ("ValidityPeriod", &life)];
        let max_price = max_price.map(|price| ("MaxPrice", price));
        self.create("Messages", &form.into_iter().chain(max_price).collect::<Vec<_>>(), message).await
    }

    /// Calls the canonical number from `number` and speaks `script`.
    pub(super) async fn call(
        &self,
        (to, script): (&Phone, &Script),
        number: &str,
        message: &CodeMessage<'_>,
    ) -> Result<Sent> {
        let form = [("To", to.reveal()), ("From", number), ("Twiml", &script.twiml())];
        self.create("Calls", &form, message).await
    }

    /// Sends a code to the canonical number, with the account's template for the language, or the one for English. Meta admits no free text.
    pub(super) async fn send_whatsapp(&self, to: &Phone, number: &str, message: &CodeMessage<'_>) -> Result<Sent> {
        let keys = match self.providers.keys().await {
            Ok(keys) => keys,
            Err(reason) => return Ok(Sent::Refused(reason)),
        };
        let templates = keys.twilio.as_ref().map(|keys| &keys.whatsapp_templates);
        let template = templates.and_then(|all| all.get(message.language.tag()).or_else(|| all.get(USUAL)));
        let Some(template) = template else {
            return Ok(Sent::Refused(self.providers.missing("twilio.whatsapp_templates")));
        };
        let address = |number: &str| format!("whatsapp:{number}");
        let (to, number, life) = (address(to.reveal()), address(number), seconds(message.life));
        let code = json!({ "1": message.code.reveal() }).to_string();
        let form = [
            ("To", to.as_str()),
            ("From", &number),
            ("ContentSid", template),
            ("ContentVariables", &code),
            ("ValidityPeriod", &life),
        ];
        self.create("Messages", &form, message).await
    }

    /// Makes a message or a call, and asks to hear what becomes of it.
    async fn create(&self, what: &str, form: &Form<'_>, message: &CodeMessage<'_>) -> Result<Sent> {
        let keys = match self.providers.keys().await {
            Ok(keys) => keys,
            Err(reason) => return Ok(Sent::Refused(reason)),
        };
        let Some(TwilioKeys { account, auth_token, .. }) = &keys.twilio else {
            return Ok(Sent::Refused(self.providers.missing("twilio")));
        };
        let service = &self.providers.twilio;
        let webhook = twilio_webhook(&message.api, &message.tags, service.now());
        let form = form.iter().copied().chain([("StatusCallback", webhook.as_str())]);
        let field = |(name, value): (&str, &str)| format!("{name}={}", utf8_percent_encode(value, PLAIN));
        let body = form.map(field).collect::<Vec<_>>().join("&");
        let credentials = BASE64.encode(format!("{account}:{}", auth_token.expose_secret()).as_bytes());
        let headers = [
            ("authorization", &*format!("Basic {credentials}")),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let path = format!("/2010-04-01/Accounts/{}/{what}.json", utf8_percent_encode(account, PLAIN));
        outcome::once(WhenBroken::Fail, || async {
            let made = service.post(&path, &headers, body.clone(), code).await?;
            Ok(serde_json::from_slice::<Made>(&made.body).ok().map(|made| made.sid))
        })
        .await
    }
}

impl SmsSettings {
    /// The sender for Twilio: a messaging service, a number or a name.
    pub(super) fn twilio_sender(&self) -> Option<Sender> {
        let service = self.pool.clone().map(|service| ("MessagingServiceSid", service));
        let named = self.origination_number.clone().or(self.sender_id.clone());
        service.or(named.map(|name| ("From", name)))
    }
}

impl Reasoned for Told {
    fn is_opt_out(&self) -> bool {
        self.code() == Some(OPTED_OUT)
    }
}

fn code(body: &[u8]) -> Option<String> {
    serde_json::from_slice::<Refusal>(body).ok().map(|refusal| refusal.code.to_string())
}

fn seconds(life: Duration) -> String {
    life.as_secs().to_string()
}
