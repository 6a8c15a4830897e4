//! Purposes: what a code is for. A code opens only what it was asked for (S270).

use serde::Deserialize;

use crate::observe::report::Word;

/// What a code is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// It opens a session.
    #[default]
    SignIn,
    /// It confirms a request of a session.
    StepUp,
    /// It proves an address or a number that a user adds.
    Contact,
}

impl Purpose {
    /// All purposes.
    pub const ALL: [Purpose; 3] = [Purpose::SignIn, Purpose::StepUp, Purpose::Contact];

    /// Its name in the API and in logs.
    pub fn name(self) -> &'static str {
        match self {
            Purpose::SignIn => "sign_in",
            Purpose::StepUp => "step_up",
            Purpose::Contact => "contact",
        }
    }

    /// Its name in the notes of a request. Most codes are for a sign-in, and have none.
    pub fn noted(self) -> Option<Word> {
        (self != Purpose::SignIn).then(|| self.name().into())
    }

    /// Its mark in the entry of a code. Codes for a sign-in have none.
    pub(crate) fn mark(self) -> Option<&'static str> {
        match self {
            Purpose::SignIn => None,
            Purpose::StepUp => Some("s"),
            Purpose::Contact => Some("c"),
        }
    }

    /// The purpose of an entry with this mark. A mark of a later version is certainly none of a sign-in.
    pub(crate) fn of_mark(mark: Option<&str>) -> Purpose {
        match mark {
            None => Purpose::SignIn,
            Some("s") => Purpose::StepUp,
            Some(_) => Purpose::Contact,
        }
    }

    /// Its name in digests and sealed ids. The one of sign-in is that of all codes before there were purposes.
    pub(super) fn bound(self) -> &'static str {
        match self {
            Purpose::SignIn => "sign-in",
            Purpose::StepUp => "step-up",
            Purpose::Contact => "contact",
        }
    }
}
