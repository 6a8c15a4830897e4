//! The item of an identifier, and how it is read.

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

/// Long enough to remember failures for longer than any attack lasts (S05).
pub(super) const KEPT_FOR: Duration = Duration::from_secs(365 * 86_400);

impl OtpTable {
    pub(super) fn update_identifier(&self, identifier: &IdentifierDigest) -> Unconditional<'_> {
        self.table.update(identifier.item("I"))
    }
}

row! {
    #[derive(Deserialize)]
    struct Row {
        /// Challenges of browsers without a device cookie, by the digest of their ids. Expired ones stay until the next challenge
        /// begins.
        pub(super) CHALLENGES = "ch" => challenges: BTreeMap<String, Entry>,
        /// When the current hour of counting began, in Unix seconds.
        pub(super) HOUR_START = "w0" => hour_start: u64,
        /// When the newest code was sent, to any browser, in Unix seconds.
        pub(super) NEWEST = "la" => newest: u64,
        /// Challenges begun in this hour by browsers without a device cookie.
        pub(super) STARTED = "n" => started: u32,
        /// The same count for each network, by its short digest.
        pub(super) STARTED_BY = "ip" => started_by: BTreeMap<String, u32>,
        /// Failures of all browsers since the last correct code.
        pub(super) FAILURES = "f" => failures: u32,
        /// When the last of these failures happened, in Unix seconds.
        pub(super) LAST_FAILURE = "fl" => #[serde(default)] last_failure: u64,
        /// Unbound attempts since the item last had no active challenge.
        pub(super) UNBOUND = "u" => unbound: u32,
        /// Challenges of known browsers, stored like `CHALLENGES`.
        pub(super) KNOWN_CHALLENGES = "cd" => known_challenges: BTreeMap<String, Entry>,
        /// Challenges begun in this hour by known browsers.
        pub(super) KNOWN_STARTED = "nd" => known_started: u32,
        /// Failures of known browsers since the last correct code. `FAILURES` includes them.
        pub(super) KNOWN_FAILURES = "fd" => known_failures: u32,
        /// When the last of these failures happened, in Unix seconds.
        pub(super) KNOWN_LAST_FAILURE = "fdl" => #[serde(default)] known_last_failure: u64,
    }
}

attributes! {
    /// At this value of `UNBOUND`, every challenge is out of unbound attempts.
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
        /// When the code was sent, in Unix seconds; 0 after a rejected send.
        pub(super) SENT = "s" => sent: u64,
        /// Bound attempts left.
        pub(super) ATTEMPTS_LEFT = "t" => attempts_left: u32,
        /// Codes sent, without rejected sends.
        pub(super) SENDS = "c" => sends: u32,
        /// Rejected sends.
        pub(super) REFUSED_SENDS = "x" => refused_sends: u32,
        /// The value of `UNBOUND` when the challenge began.
        pub(super) UNBOUND_FROM = "u" => unbound_from: u32,
    }
}

/// The attributes that hold the counters of one lane.
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

pub(super) fn challenge(lane: Lane, key: &str) -> Path<'_> {
    names(lane).challenges.entry("challenge", key)
}

impl Entry {
    /// The entry of a challenge whose first code is about to be sent.
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

/// Reports an event of a challenge, with its identifier's counts at that time.
pub(super) fn note(did: &'static str, state: &IdentifierState, lane: Lane, long: bool) {
    let Counted { started, failures, .. } = *state.on(lane);
    report::note(Step::Challenge { did: did.into(), lane: lane.name().into(), this_hour: started, failures, long });
}

/// Reports why a request for a code was refused.
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
