//! SES: mails, and the mailboxes that they go to.

mod mail;
mod mailbox;

pub use self::mail::Mail;
pub(crate) use self::mail::Ses;
pub(crate) use self::mailbox::Mailbox;
