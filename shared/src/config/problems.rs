//! What is wrong with an environment, in one message.

use std::fmt;

/// What is wrong with the settings, one line for each.
#[derive(PartialEq, Eq)]
pub struct Problems(pub(super) Vec<String>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the environment is not usable: {}", self.0.join("; "))
    }
}

/// The same as `Display`: `main` prints this one.
impl fmt::Debug for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Problems {}
