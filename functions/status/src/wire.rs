//! The bodies of the request and the answer.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::http::{Cookie, Delivered, Frontends, IdentifierFields, Request, TokenDelivery};
use shared::words::{ChallengeId, Channel, Destination, Result};

#[derive(Deserialize)]
struct Body {
    #[serde(flatten)]
    identifier: IdentifierFields,
    challenge_id: Option<String>,
    token_delivery: Option<TokenDelivery>,
}

/// The parsed request.
pub(crate) struct Question {
    pub(crate) to: Destination,
    /// The challenge in question.
    pub(crate) challenge: Option<ChallengeId>,
}

impl Question {
    /// Reads the body. Checks the page first: a foreign page could otherwise use up the questions of its visitors' networks.
    pub(crate) fn read(request: &Request, frontends: &Frontends) -> Result<Question> {
        request.check_page(frontends)?;
        let Body { identifier, challenge_id, token_delivery } = request.json()?;
        let Delivered { text, .. } = request.delivered(frontends, token_delivery, challenge_id, Cookie::Challenge)?;
        Ok(Question { to: identifier.destination()?, challenge: text.map(ChallengeId::from_client) })
    }
}

/// The answer.
#[derive(Serialize)]
pub(crate) struct Status {
    success: bool,
    state: &'static str,
    channel: &'static str,
    expires_in: u64,
    retry_after: u64,
    /// The actions that a client may take now, or after `retry_after`.
    can: Vec<&'static str>,
}

impl Status {
    pub(crate) fn new(
        state: &'static str,
        channel: Channel,
        (expires_in, retry_after): (Duration, Duration),
        can: Vec<&'static str>,
    ) -> Status {
        let (expires_in, retry_after) = (expires_in.as_secs(), retry_after.as_secs());
        Status { success: true, state, channel: channel.name(), expires_in, retry_after, can }
    }

    /// The answer about a challenge that nobody can answer any more, or that never was.
    pub(crate) fn over(channel: Channel) -> Status {
        Status::new("over", channel, (Duration::ZERO, Duration::ZERO), Vec::new())
    }
}
