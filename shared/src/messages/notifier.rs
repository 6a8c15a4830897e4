//! Sends notices.

use std::sync::Arc;

use super::outcome::Sent;
use super::{MailSettings, Mailer, Notice, Providers};
use crate::admission::NoticePermit;
use crate::aws::Aws;
use crate::texts::Language;
use crate::words::{Error, Result};

/// The client for notices. It has no way to send a code.
pub struct Notifier {
    product: String,
    mailer: Mailer,
}

impl Notifier {
    /// A client that sends in the product's name.
    ///
    /// # Errors
    /// [`crate::words::Error::Internal`] when the name does not fit into a header.
    pub fn new(aws: &Aws, mail: MailSettings, outside: Option<&Arc<Providers>>) -> Result<Notifier> {
        Ok(Notifier { mailer: Mailer::new(aws, &mail, outside)?, product: mail.product })
    }

    /// Sends `notice` to the address of the permit (S230).
    ///
    /// # Errors
    /// [`crate::words::Error::Internal`] when the SDK rejects the message before sending it.
    pub async fn send(&self, permit: NoticePermit, notice: &Notice<'_>, language: Language) -> Result<Sent> {
        let message = notice.message(language, &self.product)?;
        self.mailer.send(permit.to(), &message, None).await.map(|(sent, _)| sent)
    }

    /// The same for a caller that can do nothing about an outcome except to report it.
    ///
    /// # Errors
    /// As [`Notifier::send`]; [`Error::Unavailable`] if the notice may not have been sent.
    pub async fn deliver(&self, permit: NoticePermit, notice: &Notice<'_>, language: Language) -> Result<()> {
        match self.send(permit, notice, language).await? {
            Sent::Accepted(_) => Ok(()),
            // The notice may be on its way, and may come twice then.
            Sent::Unclear(reason) | Sent::Refused(reason) | Sent::OptedOut(reason) => Err(Error::unavailable(reason)),
            Sent::Lost => Err(Error::unavailable("the connection to the mail service broke")),
        }
    }
}
