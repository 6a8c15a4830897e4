//! `MAIL#day#<day's end>` and `MAIL#to#<domain>` in `OtpTable`: the mails of one day, and those to one recipient domain.
//!
//! An instance takes the day's mails in leases of 16 and keeps what it did not send. So one mail in 16 costs a write, and the count
//! of the day is too high by at most 15 for each instance that ended. Mails to a domain, and codes used there, are counted after
//! the fact, by each instance in batches of 16. Those counts are too low by at most 15 for each instance. A mail to a domain that
//! gets little mail costs no write.

use std::time::Duration;

use super::expression::{Path, any};
use super::mail_memory::{Domain, LEASE};
use super::networks::count;
use super::row::{TTL, attributes};
use super::send::Written;
use super::table::{Item, OtpTable};
use crate::codes::{MailPolicy, day_end};
use crate::words::{DomainDigest, Error, ItemKey, NetworkDigest, Result, Scope, Timestamp};

attributes! {
    /// Mails of the day that instances have leased.
    LEASED = "n";
    /// Mails to the domain. The number of the UTC day follows as a suffix.
    SENT = "s";
    /// Codes that were used at the domain. The number of the UTC day follows as a suffix.
    USED = "u";
}

/// A day's count stays readable for a month.
const KEPT_FOR: Duration = Duration::from_secs(31 * 86_400);
/// Used codes count for so many days.
const DAYS: u64 = 7;
/// The item of a domain may be deleted once its counts are too old.
const DOMAIN_KEPT_FOR: Duration = Duration::from_secs((DAYS + 1) * 86_400);

/// A mail that is counted for the day and for its network. Unless it is sent, both counts come back when it is dropped, in the memory
/// of this instance.
pub struct CountedMail<'a> {
    table: &'a OtpTable,
    network: &'a NetworkDigest,
    domain: &'a DomainDigest,
    now: Timestamp,
    number: Option<u32>,
    is_charged: bool,
}

impl<'a> CountedMail<'a> {
    pub(crate) fn new(
        table: &'a OtpTable,
        network: &'a NetworkDigest,
        domain: &'a DomainDigest,
        now: Timestamp,
    ) -> CountedMail<'a> {
        CountedMail { table, network, domain, now, number: None, is_charged: false }
    }

    /// With the number of a leased mail.
    pub(crate) fn numbered(mut self, number: Option<u32>) -> CountedMail<'a> {
        self.number = number;
        self
    }

    /// Counted as unanswered on its network.
    pub(crate) fn charged(mut self, is_charged: bool) -> CountedMail<'a> {
        self.is_charged = is_charged;
        self
    }

    /// The mail was sent, or may have been. It stays counted.
    pub(crate) fn spend(mut self) {
        self.number = None;
        self.is_charged = false;
        self.table.mail.sent(self.domain, self.now.day());
    }
}

impl Drop for CountedMail<'_> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.table.mail.put_back(number, day_end(self.now));
        }
        if self.is_charged {
            self.table.not_sent(self.network, self.now);
        }
    }
}

impl OtpTable {
    /// The number of the next mail of the day. Takes a lease if this instance has none.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable. A mail is sent only after it has been counted (S88).
    pub async fn mail_number(&self, now: Timestamp) -> Result<u32> {
        let day_end = day_end(now);
        if let Some(number) = self.mail.leases(day_end).free.pop_first() {
            return Ok(number);
        }
        let key = ItemKey::new(Scope::Stack, "MAIL", &["day", &day_end.unix().to_string()]);
        let write = self.table.update(key).when(any([LEASED.is_missing(), LEASED.at_least(0)]));
        let write = write.add(LEASED, LEASE).set_if_missing(TTL, day_end.after(KEPT_FOR));
        let Written::Done(item) = write.send().await? else {
            return Err(Error::internal("the count of the day's mails is below zero"));
        };
        let last = count(&item, LEASED)?;
        let mut leases = self.mail.leases(day_end);
        let first = last.saturating_sub(LEASE) + 1;
        if leases.day_end == day_end {
            leases.free.extend(first + 1..=last);
        }
        Ok(first)
    }

    /// Whether `domain` has got the day's mails. Counts a batch of mails that this instance has sent there. A fault of the table
    /// leaves the batch for the next mail.
    pub async fn is_domain_full(&self, domain: &DomainDigest, now: Timestamp) -> bool {
        let day = now.day();
        let (mut known, batch) = {
            let mut domains = self.mail.domains();
            let Some(known) = domains.get_mut(domain).filter(|known| known.day == day) else { return false };
            let batch = if known.uncounted >= LEASE { std::mem::take(&mut known.uncounted) } else { 0 };
            (*known, batch)
        };
        if batch > 0 {
            let counted = self.count_mails(domain, batch, now).await;
            let mut domains = self.mail.domains();
            let now_known = domains.entry(domain.clone()).or_insert(Domain::on(day));
            match counted {
                Ok((counted, most)) => {
                    (now_known.counted, now_known.most) = (counted, most);
                }
                Err(error) => {
                    tracing::warn!(cause = error.cause(), "could not count the mails to a domain");
                    now_known.uncounted += batch;
                }
            }
            known = *now_known;
        }
        known.counted.saturating_add(known.uncounted) >= known.most
    }

    /// The mails to the domain on this day, and the most that it may get.
    async fn count_mails(&self, domain: &DomainDigest, batch: u32, now: Timestamp) -> Result<(u32, u32)> {
        let item = self.add_to_domain(domain, [batch, 0], now).await?;
        let on = |path: Path<'_>, day: u64| count(&item, path.with_suffix(&day.to_string()));
        let mut used = 0_u32;
        for day in 0..DAYS {
            used = used.saturating_add(on(USED, now.day().saturating_sub(day))?);
        }
        Ok((on(SENT, now.day())?, MailPolicy::of_domain(used)))
    }

    async fn add_to_domain(&self, domain: &DomainDigest, [sent, used]: [u32; 2], now: Timestamp) -> Result<Item> {
        let key = ItemKey::new(Scope::Stack, "MAIL", &["to", domain.as_str()]);
        let today = now.day().to_string();
        let mut write = self.table.update(key).when(any([TTL.is_missing(), TTL.at_least(0)]));
        for (path, count) in [(SENT, sent), (USED, used)] {
            if count > 0 {
                write = write.add(path.with_suffix(&today), count);
            }
        }
        // Three days, because some domains get no mail at weekends.
        for past in DAYS..DAYS + 3 {
            let day = now.day().saturating_sub(past).to_string();
            write = write.remove(SENT.with_suffix(&day)).remove(USED.with_suffix(&day));
        }
        match write.set(TTL, now.after(DOMAIN_KEPT_FOR)).send().await? {
            Written::Done(item) => Ok(item),
            Written::Refused(_) => Err(Error::internal("the count of a domain's mails has no time")),
        }
    }

    /// Counts a code that was used at `domain`, in batches.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable. A batch of used codes is then lost.
    pub async fn count_used_at(&self, domain: &DomainDigest, now: Timestamp) -> Result<()> {
        if let Some(used) = self.mail.used(domain) {
            self.add_to_domain(domain, [0, used], now).await?;
        }
        Ok(())
    }
}
