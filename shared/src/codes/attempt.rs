//! Attempts: a code is compared only after the try has been counted, and a right one is a proof.

use crate::codes::challenge::{Challenge, ChallengePolicy, IdentifierState};
use crate::codes::code::CodeDigest;
use crate::words::{Lane, Timestamp};

/// A try that has been counted, with the state it was counted in. Only [`Attempt::prove`] looks at a code,
/// so none is compared before it is counted (V01).
#[derive(Debug)]
pub struct Attempt {
    state: IdentifierState,
    /// A challenge on its lane.
    bound_to: Option<(Lane, String)>,
}

/// Someone has shown that they can read what is sent to an identifier.
///
/// Only [`Attempt::prove`] makes one, so what takes a `Proof` cannot be reached without a right code.
#[derive(Debug)]
pub struct Proof {
    lane: Lane,
    challenge: String,
    digest: CodeDigest,
}

impl Attempt {
    /// A try at the challenge `key` on `lane`, counted there.
    pub fn bound(state: IdentifierState, lane: Lane, key: &str) -> Attempt {
        Attempt { state, bound_to: Some((lane, key.to_owned())) }
    }

    /// A try at whatever lives on the open lane, counted on the identifier.
    pub fn unbound(state: IdentifierState) -> Attempt {
        Attempt { state, bound_to: None }
    }

    /// Compares: the bound challenge only, or every live one whose unbound tries are not used up.
    ///
    /// `digest` gives the code's digest for a challenge, under the pepper that it names; `None` where that is gone.
    pub fn prove(
        &self,
        digest: impl Fn(&str, &Challenge) -> Option<CodeDigest>,
        policy: &ChallengePolicy,
        now: Timestamp,
    ) -> Option<Proof> {
        let lane = self.bound_to.as_ref().map_or(Lane::Open, |(lane, _)| *lane);
        let comparable = |key: &str, challenge: &Challenge| match &self.bound_to {
            Some((_, bound)) => bound == key,
            None => self.state.unbound <= challenge.unbound_from.saturating_add(policy.attempts),
        };
        let mut proof = None;
        // All of them, also after a match: the time says nothing about which one it was.
        for (key, challenge) in &self.state.on(lane).challenges {
            if challenge.expires.has_passed(now) || !comparable(key, challenge) {
                continue;
            }
            if digest(key, challenge).is_some_and(|digest| digest.matches(&challenge.digest)) {
                proof = Some(Proof { lane, challenge: key.clone(), digest: challenge.digest.clone() });
            }
        }
        proof
    }
}

impl Proof {
    /// The lane of the challenge that was answered.
    pub fn lane(&self) -> Lane {
        self.lane
    }

    /// The challenge that was answered.
    pub fn challenge(&self) -> &str {
        &self.challenge
    }

    /// The digest that it was answered with; a code sent since then has another.
    pub fn digest(&self) -> &CodeDigest {
        &self.digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::challenge::tests::{at, challenge, policy, state};
    use crate::codes::code::{Binding, Code};
    use crate::words::{MacKey, Tenant};

    const NOW: u64 = 1_000_000;
    const KEY: &str = "0";

    fn digest(code: &str) -> CodeDigest {
        let (tenant, identifier) = (Tenant::default(), "ada@example.com".parse().unwrap());
        let binding = Binding { tenant: &tenant, identifier: &identifier, challenge: KEY };
        CodeDigest::of(&Code::read(code).unwrap(), binding, &MacKey::new([1; 32]))
    }

    /// One challenge with the code 012345 and another with 012346, both of ten minutes; beside them an older one.
    fn living() -> IdentifierState {
        let mut state = state(&[]);
        let with = |code, expires| Challenge { digest: digest(code), ..challenge(expires) };
        state.open.challenges.insert(KEY.to_owned(), with("012345", NOW + 600));
        state.open.challenges.insert("1".to_owned(), with("012346", NOW + 600));
        state.open.challenges.insert("2".to_owned(), with("012347", NOW));
        state.known.challenges.insert("d".to_owned(), with("012348", NOW + 600));
        state
    }

    fn proved(attempt: &Attempt, code: &str, now: u64) -> Option<(Lane, String)> {
        let proof = attempt.prove(|_, _| Some(digest(code)), &policy(), at(now))?;
        assert!(proof.digest().matches(&digest(code)));
        Some((proof.lane(), proof.challenge().to_owned()))
    }

    #[test]
    fn a_bound_try_is_compared_with_its_own_challenge_until_it_ends() {
        let attempt = Attempt::bound(living(), Lane::Open, KEY);
        assert_eq!(proved(&attempt, "012345", NOW), Some((Lane::Open, KEY.to_owned())));
        assert_eq!(proved(&attempt, "012345", NOW + 599), Some((Lane::Open, KEY.to_owned())));
        assert_eq!(proved(&attempt, "012345", NOW + 600), None);
        for other in ["012346", "012347", "012348", "999999"] {
            assert_eq!(proved(&attempt, other, NOW), None, "{other}");
        }
        assert_eq!(proved(&Attempt::bound(living(), Lane::Known, KEY), "012345", NOW), None);
        let known = Attempt::bound(living(), Lane::Known, "d");
        assert_eq!(proved(&known, "012348", NOW), Some((Lane::Known, "d".to_owned())));
    }

    #[test]
    fn an_unbound_try_is_compared_with_what_lives_on_the_open_lane_as_often_as_a_bound_one() {
        let after = |unbound| Attempt::unbound(IdentifierState { unbound, ..living() });
        for (code, key) in [("012345", KEY), ("012346", "1")] {
            assert_eq!(proved(&after(3), code, NOW), Some((Lane::Open, key.to_owned())));
            assert_eq!(proved(&after(4), code, NOW), None, "the fourth of three tries");
        }
        assert_eq!(proved(&after(1), "012347", NOW), None, "it has ended");
        assert_eq!(proved(&after(1), "012348", NOW), None, "a known browser's");
    }

    /// Nothing matches where the pepper is gone.
    #[test]
    fn a_code_without_its_pepper_proves_nothing() {
        let attempt = Attempt::bound(living(), Lane::Open, KEY);
        assert!(attempt.prove(|_, _| None, &policy(), at(NOW)).is_none());
    }
}
