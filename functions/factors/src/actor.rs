//! The actor of a request: a signed-in user, or one whose sign-in has to enrol first.

use shared::factors::{Pending, PendingSeal, Waiting};
use shared::http::{Cookie, Delivered, Request, TokenDelivery};
use shared::sessions::Subject;
use shared::words::{ChallengeId, Error, Result, Timestamp};

use crate::Factors;

pub(crate) enum Actor {
    /// The session of an access token.
    Session(Subject),
    /// A sign-in that has to enrol (S98), and how its tokens travel.
    Enrolling(Pending, TokenDelivery),
}

impl Factors {
    /// A `challenge_id` in the body, or one in a cookie without an access token, means an enrolment.
    pub(crate) async fn actor(
        &self,
        request: &Request,
        challenge: Option<String>,
        asked: Option<TokenDelivery>,
        now: Timestamp,
    ) -> Result<Actor> {
        if challenge.is_none() && request.bearer().is_ok() {
            return self.checker.subject(request, now).await.map(Actor::Session);
        }
        let Delivered { delivery, text, .. } =
            request.delivered(&self.frontends, asked, challenge, Cookie::Challenge)?;
        let id = ChallengeId::from_client(text.ok_or(Error::InvalidToken)?);
        let keys = self.refresh.keys(now).await?;
        let pending = PendingSeal::new(&keys, request.tenant()).open(&id, now).ok_or(Error::InvalidOtp)?;
        match pending.waiting {
            Waiting::Enrolment(_) => Ok(Actor::Enrolling(pending, delivery)),
            Waiting::SignIn(_) | Waiting::Enrolled(_) | Waiting::StepUp { .. } => Err(Error::InvalidOtp),
        }
    }
}
