//! Faults that a user or a test injects while the stack runs.
//!
//! ```json
//! {"delivery": "throttled",
//!  "aws": [{"service": "dynamodb", "operation": "UpdateItem", "error": "ThrottlingException", "times": 2},
//!          {"operation": "TransactWriteItems", "error": "timeout", "when": "after"}]}
//! ```

mod fault;
mod settings;

pub(crate) use self::fault::Fault;
pub use self::fault::Faults;
pub use self::settings::{AwsError, AwsFault, Delivery, Disorder, FaultSettings, StreamFault, When};
