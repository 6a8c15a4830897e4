//! SES: mails, mailboxes, and what becomes of a mail.

mod mail;
mod mailbox;
mod sending;

pub use self::mail::Mail;
pub(crate) use self::mail::Ses;
pub(crate) use self::mailbox::Mailbox;
pub use self::sending::{MailEvent, Sending};
