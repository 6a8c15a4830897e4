//! Steps 1 and 2: an answer, and what it tells about its client.

use shared::admission::{OpenedCode, TypedCode};
use shared::codes::{Purpose, known_device_since};
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

    /// When the device token of the client that gave the right answer was issued, and how well the client is known. A sign-up is
    /// decided later.
    pub(crate) fn familiarity(&self, index: &Index<'_>, epoch: u32) -> (Option<Timestamp>, Familiarity) {
        let SubmittedCode { to, device, delivery, .. } = self.submitted;
        let since = |device: &String| known_device_since(device, &to.identifier(), index, epoch, self.now);
        let known_since = device.as_ref().and_then(since);
        let familiarity = match (known_since, delivery) {
            (Some(_), _) => Familiarity::Known,
            (None, TokenDelivery::Cookie) => Familiarity::Strange,
            (None, TokenDelivery::Body) => Familiarity::Unclear,
        };
        (known_since, familiarity)
    }
}
