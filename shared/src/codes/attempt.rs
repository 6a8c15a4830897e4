//! Attempts: the table counts an attempt at a code with digits before the code is compared, and a correct code becomes a proof.

use crate::codes::challenge::{IdentifierState, Kept};
use crate::codes::code::{Binding, Code, CodeDigest};
use crate::codes::messages::SendName;
use crate::codes::purpose::Purpose;
use crate::words::{Destination, Error, IdentifierDigest, Lane, MacKey, Result, Timestamp};

/// A counted attempt, with the identifier's state after the count. Only an attempt at long codes is not counted, because 64 bits
/// withstand any number of attempts.
///
/// Only `store` creates attempts, and only [`Attempt::prove`] compares codes, so every comparison of digits has been counted
/// (V01).
#[derive(Debug)]
pub struct Attempt {
    identifier: IdentifierDigest,
    state: IdentifierState,
    /// The codes that it may match.
    among: Vec<(Kept, String)>,
    /// The code among them that another network asked for through an alias, if any.
    elsewhere: Option<String>,
}

/// The witness of a correct code: the user can read messages to the identifier.
///
/// Only [`Attempt::prove`] creates it.
#[derive(Debug)]
pub struct ProvenCode {
    to: Destination,
    purpose: Purpose,
    identifier: IdentifierDigest,
    kept: Kept,
    key: String,
    digest: CodeDigest,
    is_from_elsewhere: bool,
    state: IdentifierState,
}

/// The witness of a correct code that was asked for to sign in.
///
/// Only [`ProvenCode::for_sign_in`] creates it, so that no session comes from a code with another purpose (S274).
#[derive(Debug)]
pub struct SignInCode(ProvenCode);

/// The witness of a correct code that was asked for to step up.
///
/// Only [`ProvenCode::for_step_up`] creates it (S274).
#[derive(Debug)]
pub struct StepUpCode(ProvenCode);

/// The token, attempts and counts returned by a right answer, computed from the state that its write expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// The attempts charged in a row before, and those of the codes that stay under way.
    pub charged_in_a_row: [u32; 2],
    /// The day of the charges, if attempts of that day are given back.
    pub day: Option<u64>,
    /// The attempts given back, of codes with the usual digits or of those with eight.
    pub attempts: u32,
    /// Whether the code had eight digits because of the day's charges.
    pub is_eight: bool,
    /// Whether the day's count of comparisons from elsewhere goes down by one.
    pub elsewhere: bool,
    /// Whether a text is given back.
    pub text: bool,
}

impl Attempt {
    /// An attempt at the challenge `key` on `lane`, counted there.
    pub(crate) fn bound(identifier: &IdentifierDigest, state: IdentifierState, lane: Lane, key: &str) -> Attempt {
        let among = vec![(Kept::Own(lane), key.to_owned())];
        Attempt { identifier: identifier.clone(), state, among, elsewhere: None }
    }

    /// An attempt at all long codes of the identifier.
    pub(crate) fn long(identifier: &IdentifierDigest, state: IdentifierState) -> Attempt {
        let among = state.long.keys().map(|key| (Kept::Long, key.clone())).collect();
        Attempt { identifier: identifier.clone(), state, among, elsewhere: None }
    }

    /// An attempt without a challenge id, counted for its network's codes `own` and for the code from `elsewhere`.
    pub(crate) fn unbound(
        identifier: &IdentifierDigest,
        state: IdentifierState,
        own: &[String],
        elsewhere: Option<&String>,
    ) -> Attempt {
        let among = own.iter().chain(elsewhere).map(|key| (Kept::Own(Lane::Open), key.clone())).collect();
        Attempt { identifier: identifier.clone(), state, among, elsewhere: elsewhere.cloned() }
    }

    /// Whether there is a code to compare with.
    pub fn compares(&self, now: Timestamp) -> bool {
        self.among.iter().any(|(kept, key)| self.state.live(*kept, key, now).is_some())
    }

    /// Whether it was the last attempt of a code.
    pub fn is_last(&self) -> bool {
        self.among.iter().any(|(kept, key)| match kept {
            // An attempt from elsewhere is not counted at its code.
            Kept::Own(lane) if self.elsewhere.as_ref() != Some(key) => {
                self.state.on(*lane).codes.get(key).is_some_and(|code| code.attempts_left == 0)
            }
            Kept::Own(_) | Kept::Long => false,
        })
    }

    /// Compares `code` with the codes that were sent to `to` for `purpose`. `pepper` looks up a pepper by its id; a code without its pepper
    /// never matches.
    pub fn prove(
        &self,
        code: &Code,
        (to, purpose): (&Destination, Purpose),
        pepper: impl Fn(&str) -> Option<MacKey>,
        now: Timestamp,
    ) -> Option<ProvenCode> {
        let mut proven = None;
        // Compare all of them even after a match, so that the time does not reveal the matching code.
        for (kept, key) in &self.among {
            let Some((digest, pepper_id)) = self.state.live(*kept, key, now) else { continue };
            let Some(pepper) = pepper(pepper_id) else { continue };
            let binding = Binding { tenant: self.identifier.tenant(), to, purpose, challenge: key };
            if CodeDigest::of(code, binding, &pepper).matches(digest) {
                proven = Some(ProvenCode {
                    to: to.clone(),
                    purpose,
                    identifier: self.identifier.clone(),
                    kept: *kept,
                    key: key.clone(),
                    digest: digest.clone(),
                    is_from_elsewhere: self.elsewhere.as_ref() == Some(key),
                    state: self.state.clone(),
                });
            }
        }
        proven
    }
}

impl IdentifierState {
    /// The digest and pepper of a code under way.
    pub fn live(&self, kept: Kept, key: &str, now: Timestamp) -> Option<(&CodeDigest, &str)> {
        let (digest, pepper_id, expires) = match kept {
            Kept::Own(lane) => {
                self.on(lane).codes.get(key).map(|code| (&code.digest, code.pepper_id.as_str(), code.expires))?
            }
            Kept::Long => self.long.get(key).map(|code| (&code.digest, code.pepper_id.as_str(), code.expires))?,
        };
        (!expires.has_passed(now)).then_some((digest, pepper_id))
    }

    /// The counts returned by the write that uses up a code, in this state.
    pub(crate) fn settle(&self, code: &ProvenCode, now: Timestamp) -> Settlement {
        let mut under_way = 0;
        let mut used = None;
        for lane in [Lane::Open, Lane::Known] {
            for (key, own) in &self.on(lane).codes {
                if code.kept == Kept::Own(lane) && code.key == *key {
                    used = Some(own);
                } else if !own.expires.has_passed(now) {
                    under_way += own.attempts_left;
                }
            }
        }
        let used = used.filter(|own| own.day == self.day);
        let text = self.texts > 0
            && code.to.channel().is_to_phones()
            && match code.kept {
                Kept::Own(Lane::Open) => used.is_some(),
                Kept::Own(Lane::Known) => false,
                Kept::Long => self.long.get(&code.key).is_some_and(|long| long.sent().day() == self.day),
            };
        let elsewhere = code.is_from_elsewhere && self.elsewhere > 0;
        // An answer from elsewhere has spent none of the code's own attempts, any other has spent one.
        let spent = u32::from(!code.is_from_elsewhere);
        Settlement {
            charged_in_a_row: [self.charged_in_a_row, under_way.min(self.charged_in_a_row)],
            day: (used.is_some() || elsewhere || text).then_some(self.day),
            attempts: used.map_or(0, |own| own.attempts_left + spent),
            is_eight: used.is_some_and(|own| own.is_eight),
            elsewhere,
            text,
        }
    }
}

impl SignInCode {
    /// The correct code.
    pub fn proven(&self) -> &ProvenCode {
        &self.0
    }
}

impl StepUpCode {
    /// The correct code.
    pub fn proven(&self) -> &ProvenCode {
        &self.0
    }
}

impl ProvenCode {
    /// The same as a reason for a session.
    ///
    /// # Errors
    /// [`Error::InvalidOtp`] for a code with another purpose.
    pub fn for_sign_in(self) -> Result<SignInCode> {
        if self.purpose == Purpose::SignIn { Ok(SignInCode(self)) } else { Err(Error::InvalidOtp) }
    }

    /// The same as a reason for a step-up.
    ///
    /// # Errors
    /// [`Error::InvalidOtp`] for a code with another purpose.
    pub fn for_step_up(self) -> Result<StepUpCode> {
        if self.purpose == Purpose::StepUp { Ok(StepUpCode(self)) } else { Err(Error::InvalidOtp) }
    }

    /// The destination of the code.
    pub fn to(&self) -> &Destination {
        &self.to
    }

    /// The purpose of the code.
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// The digest of the proved identifier.
    pub fn identifier(&self) -> &IdentifierDigest {
        &self.identifier
    }

    /// Where the code is kept, and its name there.
    pub fn entry(&self) -> (Kept, &str) {
        (self.kept, &self.key)
    }

    /// The digest of the answered code. A resend would have changed it in the table.
    pub fn digest(&self) -> &CodeDigest {
        &self.digest
    }

    /// The provider's id of the message with the code, if a receipt has told it.
    pub fn message(&self) -> Option<&str> {
        let number = match self.kept {
            Kept::Own(lane) => self.state.on(lane).codes.get(&self.key)?.sends,
            Kept::Long => 1,
        };
        let name = SendName { kept: self.kept, key: self.key.clone(), number };
        self.state.message.as_ref()?.id_of(&name.to_string())
    }

    /// Whether it is a long code. The identifier is under attack then.
    pub fn is_long(&self) -> bool {
        self.kept == Kept::Long
    }

    /// The identifier's state when its attempt was counted.
    pub fn state(&self) -> &IdentifierState {
        &self.state
    }
}

#[cfg(test)]
pub(crate) mod tests;
