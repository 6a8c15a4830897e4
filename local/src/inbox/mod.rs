//! The inbox: every message that the stack has sent, as its reader would see it, and the page that shows them.

mod messages;
mod requests;
mod server;
mod sms;

pub use self::messages::{Inbox, Message};
pub(crate) use self::server::{Desk, router};
pub use self::sms::{Autofill, Encoding, SmsFacts};
