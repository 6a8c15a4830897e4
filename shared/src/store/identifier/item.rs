//! The item: what it holds, and how it is read.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteArray;

use crate::codes::{Challenge, ChallengePolicy, CodeDigest, Counted, Draft, IdentifierState, Strength};
use crate::observe::report::{self, Step};
use crate::store::expression::Path;
use crate::store::row::{self, attributes, row};
use crate::store::table::{Item, OtpTable};
use crate::store::write::Unconditional;
use crate::words::{Error, ExpiresAt, IdentifierDigest, Lane, Result, Timestamp};

/// Failures are remembered for longer than any attack lasts (S05).
pub(super) const KEPT_FOR: Duration = Duration::from_secs(365 * 86_400);

impl OtpTable {
    pub(super) fn update_identifier(&self, identifier: &IdentifierDigest) -> Unconditional<'_> {
        self.table.update(identifier.item("I"))
    }
}

row! {
    #[derive(Deserialize)]
    struct Row {
        /// Challenges of the open lane, by the digest of their ids. Expired ones stay until the next challenge begins.
        pub(super) CHALLENGES = "ch" => challenges: BTreeMap<String, Entry>,
        /// When the hour began in which challenges are counted, in Unix seconds.
        pub(super) HOUR_START = "w0" => hour_start: u64,
        /// When the newest code of either lane was sent, in Unix seconds.
        pub(super) NEWEST = "la" => newest: u64,
        /// How many challenges began on the open lane in the hour.
        pub(super) STARTED = "n" => started: u32,
        /// The same for each network, by its short digest.
        pub(super) STARTED_BY = "ip" => started_by: BTreeMap<String, u32>,
        /// Failures on both lanes since the last right code.
        pub(super) FAILURES = "f" => failures: u32,
        /// When the last of them was, in Unix seconds.
        pub(super) LAST_FAILURE = "fl" => #[serde(default)] last_failure: u64,
        /// Attempts without a challenge id since nothing lived last.
        pub(super) UNBOUND = "u" => unbound: u32,
        /// Challenges of known browsers, like `CHALLENGES`.
        pub(super) KNOWN_CHALLENGES = "cd" => known_challenges: BTreeMap<String, Entry>,
        /// How many challenges of known browsers began in the hour.
        pub(super) KNOWN_STARTED = "nd" => known_started: u32,
        /// Failures of known browsers since the last right code; `FAILURES` counts them too.
        pub(super) KNOWN_FAILURES = "fd" => known_failures: u32,
        /// When the last of them was, in Unix seconds.
        pub(super) KNOWN_LAST_FAILURE = "fdl" => #[serde(default)] known_last_failure: u64,
    }
}

attributes! {
    /// The count in `UNBOUND` at which no challenge is compared with unbound attempts any more.
    pub(super) UNBOUND_END = "ux";
}

row! {
    /// One challenge.
    #[derive(Serialize, Deserialize)]
    pub(super) struct Entry {
        /// The code's digest.
        pub(super) DIGEST = "h" => digest: ByteArray<32>,
        /// The id of the pepper in the digest.
        pub(super) PEPPER = "k" => pepper: String,
        /// When the code expires, in Unix seconds.
        pub(super) ENDS = "e" => ends: u64,
        /// When the code was sent, in Unix seconds; 0 after a refused send.
        pub(super) SENT = "s" => sent: u64,
        /// Bound attempts that are left.
        pub(super) ATTEMPTS_LEFT = "t" => attempts_left: u32,
        /// How often a code was sent, without refused sends.
        pub(super) SENDS = "c" => sends: u32,
        /// How many sends were refused.
        pub(super) REFUSED_SENDS = "x" => refused_sends: u32,
        /// The count in `UNBOUND` when the challenge began.
        pub(super) UNBOUND_FROM = "u" => unbound_from: u32,
    }
}

/// The attributes of one lane.
pub(super) struct Names {
    pub(super) challenges: Path<'static>,
    pub(super) started: Path<'static>,
    pub(super) failures: Path<'static>,
    pub(super) last_failure: Path<'static>,
}

pub(super) fn names(lane: Lane) -> Names {
    match lane {
        Lane::Open => {
            Names { challenges: CHALLENGES, started: STARTED, failures: FAILURES, last_failure: LAST_FAILURE }
        }
        Lane::Known => Names {
            challenges: KNOWN_CHALLENGES,
            started: KNOWN_STARTED,
            failures: KNOWN_FAILURES,
            last_failure: KNOWN_LAST_FAILURE,
        },
    }
}

/// The challenge `key` in the item.
pub(super) fn challenge(lane: Lane, key: &str) -> Path<'_> {
    names(lane).challenges.entry("challenge", key)
}

impl Entry {
    /// A challenge whose first code is about to be sent.
    pub(super) fn first(
        draft: &Draft,
        strength: Strength,
        policy: &ChallengePolicy,
        now: Timestamp,
        unbound_from: u32,
    ) -> Result<AttributeValue> {
        let entry = Entry {
            digest: ByteArray::new(*draft.digest(strength).as_bytes()),
            pepper: draft.pepper_id.clone(),
            ends: draft.expires.moment().unix(),
            sent: now.unix(),
            attempts_left: strength.tries(policy),
            sends: 1,
            refused_sends: 0,
            unbound_from,
        };
        serde_dynamo::to_attribute_value(entry).map_err(Error::internal)
    }
}

pub(super) fn read(item: Item) -> Result<IdentifierState> {
    let row: Row = row::read(item)?;
    Ok(IdentifierState {
        open: counted(row.challenges, row.started, row.failures, row.last_failure),
        known: counted(row.known_challenges, row.known_started, row.known_failures, row.known_last_failure),
        window_start: Timestamp::from_unix(row.hour_start),
        newest: Timestamp::from_unix(row.newest),
        started_by: row.started_by,
        unbound: row.unbound,
    })
}

/// Notes what was done about a challenge on a lane, and the counts of its identifier then.
pub(super) fn note(did: &'static str, state: &IdentifierState, lane: Lane, long: bool) {
    let Counted { started, failures, .. } = *state.on(lane);
    report::note(Step::Challenge { did: did.into(), lane: lane.name().into(), this_hour: started, failures, long });
}

/// Notes why nothing was begun or sent again.
pub(super) fn note_refusal(error: &Error, state: &IdentifierState, lane: Lane) {
    let is_locked_out = matches!(error, Error::TooManyAttempts { .. });
    note(if is_locked_out { "locked_out" } else { "refused" }, state, lane, false);
}

fn counted(entries: BTreeMap<String, Entry>, started: u32, failures: u32, last_failure: u64) -> Counted {
    let challenges = entries.into_iter().map(|(key, entry)| (key, entry.into())).collect();
    Counted { challenges, started, failures, last_failure: Timestamp::from_unix(last_failure) }
}

impl From<Entry> for Challenge {
    fn from(entry: Entry) -> Challenge {
        Challenge {
            digest: CodeDigest::from_table(entry.digest.into_array()),
            pepper_id: entry.pepper,
            expires: ExpiresAt::at(Timestamp::from_unix(entry.ends)),
            sent: Timestamp::from_unix(entry.sent),
            tries_left: entry.attempts_left,
            sends: entry.sends,
            unbound_from: entry.unbound_from,
        }
    }
}
