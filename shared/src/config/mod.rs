//! Reading settings and reporting all their problems at once. Each policy defines and reads its own settings, next to
//! its fields.

mod digest;
mod problems;
mod reader;

pub use self::digest::digest;
pub use self::problems::Problems;
pub use self::reader::{Check, IS_ARN, IS_NAME, LONGEST_LIST, Reader, read};
