//! What an instance remembers about mails: leases, unsent mails, and batches that wait to be written.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::codes::LEAST_OF_DOMAIN;
use crate::words::{DomainDigest, ItemKey, Timestamp};

/// Mails in a lease, and mails or codes in a batch.
pub(super) const LEASE: u32 = 16;
/// Above this number of domains, an instance forgets its counts. An attacker needs as many domains for it.
const MOST_DOMAINS: usize = 4_096;

/// What an instance knows about mails.
#[derive(Default)]
pub(super) struct MailMemory {
    leases: Mutex<Leases>,
    domains: Mutex<HashMap<DomainDigest, Domain>>,
    used: Mutex<HashMap<DomainDigest, u32>>,
    pub(super) unsent: Unsent,
}

/// The leased mails of a day that were not sent, by their numbers.
#[derive(Default)]
pub(super) struct Leases {
    pub(super) day_end: Timestamp,
    pub(super) free: BTreeSet<u32>,
}

/// The mails to a domain on a day.
#[derive(Clone, Copy)]
pub(super) struct Domain {
    pub(super) day: u64,
    /// Sent by this instance, and not in the table yet.
    pub(super) uncounted: u32,
    /// In the table when it was last written.
    pub(super) counted: u32,
    pub(super) most: u32,
}

impl Domain {
    pub(super) fn on(day: u64) -> Domain {
        Domain { day, uncounted: 0, counted: 0, most: LEAST_OF_DOMAIN }
    }
}

/// Mails that were counted as unanswered, but were not sent. The next request of their network counts so many fewer.
#[derive(Default)]
pub(super) struct Unsent(Mutex<HashMap<ItemKey, (i64, Timestamp)>>);

const MOST_REMEMBERED: usize = 4_096;

impl Unsent {
    pub(super) fn take(&self, key: &ItemKey) -> i64 {
        let mut unsent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        unsent.remove(key).map_or(0, |(count, _)| count)
    }

    pub(super) fn add(&self, key: ItemKey, count: i64, end: Timestamp, now: Timestamp) {
        let mut unsent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if unsent.len() >= MOST_REMEMBERED {
            unsent.retain(|_, (_, end)| *end > now);
        }
        if count != 0 && unsent.len() < MOST_REMEMBERED {
            unsent.entry(key).or_insert((0, end)).0 += count;
        }
    }
}

impl MailMemory {
    pub(super) fn leases(&self, day_end: Timestamp) -> MutexGuard<'_, Leases> {
        let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        if leases.day_end < day_end {
            *leases = Leases { day_end, free: BTreeSet::new() };
        }
        leases
    }

    pub(super) fn put_back(&self, number: u32, day_end: Timestamp) {
        let mut leases = self.leases(day_end);
        if leases.day_end == day_end {
            leases.free.insert(number);
        }
    }

    pub(super) fn domains(&self) -> MutexGuard<'_, HashMap<DomainDigest, Domain>> {
        let mut domains = self.domains.lock().unwrap_or_else(PoisonError::into_inner);
        if domains.len() >= MOST_DOMAINS {
            domains.clear();
        }
        domains
    }

    pub(super) fn sent(&self, domain: &DomainDigest, day: u64) {
        let mut domains = self.domains();
        let known = domains.entry(domain.clone()).or_insert(Domain::on(day));
        if known.day != day {
            *known = Domain::on(day);
        }
        known.uncounted += 1;
    }

    /// Sixteen used codes, once they have come together.
    pub(super) fn used(&self, domain: &DomainDigest) -> Option<u32> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.len() >= MOST_DOMAINS {
            used.clear();
        }
        let count = used.entry(domain.clone()).or_insert(0);
        *count += 1;
        (*count >= LEASE).then(|| std::mem::take(count))
    }
}
