//! Steps 1 and 2: an answer, and what it tells about its client.

use shared::admission::{OpenedCode, TypedCode};
use shared::codes::{Purpose, is_known_device};
use shared::http::TokenDelivery;
use shared::people::Familiarity;
use shared::words::{Error, Index, Network, Result, SessionId, Timestamp};

use crate::wire::SubmittedCode;

/// An answer, and where it came from.
pub(crate) struct Answer<'a> {
    pub(crate) submitted: &'a SubmittedCode,
    pub(crate) code: OpenedCode<'a>,
    /// The session that it opens, if it can be repeated: it names a challenge and has a retry key.
    pub(crate) session: Option<SessionId>,
    pub(crate) now: Timestamp,
}

impl<'a> Answer<'a> {
    /// Opens the challenge id.
    ///
    /// # Errors
    /// [`Error::InvalidOtp`] for an id that we did not seal for this identifier, unless it may be in a cookie by chance. It costs no
    /// call.
    pub(crate) fn new(
        submitted: &'a SubmittedCode,
        network: Network,
        index: &Index<'_>,
        now: Timestamp,
    ) -> Result<Answer<'a>> {
        let SubmittedCode { to, code: typed, challenge, .. } = submitted;
        let typed = TypedCode { code: typed, challenge: challenge.as_ref(), to, network, purpose: Purpose::SignIn };
        let code = typed.open(index, now);
        if !code.is_bound() && challenge.is_some() && !submitted.may_be_foreign {
            return Err(Error::InvalidOtp);
        }
        let challenge = challenge.as_ref().filter(|_| code.is_bound());
        let repeatable = challenge.zip(submitted.retry.as_ref());
        let session = repeatable.map(|(id, retry)| index.session(id, submitted.code.reveal(), retry));
        Ok(Answer { submitted, code, session, now })
    }

    /// How well the client is known that gave the right answer. A sign-up is decided later.
    pub(crate) fn familiarity(&self, index: &Index<'_>, epoch: u32) -> Familiarity {
        let SubmittedCode { to, device, delivery, .. } = self.submitted;
        let is_ours = |device: &String| is_known_device(device, &to.identifier(), index, epoch, self.now);
        match (device.as_ref().is_some_and(is_ours), delivery) {
            (true, _) => Familiarity::Known,
            (false, TokenDelivery::Cookie) => Familiarity::Strange,
            (false, TokenDelivery::Body) => Familiarity::Unclear,
        }
    }
}
