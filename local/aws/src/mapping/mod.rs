//! What invokes functions besides the API: Lambda's event source mappings for the streams of tables, schedules, and SNS.

mod batch;
mod poller;
mod scheduler;
mod topics;

pub use self::poller::Poller;
pub use self::scheduler::Scheduler;
pub use self::topics::{Topics, notification};
