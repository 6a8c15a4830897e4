//! Sends SMS and calls through AWS End User Messaging.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_pinpointsmsvoicev2::Client;
use aws_sdk_pinpointsmsvoicev2::operation::send_text_message::SendTextMessageError;
use aws_sdk_pinpointsmsvoicev2::operation::send_voice_message::SendVoiceMessageError;
use aws_sdk_pinpointsmsvoicev2::types::{
    ConflictExceptionReason, DestinationCountryParameterKey, MessageType, VoiceId, VoiceMessageBodyTextType,
};

use super::outcome::{self, Reasoned, Sent, WhenBroken};
use super::phone_channels::VoiceSettings;
use super::sms_settings::{IndiaIds, SmsSettings};
use super::{Script, Tags, Text};
use crate::aws::{Aws, Retries, endpoint};
use crate::words::{Error, Money, Phone, Result};

/// The name of the table in the context of a message. The template's rule has it too.
const IN: &str = "in";

/// The client for AWS End User Messaging.
pub(super) struct Eum {
    aws: Aws,
    client: Client,
    /// The pool, number or name that sends.
    identity: String,
    configuration_set: String,
    max_price: Option<String>,
    /// The table in which the receipts belong.
    receipts_in: String,
}

impl Eum {
    /// Creates the client.
    ///
    /// # Errors
    /// [`Error::Internal`] without a sender or a configuration set, which [`SmsSettings::read`] demands.
    pub(super) fn new(aws: &Aws, settings: SmsSettings) -> Result<Eum> {
        let identity = settings.eum_identity().map(str::to_owned);
        let SmsSettings { configuration_set, max_price, receipts_in, .. } = settings;
        let missing = || Error::internal("an SMS has no sender or no configuration set");
        // The service demands a decimal point.
        let max_price = max_price.and_then(|price| Money::read(&price)).map(|price| price.to_string());
        Ok(Eum {
            aws: aws.clone(),
            client: Client::new(&aws.client(|endpoints| &endpoints.sms_voice, Retries::Never)),
            identity: identity.ok_or_else(missing)?,
            configuration_set: configuration_set.ok_or_else(missing)?,
            max_price,
            receipts_in,
        })
    }

    /// Opens the connection for the first SMS.
    pub(super) async fn connect(&self) {
        self.aws.connect(endpoint!(aws_sdk_pinpointsmsvoicev2, self.aws.settings(), sms_voice), 1).await;
    }

    /// Sends `text` to the canonical number. After `life` its code is expired, so it is not delivered any more. The message's events
    /// have its tags and the table, by which a rule of the stack finds them. The service expects to hear whether the code was used
    /// ([`Feedback`](crate::aws::Feedback)).
    ///
    /// # Errors
    /// [`Error::Internal`] when the SDK rejects the message before sending it.
    pub(super) async fn send(
        &self,
        to: &Phone,
        (text, tags): (&Text, &Tags),
        life: Duration,
        india: Option<&IndiaIds>,
    ) -> Result<Sent> {
        let mut send = self
            .client
            .send_text_message()
            .destination_phone_number(to.reveal())
            .origination_identity(&self.identity)
            .message_body(text.reveal())
            .message_type(MessageType::Transactional)
            .configuration_set_name(&self.configuration_set)
            .set_context(Some(context(tags, &self.receipts_in)))
            .message_feedback_enabled(true)
            .set_max_price(self.max_price.clone())
            .time_to_live(i32::try_from(life.as_secs()).map_err(Error::internal)?);
        if let Some(IndiaIds { entity, template }) = india {
            send = send
                .destination_country_parameters(DestinationCountryParameterKey::InEntityId, entity)
                .destination_country_parameters(DestinationCountryParameterKey::InTemplateId, template);
        }
        outcome::once(WhenBroken::Fail, || {
            let sending = send.clone().send();
            async { sending.await.map(|sent| sent.message_id) }
        })
        .await
    }
}

/// The entries that the service repeats in each event of a message.
fn context(tags: &Tags, receipts_in: &str) -> HashMap<String, String> {
    let entries = tags.iter().map(|(name, value)| (*name, value.as_str())).chain([(IN, receipts_in)]);
    entries.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Each operation of an SDK has an error type of its own, with the same reasons.
macro_rules! reasoned {
    ($error:ident) => {
        /// For example, the number has opted out, or its country is blocked.
        impl Reasoned for $error {
            fn reason(&self) -> Option<&str> {
                match self {
                    $error::AccessDeniedException(error) => error.reason().map(|reason| reason.as_str()),
                    $error::ConflictException(error) => error.reason().map(|reason| reason.as_str()),
                    $error::ServiceQuotaExceededException(error) => error.reason().map(|reason| reason.as_str()),
                    $error::ValidationException(error) => error.reason().map(|reason| reason.as_str()),
                    _ => None,
                }
            }

            fn is_opt_out(&self) -> bool {
                matches!(self, $error::ConflictException(error) if is_opt_out(error.reason()))
            }
        }
    };
}

reasoned!(SendTextMessageError);
reasoned!(SendVoiceMessageError);

/// The person has opted out, or the deployer's account blocks the number or its country.
fn is_opt_out(reason: Option<&ConflictExceptionReason>) -> bool {
    use ConflictExceptionReason::{
        DestinationCountryBlockedByProtectConfiguration as Country,
        DestinationPhoneNumberBlockedByProtectNumberOverride as Number, DestinationPhoneNumberOptedOut as OptedOut,
    };
    reason.is_some_and(|reason| [OptedOut, Number, Country].contains(reason))
}

/// The client for calls.
pub(super) struct EumVoice {
    client: Client,
    number: String,
    configuration_set: Option<String>,
    max_price: Option<String>,
    receipts_in: String,
}

impl EumVoice {
    /// Creates the client.
    pub(super) fn new(aws: &Aws, settings: VoiceSettings) -> EumVoice {
        let client = Client::new(&aws.client(|endpoints| &endpoints.sms_voice, Retries::Never));
        let VoiceSettings { number, configuration_set, max_price, receipts_in, .. } = settings;
        let max_price = max_price.map(|price| price.to_string());
        EumVoice { client, number, configuration_set, max_price, receipts_in }
    }

    /// Calls the canonical number and speaks `script`. A call that waits for longer than `life` is not made any more. Its events have its
    /// tags and the table, as those of a text.
    ///
    /// # Errors
    /// [`Error::Internal`] when the SDK rejects the call before making it.
    pub(super) async fn call(&self, to: &Phone, (script, tags): (&Script, &Tags), life: Duration) -> Result<Sent> {
        let call = self
            .client
            .send_voice_message()
            .destination_phone_number(to.reveal())
            .origination_identity(&self.number)
            .message_body(script.ssml())
            .message_body_text_type(VoiceMessageBodyTextType::Ssml)
            .voice_id(VoiceId::from(script.speaker()))
            .set_configuration_set_name(self.configuration_set.clone())
            .set_max_price_per_minute(self.max_price.clone())
            .set_context(Some(context(tags, &self.receipts_in)))
            .message_feedback_enabled(true)
            .time_to_live(i32::try_from(life.as_secs()).map_err(Error::internal)?);
        outcome::once(WhenBroken::Fail, || {
            let calling = call.clone().send();
            async { calling.await.map(|sent| sent.message_id) }
        })
        .await
    }
}
