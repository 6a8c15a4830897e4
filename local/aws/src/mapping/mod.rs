//! The callers of functions besides the API: Lambda's event source mappings for the streams of tables, schedules, rules of buses, and SNS.

mod batch;
mod courier;
mod poller;
mod scheduler;
mod topics;

pub use self::courier::Courier;
pub use self::poller::Poller;
pub use self::scheduler::Scheduler;
pub use self::topics::{Topics, notification};
