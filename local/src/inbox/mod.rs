//! The inbox: every message from the stack, and the page for reading them.

mod messages;
mod requests;
mod server;
mod sms;

pub use self::messages::{Inbox, Message};
pub(crate) use self::server::{Desk, router};
pub use self::sms::{Autofill, SmsFacts};
