//! Lambda's event source mappings: batches of a table's stream go to a function.

mod batch;
mod poller;

pub use self::poller::Poller;
