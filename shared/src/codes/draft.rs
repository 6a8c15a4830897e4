//! Drafts: codes about to be sent, before the table has said which.

use crate::codes::challenge::{ChallengePolicy, IdentifierState};
use crate::codes::code::{Binding, Code, CodeDigest, Strength};
use crate::words::{ChallengeId, Destination, Entropy, ExpiresAt, Lane, MacKey, Result};

/// A code about to be sent: drawn in both strengths, because only the table knows which one it takes.
#[derive(Debug)]
pub struct Draft {
    /// What the client is told.
    pub id: ChallengeId,
    /// What the table calls it.
    pub key: String,
    /// Where its code is to be sent, and nowhere else.
    pub to: Destination,
    /// The pepper of both digests.
    pub pepper_id: String,
    /// When either code dies.
    pub expires: ExpiresAt,
    short: (Code, CodeDigest),
    long: (Code, CodeDigest),
}

impl Draft {
    /// Draws both codes for `binding.to` and binds them to the challenge `id`, which the table calls `binding.challenge`.
    ///
    /// # Errors
    /// As [`Entropy::bytes`].
    pub fn draw(
        id: ChallengeId,
        binding: Binding<'_>,
        pepper: (&str, &MacKey),
        length: usize,
        expires: ExpiresAt,
    ) -> Result<Draft> {
        let (pepper_id, pepper) = pepper;
        let digested = |code: Code| {
            let digest = CodeDigest::of(&code, binding, pepper);
            (code, digest)
        };
        Ok(Draft {
            id,
            key: binding.challenge.to_owned(),
            to: binding.to.clone(),
            pepper_id: pepper_id.to_owned(),
            expires,
            short: digested(Code::short(&Entropy, length)?),
            long: digested(Code::long(&Entropy)?),
        })
    }

    /// The lane that it is counted on.
    pub fn lane(&self) -> Lane {
        self.id.lane()
    }

    /// The code of that strength, for the message.
    pub fn code(&self, strength: Strength) -> &Code {
        match strength {
            Strength::Short => &self.short.0,
            Strength::Long => &self.long.0,
        }
    }

    /// Its digest, for the table.
    pub fn digest(&self, strength: Strength) -> &CodeDigest {
        match strength {
            Strength::Short => &self.short.1,
            Strength::Long => &self.long.1,
        }
    }

    /// The strength in which `state` holds this very draft: a repeated write that finds its own success.
    pub fn held_by(&self, state: &IdentifierState) -> Option<Strength> {
        let held = &state.on(self.lane()).challenges.get(&self.key)?.digest;
        [Strength::Short, Strength::Long].into_iter().find(|&strength| held.matches(self.digest(strength)))
    }
}

/// A draft that the table has taken, in the strength that it has taken it.
#[derive(Debug)]
pub struct OutgoingCode {
    /// The draft.
    pub draft: Draft,
    /// The strength.
    pub strength: Strength,
}

impl OutgoingCode {
    /// The code, for the message.
    pub fn code(&self) -> &Code {
        self.draft.code(self.strength)
    }
}

impl Strength {
    /// Bound tries of a fresh code of this strength.
    pub fn tries(self, policy: &ChallengePolicy) -> u32 {
        match self {
            Strength::Short => policy.attempts,
            Strength::Long => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::challenge::Challenge;
    use crate::codes::challenge::tests::{challenge, policy, state};
    use crate::words::{Tenant, Timestamp};

    fn draft() -> Draft {
        let to = Destination::of("ada@example.com".parse().unwrap(), None).unwrap();
        let id = ChallengeId::draw(&Entropy, Lane::Open).unwrap();
        let binding = Binding { tenant: &Tenant::default(), to: &to, challenge: "key" };
        let expires = ExpiresAt::at(Timestamp::from_unix(600));
        Draft::draw(id, binding, ("pepper", &MacKey::new([1; 32])), 6, expires).unwrap()
    }

    /// A repeated write knows its own success by the code that is there, and nobody else's.
    #[test]
    fn a_draft_is_found_in_the_strength_that_was_written() {
        let draft = draft();
        let held = |digest: &CodeDigest| {
            let mut state = state(&[]);
            let written = Challenge { digest: digest.clone(), ..challenge(600) };
            state.open.challenges.insert(draft.key.clone(), written);
            draft.held_by(&state)
        };
        for strength in [Strength::Short, Strength::Long] {
            assert_eq!(held(draft.digest(strength)), Some(strength));
        }
        assert_eq!(held(self::draft().digest(Strength::Short)), None);
        assert_eq!(draft.held_by(&state(&[])), None);
    }

    #[test]
    fn a_long_code_has_one_try() {
        assert_eq!([Strength::Short, Strength::Long].map(|strength| strength.tries(&policy())), [3, 1]);
    }
}
