//! SES: mails and mailboxes.

mod mail;
mod mailbox;

pub use self::mail::Mail;
pub(crate) use self::mail::Ses;
pub(crate) use self::mailbox::Mailbox;
