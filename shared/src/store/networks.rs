//! `R#<action>#<network>#<bucket>` in `OtpTable`: one network's actions in one time window. Requests for codes have an item for the
//! day (`requests`).
//!
//! All /64 networks of an IPv6 /48 share one item, with a counter for the /48 and one for each /56 and /64. Otherwise a /48, which
//! anybody can get for nothing, would be 65,536 networks. A hostile /48 fills at most eight times the allowance, so with the usual
//! limits its item stays below 2 KB.

use super::expression::{Condition, Path, any};
use super::row::{self, TTL, attributes};
use super::send::Written;
use super::table::{Item, OtpTable};
use crate::codes::{Action, Allowance, Quota};
use crate::observe::report::{self, Step};
use crate::words::{ItemKey, NetworkDigest, Result, Scope, Timestamp};

attributes! {
    /// The actions in the window: of an IPv4 address, or of a /48. The names of a /56 and a /64 follow as a suffix.
    COUNT = "n";
}

/// A counter of an action: its attribute, and the limit there.
type Counter<'a> = (Path<'a>, u32);

impl OtpTable {
    /// Counts an action, unless the allowance is used up. This is one conditional write, so that parallel requests stay within
    /// the limit together (S13).
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::words::Error::Unavailable) when the table is unreachable. The action is then refused (S88).
    pub async fn count(
        &self,
        action: Action,
        network: &NetworkDigest,
        allowance: Allowance,
        now: Timestamp,
    ) -> Result<Quota> {
        self.count_times(1, action, network, allowance, now).await
    }

    /// Counts an action several `times`. Zero times needs the same write, so that its duration reveals nothing.
    ///
    /// # Errors
    /// As [`OtpTable::count`].
    pub async fn count_times(
        &self,
        times: u32,
        action: Action,
        network: &NetworkDigest,
        allowance: Allowance,
        now: Timestamp,
    ) -> Result<Quota> {
        let end = allowance.window_end(now);
        let key = key(action, network, end);
        let counters = counters(network, allowance);
        if allowance.count == 0 || self.known_full(&key, &counters, now) {
            note(action.name(), None, allowance, false);
            return Ok(Quota::SpentUntil(end));
        }
        let (own, wider) = own(&counters);
        let write = self.table.update(key.clone()).when(has_room(own)).add(own.0, times).set_if_missing(TTL, end);
        let write = wider.iter().fold(write, |write, wide| write.when(has_room(*wide)).add(wide.0, times));
        match write.send().await? {
            Written::Done(item) => {
                note(action.name(), Some(count(&item, own.0)?), allowance, true);
                // Nobody guesses by requesting messages, so their limit is no lockout.
                if action == Action::Failure && is_full(&item, &counters)? {
                    report::note(Step::Lockout { of: "network".into() });
                }
                Ok(Quota::Left)
            }
            Written::Refused(item) => {
                note(action.name(), Some(allowance.count), allowance, false);
                self.remember_full(&key, &counters, &item.unwrap_or_default(), end, now)?;
                Ok(Quota::SpentUntil(end))
            }
        }
    }

    /// Checks whether an action is still allowed, without counting it. The read is eventually consistent, so it may miss the
    /// newest actions.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::words::Error::Unavailable) when the table is unreachable.
    pub async fn quota(
        &self,
        action: Action,
        network: &NetworkDigest,
        allowance: Allowance,
        now: Timestamp,
    ) -> Result<Quota> {
        let item = self.table.get_eventually(&key(action, network, allowance.window_end(now))).await?;
        self.quota_in(&item.unwrap_or_default(), action, network, allowance, now)
    }

    /// Whether an action is still allowed, according to its network's item.
    pub(super) fn quota_in(
        &self,
        item: &Item,
        action: Action,
        network: &NetworkDigest,
        allowance: Allowance,
        now: Timestamp,
    ) -> Result<Quota> {
        let end = allowance.window_end(now);
        let key = key(action, network, end);
        let counters = counters(network, allowance);
        let is_full = self.remember_full(&key, &counters, item, end, now)?;
        note(action.name(), Some(count(item, own(&counters).0.0)?), allowance, !is_full);
        Ok(if is_full { Quota::SpentUntil(end) } else { Quota::Left })
    }

    /// Checks this instance's memory only: a network over its limit is remembered until its window ends.
    pub fn known_quota(&self, action: Action, network: &NetworkDigest, allowance: Allowance, now: Timestamp) -> Quota {
        let end = allowance.window_end(now);
        if !self.known_full(&key(action, network, end), &counters(network, allowance), now) {
            return Quota::Left;
        }
        note(action.name(), None, allowance, false);
        Quota::SpentUntil(end)
    }

    /// Whether this instance has seen one of the counters full.
    fn known_full(&self, key: &ItemKey, counters: &[Counter<'_>], now: Timestamp) -> bool {
        counters.iter().any(|(path, _)| self.refused.until(&counter_key(key, *path), now).is_some())
    }

    /// Remembers each counter of `item` that is full, and returns whether there is one.
    fn remember_full(
        &self,
        key: &ItemKey,
        counters: &[Counter<'_>],
        item: &Item,
        end: Timestamp,
        now: Timestamp,
    ) -> Result<bool> {
        let mut is_full = false;
        for (path, most) in counters {
            if count(item, *path)? >= *most {
                is_full = true;
                self.refused.remember(counter_key(key, *path), end, now);
            }
        }
        Ok(is_full)
    }
}

/// The counters of an action of `network`, the widest first.
fn counters(network: &NetworkDigest, allowance: Allowance) -> Vec<Counter<'_>> {
    let counter = |(name, networks): (_, u32)| (COUNT.with_suffix(name), allowance.count.saturating_mul(networks));
    network.counters().into_iter().map(counter).collect()
}

fn is_full(item: &Item, counters: &[Counter<'_>]) -> Result<bool> {
    counters.iter().try_fold(false, |found, (path, most)| Ok(found || count(item, *path)? >= *most))
}

/// The network's own counter, and those of wider networks.
fn own<'a, 'b>(counters: &'b [Counter<'a>]) -> (Counter<'a>, &'b [Counter<'a>]) {
    counters.split_last().map_or(((COUNT, 0), &[][..]), |(own, wider)| (*own, wider))
}

pub(super) fn has_room((path, most): Counter<'_>) -> Condition {
    any([path.is_missing(), path.below(("allowed", most))])
}

pub(super) fn count(item: &Item, path: Path<'_>) -> Result<u32> {
    item.get(&path.name()).map_or(Ok(0), |value| row::value(value.clone()))
}

/// The name of a counter in this instance's memory.
fn counter_key(key: &ItemKey, path: Path<'_>) -> ItemKey {
    ItemKey::from_table(format!("{}#{}", key.as_str(), path.name()))
}

pub(super) fn note(action: &'static str, count: Option<u32>, allowance: Allowance, open: bool) {
    report::note(Step::Limit { action: action.into(), count, allowed: allowance.count, open });
}

/// The key belongs to the stack, not to a tenant: more tenants must not give a network more actions.
pub(super) fn key(action: Action, network: &NetworkDigest, window_end: Timestamp) -> ItemKey {
    ItemKey::new(Scope::Stack, "R", &[action.name(), network.counted_in(), &window_end.unix().to_string()])
}
