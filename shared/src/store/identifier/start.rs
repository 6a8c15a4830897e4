//! Starting a challenge: the write that begins one, alone or next to active ones.

use super::item::{
    self, CHALLENGES, ENDS, Entry, FAILURES, HOUR_START, KEPT_FOR, KNOWN_CHALLENGES, KNOWN_FAILURES, KNOWN_STARTED,
    NEWEST, Names, STARTED, STARTED_BY, UNBOUND, UNBOUND_END,
};
use super::rules::{is_not_waiting, strength_fits};
use crate::codes::{ChallengePolicy, Draft, HOUR, IdentifierState, Join, OutgoingCode, Start, Strength};
use crate::keys::LONGEST_CODE;
use crate::store::expression::{Condition, Value, all, any, is_new};
use crate::store::row::TTL;
use crate::store::send::{MOST_ROUNDS, Written};
use crate::store::table::{Item, OtpTable};
use crate::store::write::Update;
use crate::words::{Error, IdentifierDigest, Lane, NetworkDigest, Result, Timestamp};

/// A request for a code, as the table needs it.
#[derive(Clone, Copy)]
pub struct ChallengeRequest<'a> {
    /// The identifier's digest.
    pub identifier: &'a IdentifierDigest,
    /// The digest of the client's network.
    pub network: &'a NetworkDigest,
    /// The rules for challenges.
    pub policy: &'a ChallengePolicy,
    /// The current time.
    pub now: Timestamp,
}

impl OtpTable {
    /// Puts a new code into the challenge of `again`, or begins a challenge with `new`.
    ///
    /// # Errors
    /// As [`IdentifierState::start`] and [`IdentifierState::resend`]; [`Error::Unavailable`] when parallel requests keep changing
    /// the item, or when the table is unreachable.
    pub async fn begin(&self, again: Option<Draft>, new: Draft, request: ChallengeRequest<'_>) -> Result<OutgoingCode> {
        match again {
            Some(again) => self.resend(again, new, request).await,
            None => {
                let strength = self.start(&new, request, None).await?;
                Ok(OutgoingCode { draft: new, strength })
            }
        }
    }

    /// Begins a challenge with one of the draft's two codes and returns the strength of that code.
    pub(super) async fn start(
        &self,
        draft: &Draft,
        request: ChallengeRequest<'_>,
        seen: Option<IdentifierState>,
    ) -> Result<Strength> {
        let ChallengeRequest { network, policy, now, .. } = request;
        let lane = draft.lane();
        let mut seen = seen;
        for _ in 0..MOST_ROUNDS {
            // Usually the item is missing or holds only expired data. So the first write goes out without a read.
            let start = match &seen {
                Some(state) => {
                    let start = state.start(lane, network, policy, now);
                    start.inspect_err(|error| item::note_refusal(error, state, lane))?
                }
                None => Start::Fresh(Strength::Short),
            };
            let (write, strength) = match start {
                Start::Fresh(strength) => (self.begin_alone(draft, request, strength)?, strength),
                Start::Join(join) => (self.join(draft, request, &join)?, join.strength),
            };
            match write.send().await? {
                Written::Done(item) => {
                    item::note("begun", &item::read(item)?, lane, strength == Strength::Long);
                    return Ok(strength);
                }
                Written::Refused(item) => seen = item.map(item::read).transpose()?,
            }
            // The SDK retries a write after a lost answer. The retry is refused because the first attempt succeeded.
            if let Some(strength) = seen.as_ref().and_then(|state| draft.held_by(state)) {
                return Ok(strength);
            }
        }
        Err(Error::unavailable("too many parallel requests change the identifier's item"))
    }

    /// The first challenge of an hour while all earlier ones have expired. Resets all counts except the failures.
    fn begin_alone(&self, draft: &Draft, request: ChallengeRequest<'_>, strength: Strength) -> Result<Update<'_>> {
        let ChallengeRequest { identifier, policy, now, .. } = request;
        let nothing_lives = all([
            HOUR_START.at_most(("hour_ago", now.before(HOUR))),
            NEWEST.at_most(("longest_code_ago", now.before(LONGEST_CODE))),
            may_begin(draft.lane(), strength, policy, now),
        ]);
        let challenges = Item::from([(draft.key.clone(), Entry::first(draft, strength, policy, now, 0)?)]);
        let write = self
            .update_identifier(identifier)
            .when(any([is_new(), nothing_lives]))
            .set(HOUR_START, ("now", now))
            .set(NEWEST, ("now", now))
            .set(STARTED_BY, first_share(draft.lane(), request))
            .set(UNBOUND, 0)
            .set_if_missing(FAILURES, 0)
            .set_if_missing(KNOWN_FAILURES, 0)
            .set(TTL, now.after(KEPT_FOR));
        Ok(match draft.lane() {
            Lane::Open => write
                .set(CHALLENGES, challenges)
                .set(STARTED, 1)
                .set(KNOWN_CHALLENGES, Item::new())
                .set(KNOWN_STARTED, 0)
                .set(UNBOUND_END, policy.attempts),
            // Known browsers' challenges accept bound attempts only.
            Lane::Known => write
                .set(KNOWN_CHALLENGES, challenges)
                .set(KNOWN_STARTED, 1)
                .set(CHALLENGES, Item::new())
                .set(STARTED, 0)
                .set(UNBOUND_END, 0),
        })
    }

    /// Another challenge next to active ones. The conditions cover all values that the write relies on.
    fn join(&self, draft: &Draft, request: ChallengeRequest<'_>, join: &Join) -> Result<Update<'_>> {
        let ChallengeRequest { identifier, policy, now, .. } = request;
        let lane = draft.lane();
        let challenges = item::names(lane).challenges;
        let mut write = self
            .update_identifier(identifier)
            .when(may_begin(lane, join.strength, policy, now))
            .when(challenges.has_fewer_than(("room", lane.most_live() + join.expired.len())))
            .set(item::challenge(lane, &draft.key), Entry::first(draft, join.strength, policy, now, join.unbound)?)
            .set(NEWEST, ("now", now))
            .set(TTL, now.after(KEPT_FOR));
        for key in &join.expired {
            let expired = challenges.entry("expired", key);
            write = write.when(expired.field(ENDS).at_most(("now", now))).remove(expired);
        }
        if lane == Lane::Open {
            write = write.when(UNBOUND.is(join.unbound)).set(UNBOUND_END, join.unbound.saturating_add(policy.attempts));
        }
        Ok(if join.new_hour { first_of_hour(write, lane, request) } else { next_of_hour(write, lane, request) })
    }
}

fn first_of_hour<'a>(write: Update<'a>, lane: Lane, request: ChallengeRequest<'_>) -> Update<'a> {
    let [started, known_started] = match lane {
        Lane::Open => [1, 0],
        Lane::Known => [0, 1],
    };
    write
        .when(HOUR_START.at_most(("hour_ago", request.now.before(HOUR))))
        .set(HOUR_START, ("now", request.now))
        .set(STARTED_BY, first_share(lane, request))
        .set(STARTED, started)
        .set(KNOWN_STARTED, known_started)
}

fn next_of_hour<'a>(write: Update<'a>, lane: Lane, request: ChallengeRequest<'_>) -> Update<'a> {
    let ChallengeRequest { network, policy, now, .. } = request;
    let Names { started, .. } = item::names(lane);
    let write = write
        .when(HOUR_START.above(("hour_ago", now.before(HOUR))))
        .when(started.below(("per_hour", policy.per_hour)))
        .raise(started, 1);
    match lane {
        Lane::Known => write,
        Lane::Open => {
            let share = STARTED_BY.entry("network", network.short());
            write
                .when(any([share.is_missing(), share.below(("per_network", policy.per_hour_per_network))]))
                .count(share)
        }
    }
}

/// The networks' shares at the start of an hour. Known browsers use none.
fn first_share(lane: Lane, request: ChallengeRequest<'_>) -> Item {
    match lane {
        Lane::Open => Item::from([(request.network.short().to_owned(), 1.attribute_value())]),
        Lane::Known => Item::new(),
    }
}

/// A short code has to wait for the lockout, a long one can begin at once.
fn may_begin(lane: Lane, strength: Strength, policy: &ChallengePolicy, now: Timestamp) -> Condition {
    match strength {
        Strength::Short => strength_fits(strength, policy).and(is_not_waiting(lane, now)),
        Strength::Long => strength_fits(strength, policy),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::{Binding, policy};
    use crate::store::refused::Refused;
    use crate::store::table::Table;
    use crate::words::{ChallengeId, Destination, Entropy, ExpiresAt, Index, MacKey, Tenant};

    /// DynamoDB allows expressions of 4 KB. The longest one begins a challenge while the maximum number of challenges has
    /// expired.
    #[test]
    fn the_longest_expressions_are_within_the_limit() {
        let table = OtpTable { table: Table::without_calls(), refused: Refused::default() };
        let tenant = Tenant::default();
        let to = Destination::of("ada@example.com".parse().unwrap(), None).unwrap();
        let identifier = Index::new(MacKey::new([1; 32]), &tenant).identifier(&to.identifier());
        let policy = policy();
        let network = NetworkDigest::new("A".repeat(22));
        let now = Timestamp::from_unix(4_102_444_800);
        let request = ChallengeRequest { identifier: &identifier, network: &network, policy: &policy, now };
        for lane in [Lane::Open, Lane::Known] {
            let id = ChallengeId::draw(&Entropy, lane).unwrap();
            let binding = Binding { tenant: &tenant, to: &to, challenge: "key" };
            let draft = Draft::draw(id, binding, ("p", &MacKey::new([1; 32])), 6, ExpiresAt::at(now)).unwrap();
            for new_hour in [true, false] {
                let expired = (0..lane.most_live()).map(|index| index.to_string()).collect();
                let join = Join { strength: Strength::Short, new_hour, expired, unbound: u32::MAX };
                let item = table.join(&draft, request, &join).unwrap().in_transaction().unwrap();
                let write = item.update().unwrap();
                let lengths = [write.update_expression(), write.condition_expression().unwrap()].map(str::len);
                assert!(lengths.into_iter().all(|length| length < 4_096), "{lengths:?}");
            }
        }
    }
}
