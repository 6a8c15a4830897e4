//! `I#<digest>` in `OtpTable`: all that is remembered of one identifier, in one item of less than one write unit.
//!
//! A known device's own counters will lie beside `n`, `f` and `fl`, as `nd`, `fd` and `fdl`: they come with cookies.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteArray;

use super::write::{self, Item, number};
use crate::challenge::{Challenge, Guard};
use crate::clock::{ExpiresAt, Timestamp};
use crate::code::CodeDigest;
use crate::error::{Error, Result};
use crate::limit::Lockout;
use crate::report::{self, Step};

/// The failures in it must outlive every attack on it (S05).
pub(super) const KEPT_FOR: Duration = Duration::from_secs(365 * 86_400);

pub(super) fn key(identifier: &str) -> String {
    format!("I#{identifier}")
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

pub(super) fn read(item: Item) -> Result<Guard> {
    let row: Row = write::row(item)?;
    Ok(Guard {
        challenges: row.ch.into_iter().map(|(key, entry)| (key, entry.into())).collect(),
        window_start: Timestamp::from_unix(row.w0),
        newest: Timestamp::from_unix(row.la),
        started: row.n,
        started_by: row.ip,
        failures: row.f,
        last_failure: Timestamp::from_unix(row.fl),
        unbound: row.u,
    })
}

/// Notes what was done about a challenge, and the counts of its identifier then.
pub(super) fn note(did: &'static str, guard: &Guard, long: bool) {
    let Guard { started, failures, .. } = *guard;
    report::note(Step::Challenge { did: did.into(), this_hour: started, failures, long });
}

/// Notes why nothing was begun or sent again.
pub(super) fn note_refusal(error: &Error, guard: &Guard) {
    let is_locked_out = matches!(error, Error::TooManyAttempts { .. });
    note(if is_locked_out { "locked_out" } else { "refused" }, guard, false);
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

/// The condition that no wait of the lockout is running, as an expression over `f` and `fl`.
///
/// The waits are in the condition because the write must not pass a failure that was counted a moment ago.
pub(super) fn when_not_waiting(write: UpdateItemFluentBuilder, now: Timestamp) -> (UpdateItemFluentBuilder, String) {
    let bands = Lockout::bands(now);
    let last = bands.len().saturating_sub(1);
    let mut write = write;
    let mut alternatives = Vec::new();
    for (index, (below, since)) in bands.into_iter().enumerate() {
        let in_time = format!("fl <= :since{index}");
        let alternative = match index {
            0 => format!("f < :below{index}"),
            _ if index == last => in_time,
            _ => format!("(f < :below{index} AND {in_time})"),
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
