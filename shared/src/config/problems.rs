//! The problems of all settings, in one message.

use std::fmt;

/// The problems of the settings, one line for each.
#[derive(PartialEq, Eq)]
pub struct Problems(pub(super) Vec<String>);

impl Problems {
    /// Each problem in words. It starts with the name of its setting.
    pub fn each(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid settings: {}", self.0.join("; "))
    }
}

/// The same text as `Display`, because `main` prints errors with `Debug`.
impl fmt::Debug for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Problems {}
