//! The checks before a message is sent. Messages cost money and reputation, and an attacker can request them (V40).
//!
//! 1. [`Gate::look`] runs first, so that a request over a limit changes nothing else.
//! 2. [`Gate::reserve`] runs in parallel with the write that begins the challenge.
//! 3. [`Gate::take`] counts the message for good and returns a [`Permit`]. Nothing is sent without one (S160).
//! 4. [`Gate::give_back`] runs after a send that was certainly rejected, and [`Gate::pay`] after the code was used.

use crate::codes::{Action, Allowance, Quota, SmsPolicy, Target};
use crate::store::OtpTable;
use crate::words::{Destination, Error, NetworkDigest, Result, Timestamp};

/// The checks of one message.
pub struct Gate<'a> {
    table: &'a OtpTable,
    policy: &'a SmsPolicy,
    to: &'a Destination,
    /// The country and range of an SMS. `None` for mail, which only its network limits.
    sms: Option<Target>,
    now: Timestamp,
}

/// The permission to send one message to one destination. Only [`Gate::take`] makes it.
pub struct Permit<'a> {
    to: &'a Destination,
}

/// The network's daily quota when the challenge began.
#[derive(Debug)]
pub struct Reserved(Quota);

impl<'a> Gate<'a> {
    /// The checks for a message to `to`.
    ///
    /// # Errors
    /// As [`SmsPolicy::target`], if SMS to this number are not allowed.
    pub fn new(table: &'a OtpTable, policy: &'a SmsPolicy, to: &'a Destination, now: Timestamp) -> Result<Gate<'a>> {
        let sms = match to {
            Destination::Email(_) => None,
            Destination::Sms(phone) => Some(policy.target(phone)?),
        };
        Ok(Gate { table, policy, to, sms, now })
    }

    /// Refuses a network whose limit this instance has seen reached. This costs no call.
    ///
    /// # Errors
    /// [`Error::RateLimited`] over a limit.
    pub fn know(&self, network: &NetworkDigest, requests: Allowance) -> Result<()> {
        let Gate { table, policy, now, .. } = *self;
        let mut limits = vec![(Action::Request, requests)];
        limits.extend(self.sms.is_some().then(|| (Action::Sms, policy.of_network())));
        limits.into_iter().try_for_each(|(action, allowance)| {
            table.known_quota(action, network, allowance, now).or_refuse(now, limited)
        })
    }

    /// Counts the request on its network. Also refuses an SMS if the daily quota of the network or the SMS budget is used up. The
    /// refused request then uses neither of them, and none of the identifier's hourly challenges.
    ///
    /// # Errors
    /// [`Error::RateLimited`] over a limit; [`Error::Unavailable`] when the table is unreachable.
    pub async fn look(&self, network: &NetworkDigest, requests: Allowance) -> Result<()> {
        let Gate { table, policy, now, .. } = *self;
        let request = table.count(Action::Request, network, requests, now);
        let Some(target) = &self.sms else { return request.await?.or_refuse(now, limited) };

        let daily = policy.of_network();
        let (request, day, budget) = tokio::try_join!(
            request,
            table.quota(Action::Sms, network, daily, now),
            table.message_quota(target, policy, now),
        )?;
        [request, day, budget].into_iter().try_for_each(|quota| quota.or_refuse(now, limited))
    }

    /// Counts an SMS against its network's daily quota.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub async fn reserve(&self, network: &NetworkDigest) -> Result<Reserved> {
        let day = match self.sms {
            None => Quota::Left,
            Some(_) => self.table.count(Action::Sms, network, self.policy.of_network(), self.now).await?,
        };
        Ok(Reserved(day))
    }

    /// Counts an SMS against the daily budget. Refuses it if other requests have used up the budget since [`Gate::look`].
    ///
    /// # Errors
    /// [`Error::RateLimited`] over a limit; [`Error::Unavailable`] when the table is unreachable. An SMS is sent only after it has
    /// been counted (S88).
    pub async fn take(&self, Reserved(day): Reserved) -> Result<Permit<'a>> {
        let quota = match (&self.sms, day) {
            (Some(target), Quota::Left) => self.table.take_message(target, self.policy, self.now).await?,
            (None, _) | (_, Quota::SpentUntil(_)) => day,
        };
        quota.or_refuse(self.now, limited)?;
        Ok(Permit { to: self.to })
    }

    /// Returns the breaker debt of an SMS that was certainly rejected, because its code is useless. The budget stays used.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub async fn give_back(&self) -> Result<()> {
        match &self.sms {
            None => Ok(()),
            Some(target) => self.table.forgive_message(target, self.policy, self.now).await,
        }
    }

    /// Pays off breaker debt after a code was used. A failure is only logged, because the user is signed in already.
    pub async fn pay(&self) {
        let Some(target) = &self.sms else { return };
        if let Err(error) = self.table.count_used(target, self.policy, self.now).await {
            tracing::warn!(cause = error.cause(), "could not count a used code");
        }
    }
}

impl Permit<'_> {
    /// The only destination that the message may go to.
    pub fn to(&self) -> &Destination {
        self.to
    }
}

fn limited(retry_after: std::time::Duration) -> Error {
    Error::RateLimited { retry_after }
}
