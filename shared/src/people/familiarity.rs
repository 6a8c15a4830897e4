//! How well Latchkey knew the client of a sign-in. A notice depends on it.

use serde::{Deserialize, Serialize};

/// How well Latchkey knew the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Familiarity {
    /// The sign-in created the user.
    SignUp,
    /// The client has shown a device token of the identifier.
    Known,
    /// A browser that keeps cookies has shown none.
    Strange,
    /// The client has shown none. It gets its tokens in bodies, and may keep none of its device.
    Unclear,
}

impl Familiarity {
    const ALL: [Familiarity; 4] = [Familiarity::SignUp, Familiarity::Known, Familiarity::Strange, Familiarity::Unclear];

    /// Its name in the table.
    pub fn name(self) -> &'static str {
        match self {
            Familiarity::SignUp => "sign_up",
            Familiarity::Known => "known",
            Familiarity::Strange => "strange",
            Familiarity::Unclear => "unclear",
        }
    }

    /// The familiarity with this name. Sessions from before it was kept have none.
    pub fn named(name: &str) -> Familiarity {
        Familiarity::ALL.into_iter().find(|one| one.name() == name).unwrap_or(Familiarity::Unclear)
    }

    /// Whether the user may want to hear of the sign-in.
    pub fn is_worth_a_notice(self) -> bool {
        matches!(self, Familiarity::Strange | Familiarity::Unclear)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_familiarity_is_found_by_its_name() {
        for one in Familiarity::ALL {
            assert_eq!(Familiarity::named(one.name()), one);
        }
        assert_eq!(Familiarity::named(""), Familiarity::Unclear);
    }
}
