//! Answering a code: the writes that count an attempt before the code is compared.

use super::item::{self, ATTEMPTS_LEFT, DAY, ELSEWHERE, ENDS};
use crate::codes::{Attempt, IdentifierState, Kept, MOST_ELSEWHERE, Purpose};
use crate::observe::report::{self, Step};
use crate::store::send::{MOST_ROUNDS, Written};
use crate::store::table::OtpTable;
use crate::words::{Error, IdentifierDigest, Lane, NetworkDigest, Result, Timestamp};

/// The name that no code has: names are eight characters long.
const NO_CODE: &str = "-";

impl OtpTable {
    /// Spends an attempt on the challenge `key`. Returns `None` if it has expired, is used up, is out of attempts, or never had a
    /// code of its own.
    ///
    /// One conditional write lowers the attempts before the code is compared. So a thousand parallel guesses still get only as
    /// many attempts as the policy allows (V01). No other condition can refuse it, so strangers cannot block the owner's answer.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub async fn spend_bound(
        &self,
        identifier: &IdentifierDigest,
        (lane, key): (Lane, &str),
        now: Timestamp,
    ) -> Result<Option<Attempt>> {
        let code = item::entry(Kept::Own(lane), key);
        let write = self
            .update_identifier(identifier)
            .when(code.field(ENDS).above(("now", now)))
            .when(code.field(ATTEMPTS_LEFT).at_least(1))
            .lower(code.field(ATTEMPTS_LEFT), 1);
        let attempt = match write.send().await? {
            Written::Done(item) => Some(Attempt::bound(identifier, item::read(Some(item))?, lane, key)),
            Written::Refused(_) => None,
        };
        report::note(Step::Try { bound: true, spent: attempt.is_some() });
        Ok(attempt)
    }

    /// Reads the long codes of an identifier, for an answer with a long code. It is not counted, because 64 bits withstand any
    /// number of attempts.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub async fn long_codes(&self, identifier: &IdentifierDigest) -> Result<Attempt> {
        Ok(self.long_codes_of(identifier, self.identifier(identifier).await?))
    }

    /// The same, of a state that was just read.
    pub fn long_codes_of(&self, identifier: &IdentifierDigest, state: IdentifierState) -> Attempt {
        Attempt::long(identifier, state)
    }

    /// Spends an answer without a challenge id: one attempt of each code of its `network`, and one of the day's two comparisons
    /// with the newest alias code of another network.
    ///
    /// A write is sent even if there is nothing to compare with, so that its duration reveals nothing.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when parallel requests keep changing the item, or when the table is unreachable.
    pub async fn spend_unbound(
        &self,
        identifier: &IdentifierDigest,
        network: &NetworkDigest,
        seen: IdentifierState,
        now: Timestamp,
    ) -> Result<Option<Attempt>> {
        let mut seen = seen;
        for _ in 0..MOST_ROUNDS {
            let Candidates { own, elsewhere } = Candidates::of(&seen, network, now);
            let mut write = self.update_identifier(identifier).when(
                // An item without codes refuses this write.
                item::entry(Kept::Own(Lane::Open), own.first().or(elsewhere.as_ref()).map_or(NO_CODE, |key| key))
                    .exists(),
            );
            for key in &own {
                let code = item::entry(Kept::Own(Lane::Open), key);
                write = write
                    .when(code.field(ENDS).above(("now", now)))
                    .when(code.field(ATTEMPTS_LEFT).at_least(1))
                    .lower(code.field(ATTEMPTS_LEFT), 1);
            }
            if let Some(key) = &elsewhere {
                let code = item::entry(Kept::Own(Lane::Open), key);
                write = write
                    .when(code.field(ENDS).above(("now", now)))
                    .when(DAY.is(("seen_day", Timestamp::from_unix(seen.day))))
                    .when(ELSEWHERE.below(("most_elsewhere", MOST_ELSEWHERE)))
                    .raise(ELSEWHERE, 1);
            }
            let has_none = own.is_empty() && elsewhere.is_none();
            let write = if has_none { write.raise(ELSEWHERE, 0) } else { write };
            match write.send().await? {
                Written::Done(item) => {
                    report::note(Step::Try { bound: false, spent: true });
                    let state = item::read(Some(item))?;
                    return Ok(Some(Attempt::unbound(identifier, state, &own, elsewhere.as_ref())));
                }
                Written::Refused(_) if has_none => {
                    report::note(Step::Try { bound: false, spent: false });
                    return Ok(None);
                }
                Written::Refused(item) => seen = item::read(item)?,
            }
        }
        Err(Error::unavailable("too many parallel requests change the identifier's item"))
    }
}

/// The codes that an answer without an id is compared with.
struct Candidates {
    own: Vec<String>,
    elsewhere: Option<String>,
}

impl Candidates {
    fn of(state: &IdentifierState, network: &NetworkDigest, now: Timestamp) -> Candidates {
        let live = || {
            let codes = state.open.codes.iter();
            // A code with another purpose is answered with its challenge id only.
            let codes = codes.filter(|(_, code)| code.purpose == Purpose::SignIn);
            codes.filter(|(_, code)| !code.expires.has_passed(now) && code.attempts_left > 0)
        };
        let is_own = |network_of: &str| network_of == network.short();
        let own = live().filter(|(_, code)| is_own(&code.network)).map(|(key, _)| key.clone()).collect();
        let newest = live().filter(|(_, code)| code.by_alias).max_by_key(|(_, code)| code.expires);
        let elsewhere = newest
            .filter(|(_, code)| !is_own(&code.network) && code.day == state.day && state.elsewhere < MOST_ELSEWHERE)
            .map(|(key, _)| key.clone());
        Candidates { own, elsewhere }
    }
}
