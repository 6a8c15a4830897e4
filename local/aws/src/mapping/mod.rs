//! What invokes functions besides the API: Lambda's event source mappings for the streams of tables, schedules, and rules of buses.

mod batch;
mod courier;
mod poller;
mod scheduler;

pub use self::courier::Courier;
pub use self::poller::Poller;
pub use self::scheduler::Scheduler;
