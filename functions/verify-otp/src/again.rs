//! Step 4: a client whose answer was lost sends it again, and gets the session that it has opened.

use shared::admission::{Admission, Admitted};
use shared::http::RequestKeys;
use shared::observe::report::{self, Step};
use shared::words::{Error, Index, Result};

use crate::prove::Answer;
use crate::{Entered, VerifyOtp};

impl VerifyOtp {
    /// The session that the same answer has opened, if it was opened within the grace period and has not been refreshed (S161).
    ///
    /// The session's id is derived from challenge id, code and retry key. A stranger has no retry key, so they find no session, and
    /// every refused answer with a retry key costs the same read.
    ///
    /// # Errors
    /// [`Error::InvalidOtp`] if there is no such session; [`Error::Unavailable`] when a table is unreachable.
    pub(crate) async fn enter_again(
        &self,
        answer: &Answer<'_>,
        keys: &RequestKeys<'_>,
        index: &Index<'_>,
    ) -> Result<Entered> {
        let (users, id) = (self.users.of(index.tenant()), answer.session.as_ref().ok_or(Error::InvalidOtp)?);
        let session = users.session(id).await?;
        let session = session.filter(|session| session.may_be_answered_again(&self.sessions, answer.now));
        let session = session.filter(|session| keys.admit(session)).ok_or(Error::InvalidOtp)?;
        let (user, state) =
            tokio::try_join!(users.user(session.user()), self.challenges.identifier(answer.code.identifier()))?;
        let user = user.filter(|user| user.has(session.id())).ok_or(Error::InvalidOtp)?;
        report::note(Step::AnsweredAgain);
        let is_new = user.joined == session.created();
        let admission = Admission::In(Box::new(Admitted { user, session, is_new }));
        Ok(Entered { admission, epoch: state.epoch })
    }
}
