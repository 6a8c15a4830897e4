//! What invokes functions besides the API: Lambda's event source mappings for the streams of tables, and schedules.

mod batch;
mod poller;
mod scheduler;

pub use self::poller::Poller;
pub use self::scheduler::Scheduler;
