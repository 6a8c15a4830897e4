//! SMS by SNS.

use aws_sdk_sns::Client;
use aws_sdk_sns::types::MessageAttributeValue;

use super::{Sent, Text, outcome};
use crate::aws::{Aws, Retries, endpoint};
use crate::words::{Error, Phone, Result};

/// How SMS are sent: what the deployer has registered, where there is something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SmsSettings {
    /// 1 to 11 letters and digits that a phone shows instead of a number, in countries that allow it.
    pub sender_id: Option<String>,
    /// The number that SMS come from, in countries that ask for one.
    pub origination_number: Option<String>,
    /// The most that one message may cost, in US dollars; SNS does not deliver a dearer one (S72).
    pub max_price: Option<String>,
    /// The frontend's host, whose pages a browser may fill the code into.
    pub webotp_host: Option<String>,
}

/// The way to SNS.
pub struct Texter {
    aws: Aws,
    client: Client,
    settings: SmsSettings,
}

impl Texter {
    /// SMS as the settings say.
    pub fn new(aws: &Aws, settings: SmsSettings) -> Texter {
        let client = Client::new(&aws.client(|endpoints| &endpoints.sns, Retries::Never));
        Texter { aws: aws.clone(), client, settings }
    }

    /// Opens the connection that the first message goes over.
    pub async fn connect(&self) {
        self.aws.connect(endpoint!(aws_sdk_sns, self.aws.settings(), sns), 1).await;
    }

    /// The host that the code is bound to, for the text.
    pub fn webotp_host(&self) -> Option<&str> {
        self.settings.webotp_host.as_deref()
    }

    /// Sends `text` to the canonical number.
    ///
    /// # Errors
    /// [`Error::Internal`] when the message cannot even be put together.
    pub async fn send(&self, to: &Phone, text: Text) -> Result<Sent> {
        let SmsSettings { sender_id, origination_number, max_price, .. } = &self.settings;
        let mut publish = self
            .client
            .publish()
            .phone_number(to.reveal())
            .message(text.reveal())
            // A code is worth nothing later: the route that delivers soonest, not the cheapest.
            .message_attributes("AWS.SNS.SMS.SMSType", attribute("String", "Transactional")?);
        for (name, kind, value) in [
            ("AWS.SNS.SMS.SenderID", "String", sender_id),
            ("AWS.MM.SMS.OriginationNumber", "String", origination_number),
            ("AWS.SNS.SMS.MaxPrice", "Number", max_price),
        ] {
            if let Some(value) = value {
                publish = publish.message_attributes(name, attribute(kind, value)?);
            }
        }
        outcome::once(|| {
            let sending = publish.clone().send();
            async { sending.await.map(|_| ()) }
        })
        .await
    }
}

fn attribute(kind: &str, value: &str) -> Result<MessageAttributeValue> {
    MessageAttributeValue::builder().data_type(kind).string_value(value).build().map_err(Error::internal)
}
