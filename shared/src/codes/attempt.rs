//! Attempts: the table counts an attempt before its code is compared, and a correct code becomes a proof.

use crate::codes::challenge::{Challenge, IdentifierState};
use crate::codes::code::{Binding, Code, CodeDigest};
use crate::words::{Destination, IdentifierDigest, Lane, MacKey, Timestamp};

/// A counted attempt, with the identifier's state after the count.
///
/// Only `store` creates attempts, and only [`Attempt::prove`] compares codes, so every comparison has been counted (V01).
#[derive(Debug)]
pub struct Attempt {
    identifier: IdentifierDigest,
    state: IdentifierState,
    /// The challenge and its lane, for a bound answer.
    bound_to: Option<(Lane, String)>,
}

/// The witness of a correct code: the user can read messages to the identifier.
///
/// Only [`Attempt::prove`] creates it.
#[derive(Debug)]
pub struct ProvenCode {
    to: Destination,
    identifier: IdentifierDigest,
    lane: Lane,
    challenge: String,
    digest: CodeDigest,
}

impl Attempt {
    /// An attempt with a challenge id, counted for the challenge `key` on `lane`.
    pub(crate) fn bound(identifier: &IdentifierDigest, state: IdentifierState, lane: Lane, key: &str) -> Attempt {
        Attempt { identifier: identifier.clone(), state, bound_to: Some((lane, key.to_owned())) }
    }

    /// An attempt without a challenge id, counted for the identifier. It can match any active challenge on the open lane.
    pub(crate) fn unbound(identifier: &IdentifierDigest, state: IdentifierState) -> Attempt {
        Attempt { identifier: identifier.clone(), state, bound_to: None }
    }

    /// Compares `code` with the codes that were sent to `to`.
    ///
    /// A bound attempt is compared only with its own challenge. An unbound one is compared with every active challenge that has
    /// unbound `attempts` left. `pepper` looks up a pepper by its id; a challenge without its pepper never matches.
    pub fn prove(
        &self,
        code: &Code,
        to: &Destination,
        pepper: impl Fn(&str) -> Option<MacKey>,
        attempts: u32,
        now: Timestamp,
    ) -> Option<ProvenCode> {
        let lane = self.bound_to.as_ref().map_or(Lane::Open, |(lane, _)| *lane);
        let is_comparable = |key: &str, challenge: &Challenge| match &self.bound_to {
            Some((_, bound)) => bound == key,
            None => self.state.unbound <= challenge.unbound_from.saturating_add(attempts),
        };
        let mut proven = None;
        // Compare all of them even after a match, so that the time does not reveal the matching challenge.
        for (key, challenge) in &self.state.on(lane).challenges {
            if challenge.expires.has_passed(now) || !is_comparable(key, challenge) {
                continue;
            }
            let Some(pepper) = pepper(&challenge.pepper_id) else { continue };
            let binding = Binding { tenant: self.identifier.tenant(), to, challenge: key };
            if CodeDigest::of(code, binding, &pepper).matches(&challenge.digest) {
                proven = Some(ProvenCode {
                    to: to.clone(),
                    identifier: self.identifier.clone(),
                    lane,
                    challenge: key.clone(),
                    digest: challenge.digest.clone(),
                });
            }
        }
        proven
    }
}

impl ProvenCode {
    /// The destination of the code.
    pub fn to(&self) -> &Destination {
        &self.to
    }

    /// The digest of the proved identifier.
    pub fn identifier(&self) -> &IdentifierDigest {
        &self.identifier
    }

    /// The lane of the answered challenge.
    pub fn lane(&self) -> Lane {
        self.lane
    }

    /// The table's name for the answered challenge.
    pub fn challenge(&self) -> &str {
        &self.challenge
    }

    /// The digest of the answered code. A resend would have changed it in the table.
    pub fn digest(&self) -> &CodeDigest {
        &self.digest
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::codes::challenge::tests::{at, challenge, policy, state};
    use crate::words::{Index, Tenant};

    const NOW: u64 = 1_000_000;
    const KEY: &str = "0";
    const PEPPER: [u8; 32] = [1; 32];

    fn ada() -> (Destination, IdentifierDigest) {
        let to = Destination::of("ada@example.com".parse().unwrap(), None).unwrap();
        let digest = Index::new(MacKey::new([2; 32]), &Tenant::default()).identifier(&to.identifier());
        (to, digest)
    }

    fn digest(key: &str, code: &str) -> CodeDigest {
        let binding = Binding { tenant: &Tenant::default(), to: &ada().0, challenge: key };
        CodeDigest::of(&Code::read(code).unwrap(), binding, &MacKey::new(PEPPER))
    }

    /// Two active challenges with the codes 012345 and 012346, an expired one, and one on the known lane.
    fn living() -> IdentifierState {
        let mut state = state(&[]);
        let with =
            |key: &str, code, expires| (key.to_owned(), Challenge { digest: digest(key, code), ..challenge(expires) });
        state.open.challenges =
            [with(KEY, "012345", NOW + 600), with("1", "012346", NOW + 600), with("2", "012347", NOW)].into();
        state.known.challenges = [with("d", "012348", NOW + 600)].into();
        state
    }

    fn bound(lane: Lane, key: &str) -> Attempt {
        Attempt::bound(&ada().1, living(), lane, key)
    }

    fn proved(attempt: &Attempt, code: &str, now: u64) -> Option<(Lane, String)> {
        let code_read = Code::read(code).unwrap();
        let proven = attempt.prove(&code_read, &ada().0, |_| Some(MacKey::new(PEPPER)), policy().attempts, at(now))?;
        assert!(proven.digest().matches(&digest(proven.challenge(), code)));
        assert_eq!((proven.to(), proven.identifier()), (&ada().0, &ada().1));
        Some((proven.lane(), proven.challenge().to_owned()))
    }

    /// A proof, for tests of functions with a proof as parameter.
    pub(crate) fn proven() -> ProvenCode {
        let code = Code::read("012345").unwrap();
        let proven =
            bound(Lane::Open, KEY).prove(&code, &ada().0, |_| Some(MacKey::new(PEPPER)), policy().attempts, at(NOW));
        proven.unwrap()
    }

    #[test]
    fn a_bound_attempt_is_compared_with_its_own_challenge_until_it_ends() {
        let attempt = bound(Lane::Open, KEY);
        assert_eq!(proved(&attempt, "012345", NOW), Some((Lane::Open, KEY.to_owned())));
        assert_eq!(proved(&attempt, "012345", NOW + 599), Some((Lane::Open, KEY.to_owned())));
        assert_eq!(proved(&attempt, "012345", NOW + 600), None);
        for other in ["012346", "012347", "012348", "999999"] {
            assert_eq!(proved(&attempt, other, NOW), None, "{other}");
        }
        assert_eq!(proved(&bound(Lane::Known, KEY), "012345", NOW), None);
        let known = bound(Lane::Known, "d");
        assert_eq!(proved(&known, "012348", NOW), Some((Lane::Known, "d".to_owned())));
    }

    #[test]
    fn an_unbound_attempt_is_compared_with_what_lives_on_the_open_lane_as_often_as_a_bound_one() {
        let after = |unbound| Attempt::unbound(&ada().1, IdentifierState { unbound, ..living() });
        for (code, key) in [("012345", KEY), ("012346", "1")] {
            assert_eq!(proved(&after(3), code, NOW), Some((Lane::Open, key.to_owned())));
            assert_eq!(proved(&after(4), code, NOW), None, "the fourth of three attempts");
        }
        assert_eq!(proved(&after(1), "012347", NOW), None, "it has ended");
        assert_eq!(proved(&after(1), "012348", NOW), None, "a known browser's");
    }

    /// A pepper is deleted some time after its rotation.
    #[test]
    fn a_code_without_its_pepper_proves_nothing() {
        let attempt = bound(Lane::Open, KEY);
        let code = Code::read("012345").unwrap();
        assert!(attempt.prove(&code, &ada().0, |_| None, policy().attempts, at(NOW)).is_none());
    }

    /// V07: a code for one identifier proves nothing about another.
    #[test]
    fn a_code_proves_no_other_destination() {
        let bob = Destination::of("bob@example.com".parse().unwrap(), None).unwrap();
        let code = Code::read("012345").unwrap();
        let proven =
            bound(Lane::Open, KEY).prove(&code, &bob, |_| Some(MacKey::new(PEPPER)), policy().attempts, at(NOW));
        assert!(proven.is_none());
    }
}
