//! `SMS#<day's end>` in `OtpTable`: the messages of one day, all countries in one item, so that one conditional write
//! keeps every limit at once. Its attributes are flat, because a write cannot make a map and count in it.
//! `SMS#<day's end>#<range>` has the same of one range of numbers.
//!
//! About forty countries fit one write unit; each forty more cost another.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;

use super::expression::{Path, any};
use super::row::{TTL, attributes};
use super::send::{MOST_ROUNDS, Written};
use super::table::{Item, OtpTable};
use crate::codes::{Bounds, Breaker, Quota, SmsPolicy, Spent, Target};
use crate::observe::report::{self, Step};
use crate::words::{Error, ItemKey, Result, Scope, Timestamp};

attributes! {
    /// Messages to everywhere.
    TOTAL = "n";
    /// Messages to the country or range. A country's code ends the name: `sGB`.
    SENT = "s";
    /// Codes of these messages that were used; named like `SENT`.
    USED = "u";
    /// The debt to the breaker; named like `SENT`.
    DEBT = "k";
    /// When the last of these messages was taken, in Unix seconds; named like `SENT`.
    LAST = "l";
}

/// The counts of a day stay readable for a month.
const KEPT_FOR: Duration = Duration::from_secs(31 * 86_400);
/// How long an instance takes a budget for spent without asking. Not for the day: what was taken by requests that send
/// nothing after all is given back a moment later. Who is refused in that moment is still told to come tomorrow.
const SPENT_FOR: Duration = Duration::from_secs(60);

impl OtpTable {
    /// Whether a message may go to `target`, without taking it: read beside other limits, so that a request that would be
    /// refused begins no challenge. [`OtpTable::take_message`] decides.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn message_quota(&self, target: &Target, policy: &SmsPolicy, now: Timestamp) -> Result<Quota> {
        let [country, range] = Pool::of(target, policy, now);
        let quotas = tokio::try_join!(self.look(&country, policy, now), self.look(&range, policy, now))?;
        Ok(quotas.0.and(quotas.1))
    }

    /// Takes one message out of the day's budget, total and per country, and past the breaker: before it is sent, and for
    /// good where it may be. Each is one conditional write, so that parallel senders do not pass a limit together (S71).
    ///
    /// # Errors
    /// When the table cannot be reached: what cannot be counted is not sent (S88).
    pub async fn take_message(&self, target: &Target, policy: &SmsPolicy, now: Timestamp) -> Result<Quota> {
        let [country, range] = Pool::of(target, policy, now);
        let (of_country, of_range) =
            tokio::try_join!(self.take(&country, policy, now), self.take(&range, policy, now))?;
        // The one that was open is not sent to after all: parallel requests to one range must not spend everybody's day.
        let given_back = match (of_country, of_range) {
            (Quota::Left, Quota::SpentUntil(_)) => self.give_back(&country, policy).await,
            (Quota::SpentUntil(_), Quota::Left) => self.give_back(&range, policy).await,
            _ => Ok(()),
        };
        if let Err(error) = given_back {
            tracing::warn!(cause = error.cause(), "a message that was not sent stays counted");
        }
        Ok(of_country.and(of_range))
    }

    /// Takes the debts back that [`OtpTable::take_message`] made: nobody can answer what was surely not sent. The budget
    /// stays taken.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn forgive_message(&self, target: &Target, policy: &SmsPolicy, now: Timestamp) -> Result<()> {
        let [country, range] = Pool::of(target, policy, now);
        tokio::try_join!(self.forgive(&country, policy), self.forgive(&range, policy)).map(|_| ())
    }

    /// Counts a code that was used, and lets it pay the debts, down to the most credit and no further. A day in which
    /// nothing was sent counts nothing.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn count_used(&self, target: &Target, policy: &SmsPolicy, now: Timestamp) -> Result<()> {
        let [country, range] = Pool::of(target, policy, now);
        tokio::try_join!(self.pay(&country), self.pay(&range)).map(|_| ())
    }

    async fn look(&self, pool: &Pool, policy: &SmsPolicy, now: Timestamp) -> Result<Quota> {
        if self.is_spent(pool, now) {
            return Ok(pool.known_spent(now));
        }
        let item = self.table.get(&pool.key).await?;
        let closed = self.closed(pool, item, policy, now)?;
        Ok(closed.map_or(Quota::Left, Quota::SpentUntil))
    }

    async fn take(&self, pool: &Pool, policy: &SmsPolicy, now: Timestamp) -> Result<Quota> {
        if self.is_spent(pool, now) {
            return Ok(pool.known_spent(now));
        }
        let [sent, debt, last] = [SENT, DEBT, LAST].map(|attribute| pool.here(attribute));
        let Bounds { total: most_total, sent: most_sent, debt: most_debt } = pool.bounds;
        let write = self
            .table
            .update(pool.key.clone())
            .when(any([TOTAL.is_missing(), TOTAL.below(("most_total", most_total))]))
            .when(any([sent.is_missing(), sent.below(("most_sent", most_sent))]))
            .when(any([
                debt.is_missing(),
                debt.below(("most_debt", most_debt)),
                last.at_most(("pause_ago", now.before(policy.breaker.pause))),
            ]))
            .add(TOTAL, 1)
            .add(sent, 1)
            .add(debt, policy.breaker.share)
            .set(last, ("now", now))
            .set_if_missing(TTL, SmsPolicy::day_end(now).after(KEPT_FOR));
        match write.send().await? {
            Written::Done(item) => {
                pool.note(pool.spent(&item)?, None);
                Ok(Quota::Left)
            }
            Written::Refused(item) => Ok(Quota::SpentUntil(self.closed(pool, item, policy, now)?.unwrap_or(now))),
        }
    }

    /// Undoes [`OtpTable::take`], but for the time, which nobody knows any more. Never twice: a lost answer may leave a
    /// message taken, and must not give one away.
    async fn give_back(&self, pool: &Pool, policy: &SmsPolicy) -> Result<()> {
        let [sent, debt] = [SENT, DEBT].map(|attribute| pool.here(attribute));
        let write = self
            .table
            .update(pool.key.clone())
            .when(TOTAL.at_least(1))
            .when(sent.at_least(1))
            .add(TOTAL, -1)
            .add(sent, -1)
            .add(debt, -i64::from(policy.breaker.share));
        write.send_once().await
    }

    async fn forgive(&self, pool: &Pool, policy: &SmsPolicy) -> Result<()> {
        let debt = pool.here(DEBT);
        let write = self.table.update(pool.key.clone()).when(debt.exists()).add(debt, -i64::from(policy.breaker.share));
        write.send().await?;
        Ok(())
    }

    async fn pay(&self, pool: &Pool) -> Result<()> {
        let [used, debt] = [USED, DEBT].map(|attribute| pool.here(attribute));
        let most_credit = pool.bounds.most_credit();
        let nearly = ("nearly_most_credit", most_credit.saturating_add(Breaker::PAID_BY_USE));
        // Where people answer there is mostly nothing left to pay: try that first. Others pay and owe meanwhile, so that what
        // was too much for one write may be too little for the next; no payment is lost between them.
        for _ in 0..MOST_ROUNDS {
            let last = self.table.update(pool.key.clone()).when(debt.at_most(nearly));
            let last = last.set(debt, ("most_credit", most_credit)).add(used, 1);
            let Written::Refused(Some(item)) = last.send().await? else { return Ok(()) };
            // A code of yesterday, in a day of other countries: no write below would ever find a debt.
            if !item.contains_key(&debt.name()) {
                return Ok(());
            }
            let payment = self.table.update(pool.key.clone()).when(debt.above(nearly));
            let payment = payment.add(debt, -Breaker::PAID_BY_USE).add(used, 1);
            let Written::Refused(Some(_)) = payment.send().await? else { return Ok(()) };
        }
        Err(Error::unavailable("the day's item is busy"))
    }

    fn is_spent(&self, pool: &Pool, now: Timestamp) -> bool {
        let is_known = |key| self.refused.until(key, now).is_some();
        is_known(&pool.key) || is_known(&pool.key_here)
    }

    /// Until when `item` closes the pool. A spent budget mostly stays spent until its day ends, which this instance
    /// remembers for a while; what the breaker stopped may go on at any moment.
    fn closed(&self, pool: &Pool, item: Option<Item>, policy: &SmsPolicy, now: Timestamp) -> Result<Option<Timestamp>> {
        let spent = item.map_or(Ok(Spent::default()), |item| pool.spent(&item))?;
        if pool.bounds.are_spent(spent) {
            let key = if spent.total >= pool.bounds.total { &pool.key } else { &pool.key_here };
            self.refused.remember(key.clone(), SmsPolicy::day_end(now).min(now.after(SPENT_FOR)), now);
        }
        let closed = policy.closed_until(pool.bounds, spent, now);
        let stopped_by = if pool.bounds.are_spent(spent) { "budget" } else { "breaker" };
        pool.note(spent, closed.map(|_| stopped_by));
        Ok(closed)
    }
}

/// Where messages are counted: a country's attributes in the day's item, or a range's item.
struct Pool {
    key: ItemKey,
    /// Names the country's own budget in this instance's memory.
    key_here: ItemKey,
    /// Ends the names of a country's attributes: `sGB`.
    suffix: &'static str,
    bounds: Bounds,
}

impl Pool {
    fn of(target: &Target, policy: &SmsPolicy, now: Timestamp) -> [Pool; 2] {
        // The stack's, because the messages of all tenants are on one bill.
        let key = |name: &[&str]| ItemKey::new(Scope::Stack, "SMS", name);
        let day = SmsPolicy::day_end(now).unix().to_string();
        let country = target.country.code();
        let range = key(&[&day, &target.range]);
        [
            Pool { key: key(&[&day]), key_here: key(&[&day, country]), suffix: country, bounds: policy.of_country() },
            Pool { key_here: range.clone(), key: range, suffix: "", bounds: policy.of_range() },
        ]
    }

    /// Closed, as this instance knows without asking.
    fn known_spent(&self, now: Timestamp) -> Quota {
        let Bounds { total, sent, .. } = self.bounds;
        self.note(Spent { total, sent, ..Spent::default() }, Some("budget"));
        Quota::SpentUntil(SmsPolicy::day_end(now))
    }

    fn note(&self, spent: Spent, stopped_by: Option<&'static str>) {
        report::note(Step::Budget {
            of: if self.suffix.is_empty() { "range" } else { self.suffix }.into(),
            total: [spent.total, self.bounds.total],
            sent: spent.sent,
            debt: [spent.debt, self.bounds.debt],
            stopped_by: stopped_by.map(Into::into),
        });
    }

    /// The attribute as this pool's item calls it.
    fn here(&self, attribute: Path<'static>) -> Path<'static> {
        attribute.with_suffix(self.suffix)
    }

    fn spent(&self, item: &Item) -> Result<Spent> {
        let count = |attribute: Path<'_>| match item.get(&attribute.name()) {
            Some(AttributeValue::N(number)) => number.parse::<i64>().map_err(Error::internal),
            _ => Ok(0),
        };
        let small = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
        Ok(Spent {
            total: small(count(TOTAL)?),
            sent: small(count(self.here(SENT))?),
            debt: count(self.here(DEBT))?,
            last: Timestamp::from_unix(count(self.here(LAST))?.unsigned_abs()),
        })
    }
}
