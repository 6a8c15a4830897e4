//! Levels: how strongly the user of a session was proved.

/// How strongly the user of a session was proved. Access tokens have it as their claim `acr`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// By a code from a message.
    Code,
    /// By a second factor too.
    Factor,
}

/// The method that stands for a second factor in `amr` (RFC 8176).
const SECOND: &str = "mfa";

impl Level {
    /// Its name in the claim `acr`.
    pub fn name(self) -> &'static str {
        match self {
            Level::Code => "1f",
            Level::Factor => "2f",
        }
    }

    /// The level with this name.
    pub fn named(name: &str) -> Option<Level> {
        [Level::Code, Level::Factor].into_iter().find(|level| level.name() == name)
    }

    /// The level that these authentication methods reach together.
    pub fn of(methods: &[String]) -> Level {
        if methods.iter().any(|method| method == SECOND) { Level::Factor } else { Level::Code }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_found_by_its_name() {
        for level in [Level::Code, Level::Factor] {
            assert_eq!(Level::named(level.name()), Some(level));
        }
        assert_eq!(Level::named("3f"), None);
        assert!(Level::Code < Level::Factor);
    }

    #[test]
    fn only_a_second_factor_raises_the_level() {
        let of = |methods: &[&str]| Level::of(&methods.iter().map(|&method| method.to_owned()).collect::<Vec<_>>());
        assert_eq!([of(&[]), of(&["otp"]), of(&["otp", "sms"])], [Level::Code; 3]);
        assert_eq!([of(&["otp", "mfa"]), of(&["mfa"])], [Level::Factor; 2]);
    }
}
