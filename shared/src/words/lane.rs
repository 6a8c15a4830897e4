//! Lanes: two separate sets of counters for each identifier. Strangers can use up only one of them.

/// The counters for a challenge and its attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Shared by everybody.
    Open,
    /// Only for clients with a device token, in which the user has signed in before.
    Known,
}

impl Lane {
    /// Its name in logs.
    pub fn name(self) -> &'static str {
        match self {
            Lane::Open => "open",
            Lane::Known => "known",
        }
    }
}
