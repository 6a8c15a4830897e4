//! The checks before a notice is sent. A notice follows a right code, so nobody can ask for one to somebody else's address.
//!
//! A stolen mailbox or number could still sign in again and again. So a user gets five notices a day, and five more after each
//! sign-out everywhere, such as a disavowal. The link in any of them ends all sessions.
//!
//! Notices do not count against the day's mails. Each belongs to a code that did, so there are at most as many.

use crate::people::User;
use crate::store::{Claimed, Occasion, RecordTable};
use crate::words::{Email, Error, Identifier, Result, Timestamp};

/// The notices of one user and day.
const MOST_A_DAY: u32 = 5;

/// Decides about notices.
pub struct NoticeGate {
    table: RecordTable,
}

/// The permission to send one notice to the address of one user. Only [`NoticeGate::claim`] makes it.
pub struct NoticePermit {
    to: Email,
}

impl NoticePermit {
    /// The only address that the notice may go to.
    pub fn to(&self) -> &Email {
        &self.to
    }
}

impl NoticeGate {
    /// Decides by the rows of `table`.
    pub fn new(table: RecordTable) -> NoticeGate {
        NoticeGate { table }
    }

    /// Claims the notice to `user` about `of`, lets `send` send it, and notes that it is sent. Returns whether this call sent it.
    ///
    /// # Errors
    /// As [`NoticeGate::claim`] and `send`. The claim then runs out, and the notice can be claimed again.
    pub async fn send_once<F: Future<Output = Result<()>>>(
        &self,
        user: &User,
        of: Occasion<'_>,
        send: impl FnOnce(NoticePermit) -> F,
        now: Timestamp,
    ) -> Result<bool> {
        let Some(permit) = self.claim(user, of, now).await? else { return Ok(false) };
        send(permit).await?;
        self.note_sent(of).await;
        Ok(true)
    }

    /// Claims the notice to `user` about `of`. `None` if the user has no address, the notice was sent, or the user had enough
    /// notices this day.
    ///
    /// # Errors
    /// [`Error::Unavailable`] while another invocation is at the same notice, or when the table is unreachable. Lambda brings the
    /// event again, because the other invocation may fail.
    pub async fn claim(&self, user: &User, of: Occasion<'_>, now: Timestamp) -> Result<Option<NoticePermit>> {
        let address = user.identifiers().find_map(|identifier| match identifier {
            Identifier::Email(email) => Some(email),
            Identifier::Phone(_) => None,
        });
        // No SMS: it costs money, and its text would teach people to follow links in texts.
        let Some(to) = address else { return Ok(None) };
        match self.table.claim_notice(of, MOST_A_DAY, now).await? {
            Claimed::Ours => Ok(Some(NoticePermit { to })),
            Claimed::Sent => Ok(None),
            Claimed::Busy => Err(Error::unavailable("another invocation sends this notice")),
            Claimed::Full => {
                tracing::warn!(event = "notices_full", user = %of.user, "the user has had enough notices today");
                Ok(None)
            }
        }
    }

    /// Notes that the notice about `of` is sent. If this fails, an event that comes again sends it again, so it is only logged.
    async fn note_sent(&self, of: Occasion<'_>) {
        if let Err(error) = self.table.note_notice(of).await {
            tracing::warn!(cause = error.cause(), user = %of.user, "a notice is sent, and not noted as sent");
        }
    }
}
