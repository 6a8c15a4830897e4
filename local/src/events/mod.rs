//! The events on the stack's bus, and the records that functions could not handle: a page beside the inbox, and its JSON.

mod server;

pub(crate) use self::server::{Watched, router};
