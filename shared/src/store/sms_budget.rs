//! `SMS#<day's end>` in `OtpTable`: the SMS of one day. All countries share one item, so that one conditional write checks every
//! limit, also that in money. The attributes are flat, because one write cannot create a map and count in it. `SMS#<day's end>#<range>` holds the
//! same counts for one range of numbers.
//!
//! About forty countries fit into one write unit, and each forty more cost another unit.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;

use super::expression::{Path, any};
use super::networks;
use super::row::{TTL, attributes};
use super::send::{MOST_ROUNDS, Written};
use super::table::{Item, OtpTable};
use crate::codes::{Action, Bounds, Breaker, Charge, Quota, Room, SmsPolicy, Spent, Target, Waiting, day_end};
use crate::observe::report::{self, Step};
use crate::words::{Channel, Error, ItemKey, Lane, Money, NetworkDigest, Result, Scope, Timestamp};

attributes! {
    /// SMS to all countries.
    TOTAL = "n";
    /// The cost of SMS to all countries, in millionths of a dollar. Missing if money is not counted.
    MONEY = "m";
    /// SMS to the country or range. For a country, its code is appended to the name: `sGB`.
    SENT = "s";
    /// Codes of these SMS that were used. The name is formed like `SENT`.
    USED = "u";
    /// The breaker debt. The name is formed like `SENT`.
    DEBT = "k";
    /// When the last of these SMS was counted, in Unix seconds. The name is formed like `SENT`.
    LAST = "l";
}

/// A day's counts stay readable for a month.
const KEPT_FOR: Duration = Duration::from_secs(31 * 86_400);
/// How long an instance caches "today's SMS budget is used up". Shorter than a day, because reservations for messages that are
/// not sent are returned a moment later. A client refused in that moment still gets the end of the day as its retry time.
const SPENT_FOR: Duration = Duration::from_secs(60);

impl OtpTable {
    /// Reads the day's quota of `network` and the day's counts for `target`, in one call. Counts that this instance knows to be used
    /// up for a client on `lane` are not read. The call runs in parallel with the read that tells the client's true lane. It may miss
    /// the newest messages, because [`OtpTable::take_message`] and [`OtpTable::count`] decide again.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub async fn sms_counts(
        &self,
        target: &Target,
        policy: &SmsPolicy,
        lane: Lane,
        network: &NetworkDigest,
        now: Timestamp,
    ) -> Result<(Quota, SmsCounts)> {
        let (pools, allowance) = (Pool::of(target, policy, lane, now), policy.of_network());
        let day = networks::key(Action::Sms, network, allowance.window_end(now));
        let is_open = pools.each_ref().map(|pool| !self.is_spent(pool, now));
        let open = pools.iter().zip(is_open).filter(|(_, is_open)| *is_open).map(|(pool, _)| &pool.key);
        let keys: Vec<_> = [&day].into_iter().chain(open).collect();
        let mut items = self.table.get_all_eventually(&keys).await?;
        let mut item = |key: &ItemKey| items.remove(key).unwrap_or_default();
        let quota = self.quota_in(&item(&day), Action::Sms, network, allowance, now)?;
        let [country, range] = pools.each_ref().map(|pool| pool.spent(&item(&pool.key)));
        let [is_country_open, is_range_open] = is_open;
        Ok((quota, SmsCounts([is_country_open.then_some(country?), is_range_open.then_some(range?)])))
    }

    /// Whether a message of this charge may go to `target`, according to the counts just read. A request over a limit is refused before it
    /// begins a challenge. [`OtpTable::take_message`] makes the final decision.
    pub fn message_quota(
        &self,
        SmsCounts(counts): SmsCounts,
        target: &Target,
        policy: &SmsPolicy,
        charge: Charge,
        waiting: Waiting,
        now: Timestamp,
    ) -> Quota {
        let quota = |(pool, spent): (Pool, Option<Spent>)| match spent {
            None => pool.known_spent(now),
            Some(spent) => {
                self.closed(&pool, spent, policy, charge, waiting, now).map_or(Quota::Left, Quota::SpentUntil)
            }
        };
        let pools = Pool::of(target, policy, waiting.lane, now).into_iter().zip(counts);
        pools.map(quota).fold(Quota::Left, Quota::and)
    }

    /// Counts one message against the daily budgets and the breaker of its country and range. Called before the SMS is sent, and
    /// permanent if it may have been sent. Each count is one conditional write, so that parallel senders stay within the limits
    /// (S71).
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable. An SMS is sent only after it has been counted (S88).
    pub async fn take_message(
        &self,
        target: &Target,
        policy: &SmsPolicy,
        charge: Charge,
        waiting: Waiting,
        now: Timestamp,
    ) -> Result<Quota> {
        let [country, range] = Pool::of(target, policy, waiting.lane, now);
        let (of_country, of_range) = tokio::try_join!(
            self.take(&country, policy, charge, waiting, now),
            self.take(&range, policy, charge, waiting, now)
        )?;
        // If one of the two is over its limit, the other count is returned. Otherwise parallel requests to one range could use up
        // the budget of the day.
        let given_back = match (of_country, of_range) {
            (Quota::Left, Quota::SpentUntil(_)) => self.give_back(&country, policy, charge).await,
            (Quota::SpentUntil(_), Quota::Left) => self.give_back(&range, policy, charge).await,
            _ => Ok(()),
        };
        if let Err(error) = given_back {
            tracing::warn!(cause = error.cause(), "an SMS was not sent but stays counted against the budget");
        }
        Ok(of_country.and(of_range))
    }

    /// Returns the debts of [`OtpTable::take_message`] after a send that certainly failed, because its code is useless. The
    /// budget stays used.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub async fn forgive_message(&self, target: &Target, policy: &SmsPolicy, now: Timestamp) -> Result<()> {
        let [country, range] = Pool::of(target, policy, Lane::Known, now);
        tokio::try_join!(self.forgive(&country, policy), self.forgive(&range, policy)).map(|_| ())
    }

    /// Counts a used code and lets it pay off breaker debt, down to the maximum credit. Does nothing on a day without SMS to the
    /// country or range.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub async fn count_used(&self, target: &Target, policy: &SmsPolicy, now: Timestamp) -> Result<()> {
        let [country, range] = Pool::of(target, policy, Lane::Known, now);
        tokio::try_join!(self.pay(&country), self.pay(&range)).map(|_| ())
    }

    async fn take(
        &self,
        pool: &Pool,
        policy: &SmsPolicy,
        charge: Charge,
        waiting: Waiting,
        now: Timestamp,
    ) -> Result<Quota> {
        if self.is_spent(pool, now) {
            return Ok(pool.known_spent(now));
        }
        let [sent, debt, last] = [SENT, DEBT, LAST].map(|attribute| pool.here(attribute));
        // Without this, an item without counts could be charged more than a limit.
        let Some(Room { total: most_total, sent: most_sent, money }) = pool.bounds.before(charge) else {
            return Ok(pool.known_spent(now));
        };
        let (units, most_debt) = (charge.units, pool.bounds.debt);
        let mut write = self
            .table
            .update(pool.key.clone())
            .when(any([TOTAL.is_missing(), TOTAL.at_most(("most_total", most_total))]))
            .when(any([sent.is_missing(), sent.at_most(("most_sent", most_sent))]))
            .when(any([debt.is_missing(), debt.below(("most_debt", most_debt))]
                .into_iter()
                .chain(waiting.is_probe.then(|| last.at_most(("pause_ago", now.before(policy.breaker.pause)))))))
            .add(TOTAL, ("units", units))
            .add(sent, ("units", units))
            .add(debt, policy.breaker.share)
            .set(last, ("now", now))
            .set_if_missing(TTL, day_end(now).after(KEPT_FOR));
        if let Some(most) = money {
            write = write
                .when(any([MONEY.is_missing(), MONEY.at_most(("most_money", most.as_micros()))]))
                .add(MONEY, ("cost", charge.cost.as_micros()));
        }
        match write.send().await? {
            Written::Done(item) => {
                pool.note(pool.spent(&item)?, None);
                Ok(Quota::Left)
            }
            Written::Refused(item) => {
                let spent = pool.spent(&item.unwrap_or_default())?;
                Ok(Quota::SpentUntil(self.closed(pool, spent, policy, charge, waiting, now).unwrap_or(now)))
            }
        }
    }

    /// Undoes [`OtpTable::take`], except for the time of the last SMS, because the previous value is unknown. It is sent only
    /// once. If the answer is lost, a message may stay counted; a retry could return it twice.
    async fn give_back(&self, pool: &Pool, policy: &SmsPolicy, charge: Charge) -> Result<()> {
        let [sent, debt] = [SENT, DEBT].map(|attribute| pool.here(attribute));
        let mut write = self
            .table
            .update(pool.key.clone())
            .when(TOTAL.at_least(charge.units))
            .when(sent.at_least(charge.units))
            .add(TOTAL, -i64::from(charge.units))
            .add(sent, -i64::from(charge.units))
            .add(debt, -i64::from(policy.breaker.share));
        if pool.bounds.money.is_some() {
            let cost = i64::try_from(charge.cost.as_micros()).map_err(Error::internal)?;
            write = write.when(MONEY.at_least(cost)).add(MONEY, -cost);
        }
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
        let most_credit = pool.whole.most_credit();
        let nearly = ("nearly_most_credit", most_credit.saturating_add(Breaker::PAID_BY_USE));
        // When users answer, there is usually little debt left, so the write for that case goes first. Other requests change the
        // debt at the same time, so both writes can be refused in turn. The loop then repeats them.
        for _ in 0..MOST_ROUNDS {
            let last = self.table.update(pool.key.clone()).when(debt.at_most(nearly));
            let last = last.set(debt, ("most_credit", most_credit)).add(used, 1);
            let Written::Refused(Some(item)) = last.send().await? else { return Ok(()) };
            // A code sent yesterday, while this day has SMS to other countries only. Both writes would be refused forever.
            if !item.contains_key(&debt.name()) {
                return Ok(());
            }
            let payment = self.table.update(pool.key.clone()).when(debt.above(nearly));
            let payment = payment.add(debt, -Breaker::PAID_BY_USE).add(used, 1);
            let Written::Refused(Some(_)) = payment.send().await? else { return Ok(()) };
        }
        Err(Error::unavailable("too many parallel requests change the day's SMS counts"))
    }

    fn is_spent(&self, pool: &Pool, now: Timestamp) -> bool {
        pool.known_as.iter().any(|key| self.refused.until(key, now).is_some())
    }

    /// Until when the counts refuse messages. A used-up budget usually stays used up until the end of the day, so this instance
    /// remembers it for a while. The breaker may allow messages again at any moment, so its state is read each time.
    fn closed(
        &self,
        pool: &Pool,
        spent: Spent,
        policy: &SmsPolicy,
        charge: Charge,
        waiting: Waiting,
        now: Timestamp,
    ) -> Option<Timestamp> {
        // Where a message of several parts is too costly, a shorter one may still go.
        if pool.bounds.are_spent(spent, pool.least) {
            let [of_all, of_this] = &pool.known_as;
            let key = if spent.total >= pool.bounds.total { of_all } else { of_this };
            self.refused.remember(key.clone(), day_end(now).min(now.after(SPENT_FOR)), now);
        }
        let closed = policy.closed_until(pool.bounds, spent, charge, waiting.is_probe, now);
        let stopped_by = if pool.bounds.are_spent(spent, charge) { "budget" } else { "breaker" };
        pool.note(spent, closed.map(|_| stopped_by));
        closed
    }
}

/// The day's counts for a country and a range. `None` means that this instance knows one of them to be used up.
#[derive(Clone, Copy, Debug)]
pub struct SmsCounts([Option<Spent>; 2]);

/// A place for counts: a country's attributes in the day's item, or the item of a range.
struct Pool {
    key: ItemKey,
    /// The names under which this instance remembers that clients on this lane get nothing more: of all countries, and of this one.
    known_as: [ItemKey; 2],
    /// Appended to the attribute names of a country: `sGB`.
    suffix: &'static str,
    /// The limits on this lane.
    bounds: Bounds,
    /// The limits without a reserve.
    whole: Bounds,
    /// The charge of the cheapest message.
    least: Charge,
}

impl Pool {
    fn of(target: &Target, policy: &SmsPolicy, lane: Lane, now: Timestamp) -> [Pool; 2] {
        // The key belongs to the stack, because all tenants share one bill.
        let key = |name: &[&str]| ItemKey::new(Scope::Stack, "SMS", name);
        let day = day_end(now).unix().to_string();
        let country = target.country.code();
        let known_as = |name: &str| [&[&*day, lane.name()][..], &[&*day, name, lane.name()][..]].map(key);
        let whole = Lane::Known;
        [
            Pool {
                key: key(&[&day]),
                known_as: known_as(country),
                suffix: country,
                bounds: policy.of_country(lane),
                whole: policy.of_country(whole),
                least: policy.charge(Channel::Sms, target.country, 1),
            },
            Pool {
                key: key(&[&day, &target.range]),
                known_as: known_as(&target.range),
                suffix: "",
                bounds: policy.of_range(lane),
                whole: policy.of_range(whole),
                least: Charge { units: 1, cost: Money::default() },
            },
        ]
    }

    /// Refused from this instance's memory, without a read.
    fn known_spent(&self, now: Timestamp) -> Quota {
        let Bounds { total, sent, money, .. } = self.bounds;
        self.note(Spent { total, sent, money: money.unwrap_or_default(), ..Spent::default() }, Some("budget"));
        Quota::SpentUntil(day_end(now))
    }

    fn note(&self, spent: Spent, stopped_by: Option<&'static str>) {
        report::note(Step::Budget {
            of: if self.suffix.is_empty() { "range" } else { self.suffix }.into(),
            total: [spent.total, self.whole.total],
            sent: [spent.sent, self.whole.sent],
            money: self.whole.money.map(|most| [spent.money, most].map(Money::as_micros)),
            debt: [spent.debt, self.bounds.debt],
            stopped_by: stopped_by.map(Into::into),
        });
    }

    /// The attribute under its name in this item.
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
            money: Money::micros(count(MONEY)?.unsigned_abs()),
            debt: count(self.here(DEBT))?,
            last: Timestamp::from_unix(count(self.here(LAST))?.unsigned_abs()),
        })
    }
}
