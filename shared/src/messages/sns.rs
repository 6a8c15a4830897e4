//! Sends SMS through SNS.

use aws_sdk_sns::Client;
use aws_sdk_sns::operation::publish::PublishError;
use aws_sdk_sns::types::MessageAttributeValue;

use super::Text;
use super::outcome::{self, Reasoned, Sent, WhenBroken};
use super::sms_settings::{IndiaIds, SmsSettings};
use crate::aws::{Aws, Retries, endpoint};
use crate::words::{Error, Phone, Result};

/// The client for SNS.
pub(super) struct Sns {
    aws: Aws,
    client: Client,
    settings: SmsSettings,
}

impl Sns {
    /// Creates the client.
    pub(super) fn new(aws: &Aws, settings: SmsSettings) -> Sns {
        let client = Client::new(&aws.client(|endpoints| &endpoints.sns, Retries::Never));
        Sns { aws: aws.clone(), client, settings }
    }

    /// Opens the connection for the first SMS.
    pub(super) async fn connect(&self) {
        self.aws.connect(endpoint!(aws_sdk_sns, self.aws.settings(), sns), 1).await;
    }

    /// Sends `text` to the canonical number.
    ///
    /// # Errors
    /// [`Error::Internal`] when the SDK rejects the message before sending it.
    pub(super) async fn send(&self, to: &Phone, text: &Text, india: Option<&IndiaIds>) -> Result<Sent> {
        let SmsSettings { sender_id, origination_number, max_price, .. } = &self.settings;
        let mut publish = self
            .client
            .publish()
            .phone_number(to.reveal())
            .message(text.reveal())
            // A late code is worthless, so this chooses the fastest route over the cheapest.
            .message_attributes("AWS.SNS.SMS.SMSType", attribute("String", "Transactional")?);
        for (name, kind, value) in [
            ("AWS.SNS.SMS.SenderID", "String", sender_id.as_ref()),
            ("AWS.MM.SMS.OriginationNumber", "String", origination_number.as_ref()),
            ("AWS.SNS.SMS.MaxPrice", "Number", max_price.as_ref()),
            ("AWS.MM.SMS.EntityId", "String", india.map(|ids| &ids.entity)),
            ("AWS.MM.SMS.TemplateId", "String", india.map(|ids| &ids.template)),
        ] {
            if let Some(value) = value {
                publish = publish.message_attributes(name, attribute(kind, value)?);
            }
        }
        outcome::once(WhenBroken::Fail, || {
            let sending = publish.clone().send();
            async { sending.await.map(|sent| sent.message_id) }
        })
        .await
    }
}

impl Reasoned for PublishError {}

fn attribute(kind: &str, value: &str) -> Result<MessageAttributeValue> {
    MessageAttributeValue::builder().data_type(kind).string_value(value).build().map_err(Error::internal)
}
