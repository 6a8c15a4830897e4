//! `SMS#<day's end>` in `OtpTable`: the messages of one day, all countries in one item, so that one conditional write
//! keeps every limit at once. Its attributes are flat, because a write cannot make a map and count in it.
//! `SMS#<day's end>#<range>` has the same of one range of numbers.
//!
//! About forty countries fit one write unit; each forty more cost another.

use std::time::Duration;

use super::OtpTable;
use super::identifier::MOST_TRIES;
use super::pool::{DEBT, LAST, Pool, SENT, TOTAL, USED, signed};
use super::write::{self, Item, Written, number};
use crate::codes::{Breaker, Quota, SmsPolicy, Spent, Target};
use crate::words::{Error, Result, Timestamp};

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
        let item = write::get(self.table.get(&pool.key).consistent_read(true)).await?;
        let closed = self.closed(pool, item, policy, now)?;
        Ok(closed.map_or(Quota::Left, Quota::SpentUntil))
    }

    async fn take(&self, pool: &Pool, policy: &SmsPolicy, now: Timestamp) -> Result<Quota> {
        if self.is_spent(pool, now) {
            return Ok(pool.known_spent(now));
        }
        let write = self
            .table
            .update(&pool.key)
            .update_expression("ADD #n :one, #s :one, #k :share SET #l = :now, #ttl = if_not_exists(#ttl, :ttl)")
            .condition_expression(
                "(attribute_not_exists(#n) OR #n < :most) AND (attribute_not_exists(#s) OR #s < :most_here) \
                 AND (attribute_not_exists(#k) OR #k < :limit OR #l <= :paused)",
            )
            .expression_attribute_names("#n", TOTAL)
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":one", number(1_u32))
            .expression_attribute_values(":now", number(now.unix()))
            .expression_attribute_values(":most", number(pool.bounds.total))
            .expression_attribute_values(":most_here", number(pool.bounds.sent))
            .expression_attribute_values(":share", number(policy.breaker.share))
            .expression_attribute_values(":limit", signed(pool.bounds.debt))
            .expression_attribute_values(":paused", number(now.before(policy.breaker.pause).unix()))
            .expression_attribute_values(":ttl", number(SmsPolicy::day_end(now).after(KEPT_FOR).unix()));
        match write::update(pool.named(write, &[SENT, DEBT, LAST])).await? {
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
        let write = self
            .table
            .update(&pool.key)
            .update_expression("ADD #n :minus, #s :minus, #k :minus_share")
            .condition_expression("#n >= :one AND #s >= :one")
            .expression_attribute_names("#n", TOTAL)
            .expression_attribute_values(":one", number(1_u32))
            .expression_attribute_values(":minus", signed(-1))
            .expression_attribute_values(":minus_share", signed(-i64::from(policy.breaker.share)));
        write::update_once(pool.named(write, &[SENT, DEBT])).await
    }

    async fn forgive(&self, pool: &Pool, policy: &SmsPolicy) -> Result<()> {
        let write = self
            .table
            .update(&pool.key)
            .update_expression("ADD #k :minus")
            .condition_expression("attribute_exists(#k)")
            .expression_attribute_values(":minus", signed(-i64::from(policy.breaker.share)));
        write::update(pool.named(write, &[DEBT])).await?;
        Ok(())
    }

    async fn pay(&self, pool: &Pool) -> Result<()> {
        let most = pool.bounds.most_credit();
        let write = |update, condition| {
            let write = self.table.update(&pool.key).update_expression(update).condition_expression(condition);
            let write = write.expression_attribute_values(":one", number(1_u32));
            let nearly = signed(most.saturating_add(Breaker::PAID_BY_USE));
            pool.named(write, &[USED, DEBT]).expression_attribute_values(":nearly", nearly)
        };
        // Where people answer there is mostly nothing left to pay: try that first. Others pay and owe meanwhile, so that what
        // was too much for one write may be too little for the next; no payment is lost between them.
        for _ in 0..MOST_TRIES {
            let rest = write("SET #k = :most ADD #u :one", "#k <= :nearly");
            let rest = rest.expression_attribute_values(":most", signed(most));
            let Written::Refused(Some(item)) = write::update(rest).await? else { return Ok(()) };
            // A code of yesterday, in a day of other countries: no write below would ever find a debt.
            if !item.contains_key(&pool.named_here(DEBT)) {
                return Ok(());
            }
            let payment = write("ADD #u :one, #k :paid", "#k > :nearly");
            let payment = payment.expression_attribute_values(":paid", signed(-Breaker::PAID_BY_USE));
            let Written::Refused(Some(_)) = write::update(payment).await? else { return Ok(()) };
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
