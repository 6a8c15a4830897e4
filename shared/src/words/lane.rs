//! Lanes: two sets of counters beside one another, so that strangers cannot use up what an owner's own browser needs.

/// On which counters of an identifier a challenge is begun and failed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Those of everybody.
    Open,
    /// Those of browsers in which the identifier has been proved before: they show its device cookie.
    Known,
}

impl Lane {
    /// The word for it in a log.
    pub fn name(self) -> &'static str {
        match self {
            Lane::Open => "open",
            Lane::Known => "known",
        }
    }
}
