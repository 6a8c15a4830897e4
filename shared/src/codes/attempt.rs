//! Attempts: a code is compared only after the attempt has been counted, and a right one is a proof.

use crate::codes::challenge::{Challenge, IdentifierState};
use crate::codes::code::{Binding, Code, CodeDigest};
use crate::words::{Destination, IdentifierDigest, Lane, MacKey, Timestamp};

/// An attempt that has been counted, with the state it was counted in. Only [`Attempt::prove`] looks at a code, and only
/// `store` makes attempts, so no code is compared before it is counted (V01).
#[derive(Debug)]
pub struct Attempt {
    identifier: IdentifierDigest,
    state: IdentifierState,
    /// A challenge on its lane.
    bound_to: Option<(Lane, String)>,
}

/// A right code: someone has shown that they can read what is sent to an identifier.
///
/// Only [`Attempt::prove`] makes one.
#[derive(Debug)]
pub struct ProvenCode {
    to: Destination,
    identifier: IdentifierDigest,
    lane: Lane,
    challenge: String,
    digest: CodeDigest,
}

impl Attempt {
    /// An attempt at the challenge `key` on `lane`, counted there.
    pub(crate) fn bound(identifier: &IdentifierDigest, state: IdentifierState, lane: Lane, key: &str) -> Attempt {
        Attempt { identifier: identifier.clone(), state, bound_to: Some((lane, key.to_owned())) }
    }

    /// An attempt at whatever lives on the open lane, counted on the identifier.
    pub(crate) fn unbound(identifier: &IdentifierDigest, state: IdentifierState) -> Attempt {
        Attempt { identifier: identifier.clone(), state, bound_to: None }
    }

    /// Compares `code` as one that was sent to `to`: with the bound challenge only, or with every live one whose unbound
    /// `attempts` are not used up. `pepper` finds a pepper by its name; nothing matches where it is gone.
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
        // All of them, also after a match: the time says nothing about which one it was.
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
    /// Where the code was sent.
    pub fn to(&self) -> &Destination {
        &self.to
    }

    /// The digest of the identifier that is proved.
    pub fn identifier(&self) -> &IdentifierDigest {
        &self.identifier
    }

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

    /// One challenge with the code 012345 and another with 012346, both of ten minutes; beside them an older one.
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

    /// A proof for tests of what needs one.
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

    /// Nothing matches where the pepper is gone.
    #[test]
    fn a_code_without_its_pepper_proves_nothing() {
        let attempt = bound(Lane::Open, KEY);
        let code = Code::read("012345").unwrap();
        assert!(attempt.prove(&code, &ada().0, |_| None, policy().attempts, at(NOW)).is_none());
    }

    /// V07: the attempt was counted on one identifier, and a code for another proves nothing there.
    #[test]
    fn a_code_proves_no_other_destination() {
        let bob = Destination::of("bob@example.com".parse().unwrap(), None).unwrap();
        let code = Code::read("012345").unwrap();
        let proven =
            bound(Lane::Open, KEY).prove(&code, &bob, |_| Some(MacKey::new(PEPPER)), policy().attempts, at(NOW));
        assert!(proven.is_none());
    }
}
