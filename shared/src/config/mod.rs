//! Reading settings, and reporting all that is wrong with them at once. Which settings there are is known where they are used:
//! each policy reads its own variables, beside its fields.

mod problems;
mod reader;

pub use self::problems::Problems;
pub use self::reader::{Check, IS_ARN, IS_NAME, LONGEST_LIST, Reader, read};
