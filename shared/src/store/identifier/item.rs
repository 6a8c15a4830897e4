//! `I#<digest>` in `OtpTable`: all that is remembered of one identifier, in one item of less than one write unit.
//!
//! A lane has names of its own in it: `ch`, `n`, `f`, `fl` for everybody, `cd`, `nd`, `fd`, `fdl` for known browsers.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteArray;

use crate::codes::{Challenge, CodeDigest, Counted, IdentifierState, Lockout};
use crate::observe::report::{self, Step};
use crate::store::write::{self, Item, number};
use crate::words::{Error, ExpiresAt, Lane, Result, Timestamp};

/// The failures in it must outlive every attack on it (S05).
pub(super) const KEPT_FOR: Duration = Duration::from_secs(365 * 86_400);

pub(super) fn key(identifier: &str) -> String {
    format!("I#{identifier}")
}

/// What a lane's attributes are called.
pub(super) struct Names {
    /// Challenges.
    pub(super) challenges: &'static str,
    /// Consecutive failures.
    pub(super) failures: &'static str,
    /// When the last one was.
    last_failure: &'static str,
}

pub(super) fn names(lane: Lane) -> Names {
    match lane {
        Lane::Open => Names { challenges: "ch", failures: "f", last_failure: "fl" },
        Lane::Known => Names { challenges: "cd", failures: "fd", last_failure: "fdl" },
    }
}

#[derive(Deserialize)]
struct Row {
    /// Challenges.
    ch: BTreeMap<String, Entry>,
    /// When the hour began.
    w0: u64,
    /// When the newest code was sent.
    la: u64,
    /// New challenges in the hour.
    n: u32,
    /// The same by network.
    ip: BTreeMap<String, u32>,
    /// Consecutive failures.
    f: u32,
    /// When the last one was.
    #[serde(default)]
    fl: u64,
    /// Unbound tries.
    u: u32,
    /// Challenges of known browsers.
    cd: BTreeMap<String, Entry>,
    /// How many of these are new in the hour.
    nd: u32,
    /// Their consecutive failures, which are among `f` too.
    fd: u32,
    /// When the last one was.
    #[serde(default)]
    fdl: u64,
}

/// One challenge.
#[derive(Serialize, Deserialize)]
pub(super) struct Entry {
    /// The code's digest.
    pub(super) h: ByteArray<32>,
    /// Its pepper.
    pub(super) k: String,
    /// When it dies.
    pub(super) e: u64,
    /// When it was sent.
    pub(super) s: u64,
    /// Bound tries left.
    pub(super) t: u32,
    /// Sends.
    pub(super) c: u32,
    /// Sends that were refused.
    pub(super) x: u32,
    /// Unbound tries when it began.
    pub(super) u: u32,
}

impl Entry {
    pub(super) fn to_attribute(&self) -> Result<AttributeValue> {
        serde_dynamo::to_attribute_value(self).map_err(Error::internal)
    }
}

pub(super) fn read(item: Item) -> Result<IdentifierState> {
    let row: Row = write::row(item)?;
    Ok(IdentifierState {
        open: counted(row.ch, row.n, row.f, row.fl),
        known: counted(row.cd, row.nd, row.fd, row.fdl),
        window_start: Timestamp::from_unix(row.w0),
        newest: Timestamp::from_unix(row.la),
        started_by: row.ip,
        unbound: row.u,
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
            digest: CodeDigest::from_table(entry.h.into_array()),
            pepper_id: entry.k,
            expires: ExpiresAt::at(Timestamp::from_unix(entry.e)),
            sent: Timestamp::from_unix(entry.s),
            tries_left: entry.t,
            sends: entry.c,
            unbound_from: entry.u,
        }
    }
}

/// The condition that no wait of the lockout is running on a lane, as an expression over its failures.
///
/// The waits are in the condition because the write must not pass a failure that was counted a moment ago.
pub(super) fn when_not_waiting(
    write: UpdateItemFluentBuilder,
    lane: Lane,
    now: Timestamp,
) -> (UpdateItemFluentBuilder, String) {
    let Names { failures, last_failure, .. } = names(lane);
    let bands = Lockout::bands(now);
    let last = bands.len().saturating_sub(1);
    let mut write = write;
    let mut alternatives = Vec::new();
    for (index, (below, since)) in bands.into_iter().enumerate() {
        let in_time = format!("{last_failure} <= :since{index}");
        let alternative = match index {
            0 => format!("{failures} < :below{index}"),
            _ if index == last => in_time,
            _ => format!("({failures} < :below{index} AND {in_time})"),
        };
        if index != last {
            write = write.expression_attribute_values(format!(":below{index}"), number(below));
        }
        if index != 0 {
            write = write.expression_attribute_values(format!(":since{index}"), number(since.unix()));
        }
        alternatives.push(alternative);
    }
    (write, format!("({})", alternatives.join(" OR ")))
}
