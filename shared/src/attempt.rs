//! Attempts: a code is compared only after the try has been counted, and a right one is a proof.

use crate::challenge::{Challenge, ChallengePolicy, Guard};
use crate::clock::Timestamp;
use crate::code::{Binding, Code, CodeDigest};
use crate::lane::Lane;
use crate::mac::MacKey;

/// A try that has been counted, with the state it was counted in. Only [`Attempt::prove`] looks at a code,
/// so none is compared before it is counted (V01).
#[derive(Debug)]
pub struct Attempt {
    guard: Guard,
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
    pub fn bound(guard: Guard, lane: Lane, key: &str) -> Attempt {
        Attempt { guard, bound_to: Some((lane, key.to_owned())) }
    }

    /// A try at whatever lives on the open lane, counted on the identifier.
    pub fn unbound(guard: Guard) -> Attempt {
        Attempt { guard, bound_to: None }
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
            None => self.guard.unbound <= challenge.unbound_from.saturating_add(policy.attempts),
        };
        let mut proof = None;
        // All of them, also after a match: the time says nothing about which one it was.
        for (key, challenge) in &self.guard.on(lane).challenges {
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

/// The digest of `code` for one challenge of `identifier`, for [`Attempt::prove`].
///
/// A long code is compared with a bound challenge only: unbound tries match none (S04).
pub fn digest_for(code: &Code, binding: Binding<'_>, pepper: Option<&MacKey>, is_bound: bool) -> Option<CodeDigest> {
    match code {
        Code::Long(_) if !is_bound => None,
        Code::Short(_) | Code::Long(_) => Some(CodeDigest::of(code, binding, pepper?)),
    }
}
