//! The request's body and the answer's.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::delivery::Channel;
use shared::draft::Draft;
use shared::error::Result;
use shared::http::Request;
use shared::identifier::Identifier;
use shared::ids::ChallengeId;
use shared::wire::{IdentifierFields, source_url};

#[derive(Deserialize)]
struct Body {
    #[serde(flatten)]
    identifier: IdentifierFields,
    challenge_id: Option<String>,
    source_url: Option<String>,
}

/// What is asked for.
pub(crate) struct Ask {
    pub(crate) identifier: Identifier,
    /// The challenge to send again.
    pub(crate) named: Option<ChallengeId>,
}

impl Ask {
    /// Reads the body. A source is checked here too, so that a client learns of a bad one at its first call; it is kept
    /// at sign-up.
    pub(crate) fn read(request: &Request) -> Result<Ask> {
        let Body { identifier, challenge_id, source_url: source } = request.json()?;
        source_url(source.as_deref())?;
        Ok(Ask { identifier: identifier.identifier()?, named: challenge_id.map(ChallengeId::from_client) })
    }
}

/// The answer: the same for everybody.
#[derive(Serialize)]
pub(crate) struct Answer<'a> {
    success: bool,
    message: &'static str,
    channel: &'static str,
    challenge_id: &'a str,
    expires_in: u64,
    retry_after: u64,
}

impl Answer<'_> {
    pub(crate) fn new<'a>(
        identifier: &Identifier,
        draft: &'a Draft,
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
            challenge_id: draft.id.reveal(),
            expires_in: life.as_secs(),
            retry_after: resend_after.as_secs(),
        }
    }
}
