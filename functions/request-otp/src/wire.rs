//! The request's body and the answer's.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::codes::Draft;
use shared::http::{Cookie, Delivered, Frontends, IdentifierFields, Request, TokenDelivery, source_url};
use shared::messages::Channel;
use shared::words::{ChallengeId, Identifier, Result};

#[derive(Deserialize)]
struct Body {
    #[serde(flatten)]
    identifier: IdentifierFields,
    challenge_id: Option<String>,
    source_url: Option<String>,
    token_delivery: Option<TokenDelivery>,
}

/// What is asked for.
pub(crate) struct Ask<'a> {
    pub(crate) identifier: Identifier,
    /// The challenge to send again.
    pub(crate) named: Option<ChallengeId>,
    /// How the challenge's id travels.
    pub(crate) delivery: TokenDelivery,
    /// The browser's device cookie.
    pub(crate) device: Option<&'a str>,
}

impl Ask<'_> {
    /// Reads the body. A source is checked here too, so that a client learns of a bad one at its first call; it is kept
    /// at sign-up.
    pub(crate) fn read<'a>(request: &'a Request, frontends: &Frontends) -> Result<Ask<'a>> {
        let Body { identifier, challenge_id, source_url: source, token_delivery } = request.json()?;
        source_url(source.as_deref())?;
        let Delivered { delivery, text } =
            request.delivered(frontends, token_delivery, challenge_id, Cookie::Challenge)?;
        let device = request.device_cookie(frontends, delivery)?;
        Ok(Ask { identifier: identifier.identifier()?, named: text.map(ChallengeId::from_client), delivery, device })
    }
}

/// The answer: the same for everybody.
#[derive(Serialize)]
pub(crate) struct Answer<'a> {
    success: bool,
    message: &'static str,
    channel: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    challenge_id: Option<&'a str>,
    expires_in: u64,
    retry_after: u64,
}

impl Answer<'_> {
    pub(crate) fn new<'a>(
        identifier: &Identifier,
        draft: &'a Draft,
        delivery: TokenDelivery,
        life: Duration,
        resend_after: Duration,
    ) -> Answer<'a> {
        let channel = Channel::of(identifier);
        let message = match channel {
            Channel::Email => "OTP sent to your email address",
            Channel::Sms => "OTP sent to your phone number",
        };
        Answer {
            success: true,
            message,
            channel: channel.name(),
            challenge_id: (delivery == TokenDelivery::Body).then(|| draft.id.reveal()),
            expires_in: life.as_secs(),
            retry_after: resend_after.as_secs(),
        }
    }
}
