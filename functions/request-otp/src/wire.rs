//! The bodies of the request and the answer.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::codes::Purpose;
use shared::http::{Cookie, Delivered, Frontends, IdentifierFields, Request, TokenDelivery};
use shared::texts::Language;
use shared::words::{ChallengeId, Channel, Destination, Error, Result};

#[derive(Deserialize)]
struct Body {
    #[serde(flatten)]
    identifier: IdentifierFields,
    challenge_id: Option<String>,
    purpose: Option<Purpose>,
    /// Only verify-otp stores it. Its type is checked here too, so that a client learns about a mistake early.
    #[serde(rename = "source_url")]
    _source_url: Option<String>,
    token_delivery: Option<TokenDelivery>,
    device: Option<String>,
    /// `Request` reads it.
    #[serde(rename = "locale")]
    _locale: Option<String>,
}

/// The parsed request.
pub(crate) struct CodeRequest {
    pub(crate) to: Destination,
    /// The purpose of the code.
    pub(crate) purpose: Purpose,
    /// The challenge to resend.
    pub(crate) named: Option<ChallengeId>,
    /// Whether the client gets the challenge id in the body or as a cookie.
    pub(crate) delivery: TokenDelivery,
    /// The client's device token.
    pub(crate) device: Option<String>,
}

impl CodeRequest {
    /// Reads the body. Checks the page first: a foreign page could otherwise have codes sent from its visitors' networks.
    pub(crate) fn read(request: &Request, frontends: &Frontends) -> Result<CodeRequest> {
        request.check_page(frontends)?;
        let Body { identifier, challenge_id, purpose, token_delivery, device, .. } = request.json()?;
        let purpose = purpose.unwrap_or_default();
        // Replaced systems know no purposes, and no route takes codes for a contact yet.
        if purpose == Purpose::Contact || (purpose != Purpose::SignIn && request.is_by_alias) {
            return Err(Error::invalid("This purpose is not available here."));
        }
        let Delivered { delivery, text, .. } =
            request.delivered(frontends, token_delivery, challenge_id, Cookie::Challenge)?;
        let device = request.device_token(frontends, delivery, device)?;
        let to = identifier.destination()?;
        Ok(CodeRequest { to, purpose, named: text.map(ChallengeId::from_client), delivery, device })
    }
}

/// The answer, the same for everybody.
#[derive(Serialize)]
pub(crate) struct CodeSent<'a> {
    success: bool,
    message: &'static str,
    channel: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    challenge_id: Option<&'a str>,
    expires_in: u64,
    retry_after: u64,
}

impl CodeSent<'_> {
    /// `challenge` is in the body unless the client gets it as a cookie.
    pub(crate) fn new<'a>(
        channel: Channel,
        challenge: Option<&'a ChallengeId>,
        expires_in: Duration,
        retry_after: Duration,
        language: Language,
    ) -> CodeSent<'a> {
        CodeSent {
            success: true,
            message: channel.sent(language),
            channel: channel.name(),
            challenge_id: challenge.map(ChallengeId::reveal),
            expires_in: expires_in.as_secs(),
            retry_after: retry_after.as_secs(),
        }
    }
}
