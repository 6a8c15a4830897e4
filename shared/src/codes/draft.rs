//! Drafts: codes before the write to the table decides between the short and the long one.

use crate::codes::challenge::{ChallengePolicy, IdentifierState};
use crate::codes::code::{Binding, Code, CodeDigest, Strength};
use crate::words::{ChallengeId, Destination, Entropy, ExpiresAt, Lane, MacKey, Result};

/// A code before it is stored. Both strengths are drawn, because the choice depends on failures counted in the table.
#[derive(Debug)]
pub struct Draft {
    /// The challenge id for the client.
    pub id: ChallengeId,
    /// The digest of the challenge id, as stored in the table.
    pub key: String,
    /// The only destination of the code.
    pub to: Destination,
    /// The id of the pepper in both digests.
    pub pepper_id: String,
    /// When the code expires, whichever strength is sent.
    pub expires: ExpiresAt,
    short: (Code, CodeDigest),
    long: (Code, CodeDigest),
}

impl Draft {
    /// Draws both codes for `binding.to` and binds them to the challenge `id`. Its digest is `binding.challenge`.
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

    /// The lane of the challenge.
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

    /// The digest of that strength, for the table.
    pub fn digest(&self, strength: Strength) -> &CodeDigest {
        match strength {
            Strength::Short => &self.short.1,
            Strength::Long => &self.long.1,
        }
    }

    /// The strength of this draft in `state`. A repeated write uses this to detect that it has already succeeded.
    pub fn held_by(&self, state: &IdentifierState) -> Option<Strength> {
        let held = &state.on(self.lane()).challenges.get(&self.key)?.digest;
        [Strength::Short, Strength::Long].into_iter().find(|&strength| held.matches(self.digest(strength)))
    }
}

/// A stored draft, with the stored strength. It is ready to be sent.
#[derive(Debug)]
pub struct OutgoingCode {
    /// The stored draft.
    pub draft: Draft,
    /// The stored strength.
    pub strength: Strength,
}

impl OutgoingCode {
    /// The code, for the message.
    pub fn code(&self) -> &Code {
        self.draft.code(self.strength)
    }
}

impl Strength {
    /// The number of bound attempts for a new code of this strength.
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

    /// A repeated write recognizes only its own code.
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
