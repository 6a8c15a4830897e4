//! `R#request#<network>#<day's end>` in `OtpTable`: one network's requests for codes on one UTC day. The item counts the requests in
//! each window and the day's mails without an answer.
//!
//! Its networks are those of [`networks`](super::networks). One write counts both. A used code pays for one mail, with a write of
//! its own.

use super::expression::{Path, any};
use super::networks::{count, has_room, note};
use super::row::{TTL, attributes};
use super::send::Written;
use super::table::{Item, OtpTable};
use crate::codes::{Allowance, MailPolicy, Quota, SLOWED, day_end};
use crate::words::{ItemKey, NetworkDigest, Result, Scope, Timestamp};

attributes! {
    /// The requests in a window: of an IPv4 address, or of a /48. The window's number on the day follows as three digits, and then
    /// the name of a /56 or /64.
    COUNT = "n";
    /// The mails of the day without an answer: of an IPv4 address, or of a /48. The name of a /56 follows as a suffix.
    UNANSWERED = "m";
}

/// The name of this action in reports.
const REQUEST: &str = "request";
/// Counts of earlier windows that an item keeps until they are removed. So it stays as small as the counts of its window.
const MOST_PAST: usize = 32;
/// DynamoDB allows expressions of 4 KB.
const MOST_REMOVED: usize = 200;

/// What a network's item says after a request was counted.
#[derive(Debug)]
pub struct Requests {
    /// Whether the request is within the limit of its window.
    pub quota: Quota,
    /// Until when the network is slowed, if this request is over the limit of slowed networks.
    pub slowed: Quota,
    /// Whether a mail of the day is unanswered. An IPv6 /48 counts as eight networks, and a /56 as two.
    pub is_owing: bool,
    /// Names of counts of earlier windows, if they are many.
    pub past: Vec<String>,
}

/// A window of a network on a day.
struct Window {
    key: ItemKey,
    /// The number of the window on its day, three digits.
    number: String,
    end: Timestamp,
    day_end: Timestamp,
    /// The names of its counts with their limits, the widest network first.
    counts: Vec<(String, u32)>,
    /// The names of its debts: how many networks each stands for, and the name of the count in the window.
    debts: Vec<(String, u32, String)>,
}

impl Window {
    fn of(network: &NetworkDigest, allowance: Allowance, now: Timestamp) -> Window {
        let (end, day_end) = (allowance.window_end(now), day_end(now));
        let number = format!("{:03}", now.unix() % 86_400 / allowance.per.as_secs().max(1));
        let counts = network
            .counters()
            .into_iter()
            .map(|(name, networks)| (format!("{number}{name}"), allowance.count.saturating_mul(networks)));
        let debts = network
            .debtors()
            .into_iter()
            .map(|(name, networks)| (name.to_owned(), networks, format!("{number}{name}")));
        Window { key: key(network, day_end), counts: counts.collect(), debts: debts.collect(), number, end, day_end }
    }

    /// The names of a count and a debt in this instance's memory.
    fn known_as(&self, name: &str) -> ItemKey {
        ItemKey::from_table(format!("{}#{name}", self.key.as_str()))
    }

    fn slowed_as(&self, name: &str) -> ItemKey {
        ItemKey::from_table(format!("{}#{}#slowed#{name}", self.key.as_str(), self.number))
    }
}

impl OtpTable {
    /// Checks this instance's memory only: a network over its limit is remembered until its window ends. `may_be_known` is whether
    /// the client has shown a device token, which lifts the limit of slowed networks.
    pub fn known_requests(
        &self,
        network: &NetworkDigest,
        allowance: Allowance,
        may_be_known: bool,
        now: Timestamp,
    ) -> Quota {
        let window = Window::of(network, allowance, now);
        let is_known = |key: ItemKey| self.refused.until(&key, now).is_some();
        let is_full = window.counts.iter().any(|(name, _)| is_known(window.known_as(name)));
        let is_slowed = !may_be_known && window.debts.iter().any(|(name, ..)| is_known(window.slowed_as(name)));
        if !is_full && !is_slowed {
            return Quota::Left;
        }
        note(REQUEST, None, allowance, false);
        Quota::SpentUntil(window.end)
    }

    /// Counts a request, unless the allowance of its window is used up. A request for a mail also counts as an unanswered mail.
    /// This is one conditional write, so that parallel requests stay within the limit together (S13).
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::words::Error::Unavailable) when the table is unreachable. The request is then refused (S88).
    pub async fn count_request(
        &self,
        network: &NetworkDigest,
        allowance: Allowance,
        is_mail: bool,
        now: Timestamp,
    ) -> Result<Requests> {
        let window = Window::of(network, allowance, now);
        let full =
            || Requests { quota: Quota::SpentUntil(window.end), slowed: Quota::Left, is_owing: true, past: Vec::new() };
        let is_known = |(name, _): &(String, u32)| self.refused.until(&window.known_as(name), now).is_some();
        if window.counts.iter().any(is_known) {
            note(REQUEST, None, allowance, false);
            return Ok(full());
        }
        let debtor = self.debtor(network, now);
        let unsent = if is_mail { self.mail.unsent.take(&debtor) } else { 0 };
        let give_back = || self.mail.unsent.add(debtor.clone(), unsent, window.day_end, now);
        let mut write = self.table.update(window.key.clone()).when(any([TTL.is_missing(), TTL.above(("now", now))]));
        for (name, most) in &window.counts {
            let count = COUNT.with_suffix(name);
            write = write.when(has_room((count, *most))).add(count, 1);
        }
        for (name, ..) in window.debts.iter().filter(|_| is_mail) {
            write = write.add(UNANSWERED.with_suffix(name), 1 - unsent);
        }
        match write.set_if_missing(TTL, window.day_end).send().await {
            Ok(Written::Done(item)) => self.counted(&window, &item, allowance, is_mail, now),
            Ok(Written::Refused(item)) => {
                give_back();
                note(REQUEST, Some(allowance.count), allowance, false);
                let item = item.unwrap_or_default();
                for (name, most) in &window.counts {
                    if count(&item, COUNT.with_suffix(name))? >= *most {
                        self.refused.remember(window.known_as(name), window.end, now);
                    }
                }
                Ok(full())
            }
            Err(error) => {
                give_back();
                Err(error)
            }
        }
    }

    fn counted(
        &self,
        window: &Window,
        item: &Item,
        allowance: Allowance,
        is_mail: bool,
        now: Timestamp,
    ) -> Result<Requests> {
        let (mut is_slowed, mut is_owing) = (false, false);
        for (name, networks, in_window) in &window.debts {
            let (in_window, owed) =
                (count(item, COUNT.with_suffix(in_window))?, number(item, UNANSWERED.with_suffix(name))?);
            // Without this request's own mail.
            let owed = owed - i64::from(is_mail);
            is_owing |= owed >= i64::from(*networks);
            let most = i64::from(MailPolicy::most_unanswered(allowance)) * i64::from(*networks);
            if is_mail && owed >= most && in_window > SLOWED.saturating_mul(*networks) {
                is_slowed = true;
                self.refused.remember(window.slowed_as(name), window.end, now);
            }
        }
        let own = window.counts.last().map_or(Ok(0), |(name, _)| count(item, COUNT.with_suffix(name)))?;
        note(REQUEST, Some(own), allowance, !is_slowed);
        let past = item.keys().filter(|name| {
            let window_of = name.strip_prefix('n').and_then(|rest| rest.get(..3));
            window_of.is_some_and(|number| number < window.number.as_str())
        });
        let past: Vec<_> = past.cloned().collect();
        Ok(Requests {
            quota: Quota::Left,
            slowed: if is_slowed { Quota::SpentUntil(window.end) } else { Quota::Left },
            is_owing,
            past: if past.len() >= MOST_PAST { past } else { Vec::new() },
        })
    }

    /// Removes counts of earlier windows, once in 32 of them. Otherwise a day of requests from all networks of an IPv6 /48 would
    /// make each write to its item dear.
    pub async fn remove_requests(&self, network: &NetworkDigest, past: &[String], now: Timestamp) {
        if past.is_empty() {
            return;
        }
        let write = self.table.update(key(network, day_end(now))).when(TTL.exists());
        let past = past.iter().take(MOST_REMOVED).filter_map(|name| name.get(1..));
        let write = past.fold(write, |write, name| write.remove(COUNT.with_suffix(name)));
        if let Err(error) = write.send().await {
            tracing::warn!(cause = error.cause(), "could not remove old counts of a network");
        }
    }

    /// Counts a mail of `network` as answered. Does nothing if none of the day is unanswered.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::words::Error::Unavailable) when the table is unreachable.
    pub async fn pay_request(&self, network: &NetworkDigest, now: Timestamp) -> Result<()> {
        let debtors = network.debtors();
        let Some(((first, _), others)) = debtors.split_first() else { return Ok(()) };
        let owed = UNANSWERED.with_suffix(first);
        let write = self.table.update(key(network, day_end(now))).when(owed.at_least(1)).add(owed, -1);
        let write = others.iter().fold(write, |write, (name, _)| {
            let owed = UNANSWERED.with_suffix(name);
            write.when(owed.at_least(1)).add(owed, -1)
        });
        write.send_once().await
    }

    /// Remembers that a mail which was counted as unanswered was not sent.
    pub(super) fn not_sent(&self, network: &NetworkDigest, now: Timestamp) {
        self.mail.unsent.add(self.debtor(network, now), 1, day_end(now), now);
    }

    /// The name of the smallest network with a debt of its own, in this instance's memory.
    fn debtor(&self, network: &NetworkDigest, now: Timestamp) -> ItemKey {
        let name = network.debtors().last().map_or("", |(name, _)| *name);
        ItemKey::from_table(format!("{}#{name}", key(network, day_end(now)).as_str()))
    }
}

/// A count that may be below zero.
fn number(item: &Item, path: Path<'_>) -> Result<i64> {
    item.get(&path.name()).map_or(Ok(0), |value| super::row::value(value.clone()))
}

/// The key belongs to the stack, not to a tenant: more tenants must not give a network more requests.
fn key(network: &NetworkDigest, day_end: Timestamp) -> ItemKey {
    ItemKey::new(Scope::Stack, "R", &[REQUEST, network.counted_in(), &day_end.unix().to_string()])
}
