//! The inbox: every message from the stack, and the page for reading them.

mod call;
mod direction;
mod messages;
mod requests;
mod server;
mod sms;

pub use self::call::CallFacts;
pub use self::messages::{Inbox, Message, Moment};
pub(crate) use self::server::{Desk, router};
pub use self::sms::{Autofill, SmsFacts};
