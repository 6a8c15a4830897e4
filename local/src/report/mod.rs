//! The report of a stack: as a page, as JSON, and as text.

mod ask;
mod page;
mod reports;
mod text;

pub use self::ask::ask;
pub(crate) use self::page::router;
pub(crate) use self::reports::Reports;
pub use self::text::text;
