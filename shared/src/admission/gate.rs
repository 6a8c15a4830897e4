//! The gate: what a message must pass before it is sent. Messages are money and reputation that strangers can spend (V40).
//!
//! 1. [`Gate::look`] before anything is begun, so that a request that would be refused takes nothing.
//! 2. [`Gate::reserve`] beside the write that begins the challenge.
//! 3. [`Gate::take`] before the send, for good.
//! 4. [`Gate::give_back`] where the send was surely refused, and [`Gate::pay`] where its code was used.

use crate::codes::{Action, Allowance, Quota, SmsPolicy, Target};
use crate::store::OtpTable;
use crate::words::{Destination, Error, NetworkDigest, Result, Timestamp};

/// One message at the gate.
pub struct Gate<'a> {
    table: &'a OtpTable,
    policy: &'a SmsPolicy,
    /// Where an SMS is counted; mail is counted by its network alone.
    sms: Option<Target>,
    now: Timestamp,
}

/// What the network's day said when the challenge began.
#[derive(Debug)]
pub struct Reserved(Quota);

impl<'a> Gate<'a> {
    /// The gate for a message to `to`.
    ///
    /// # Errors
    /// As [`SmsPolicy::target`], where no SMS is sent.
    pub fn new(table: &'a OtpTable, policy: &'a SmsPolicy, to: &Destination, now: Timestamp) -> Result<Gate<'a>> {
        let sms = match to {
            Destination::Email(_) => None,
            Destination::Sms(phone) => Some(policy.target(phone)?),
        };
        Ok(Gate { table, policy, sms, now })
    }

    /// Counts the request on its network. One for an SMS is refused here, too, when the network's day or everybody's is
    /// spent: it then takes nothing of either, nor of its identifier's hour.
    ///
    /// # Errors
    /// [`Error::RateLimited`]; [`Error::Unavailable`] when the table is unreachable.
    pub async fn look(&self, network: &NetworkDigest, requests: Allowance) -> Result<()> {
        let Gate { table, policy, now, .. } = *self;
        let request = table.count(Action::Request, network, requests, now);
        let Some(target) = &self.sms else { return request.await?.or_refuse(now, limited) };

        let daily = policy.of_network();
        // What this instance knows to be closed costs nothing at all.
        table.known_quota(Action::Sms, network, daily, now).or_refuse(now, limited)?;
        let (request, day, budget) = tokio::try_join!(
            request,
            table.quota(Action::Sms, network, daily, now),
            table.message_quota(target, policy, now),
        )?;
        [request, day, budget].into_iter().try_for_each(|quota| quota.or_refuse(now, limited))
    }

    /// Counts an SMS on its network's day.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn reserve(&self, network: &NetworkDigest) -> Result<Reserved> {
        let day = match self.sms {
            None => Quota::Left,
            Some(_) => self.table.count(Action::Sms, network, self.policy.of_network(), self.now).await?,
        };
        Ok(Reserved(day))
    }

    /// Takes an SMS out of the day's budget, unless others were quicker since [`Gate::look`].
    ///
    /// # Errors
    /// When the table cannot be reached: what cannot be counted is not sent (S88).
    pub async fn take(&self, Reserved(day): Reserved) -> Result<Quota> {
        match (&self.sms, day) {
            (Some(target), Quota::Left) => self.table.take_message(target, self.policy, self.now).await,
            (None, _) | (_, Quota::SpentUntil(_)) => Ok(day),
        }
    }

    /// Takes back the debt of an SMS that was surely not sent, because nobody can answer it. The budget stays taken.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn give_back(&self) -> Result<()> {
        match &self.sms {
            None => Ok(()),
            Some(target) => self.table.forgive_message(target, self.policy, self.now).await,
        }
    }

    /// Tells the pumping breaker that a person answered. They are signed in already, whatever becomes of the count.
    pub async fn pay(&self) {
        let Some(target) = &self.sms else { return };
        if let Err(error) = self.table.count_used(target, self.policy, self.now).await {
            tracing::warn!(cause = error.cause(), "a used code was not counted");
        }
    }
}

fn limited(retry_after: std::time::Duration) -> Error {
    Error::RateLimited { retry_after }
}
