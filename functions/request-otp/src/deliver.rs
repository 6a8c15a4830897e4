//! Step 3: the send, inline and for everybody alike, so that its time says nothing (V09).

use std::time::Duration;

use shared::delivery::{Message, Sent};
use shared::draft::{Draft, Strength};
use shared::error::{Error, Result};
use shared::identifier::Identifier;

use crate::RequestOtp;

impl RequestOtp {
    /// Sends the draft's code. A send that was surely refused is taken back, and may be repeated at once.
    pub(crate) async fn deliver(
        &self,
        identifier: &Identifier,
        key: &str,
        draft: &Draft,
        strength: Strength,
        life: Duration,
    ) -> Result<()> {
        let sent = match identifier {
            Identifier::Email(email) => {
                let message = Message::with_code(&self.product, draft.code(strength), life)?;
                self.mailer.send(email, message).await?
            }
            // The policy has refused it already; SMS is the next channel.
            Identifier::Phone(_) => Sent::Refused("there is no SMS channel".to_owned()),
        };
        let Sent::Refused(reason) = sent else { return Ok(()) };
        tracing::warn!(reason, identifier = key, "the code was not sent");
        let is_free = self.table.withdraw(draft, strength, key).await?;
        let retry_after = (!is_free).then_some(self.policy.resend_after);
        Err(Error::EmailSendFailed { challenge: draft.id.reveal().to_owned(), retry_after })
    }
}
