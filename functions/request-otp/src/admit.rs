//! Step 1: the limits that are looked at before anything is begun.

use shared::codes::{Action, Quota};
use shared::words::{Error, Identifier, Result};

use crate::RequestOtp;
use crate::begin::Asking;

impl RequestOtp {
    /// Counts the request on its network. One for an SMS is refused here, too, when the network's day or everybody's is
    /// spent: it then takes nothing of either, nor of its identifier's hour.
    pub(crate) async fn admit(&self, asking: Asking<'_>) -> Result<()> {
        let Asking { identifier, network, now, .. } = asking;
        let closed = |retry_after| Error::RateLimited { retry_after };
        let request = self.table.count(Action::Request, network, self.requests, now);
        let Identifier::Phone(phone) = identifier else { return request.await?.or_refuse(now, closed) };

        let sms = &self.policy.sms;
        let target = sms.target(phone)?;
        // What this instance knows to be closed costs nothing at all.
        self.table.known_quota(Action::Sms, network, sms.of_network(), now).or_refuse(now, closed)?;
        let (request, day, budget) = tokio::try_join!(
            request,
            self.table.quota(Action::Sms, network, sms.of_network(), now),
            self.table.message_quota(&target, sms, now),
        )?;
        [request, day, budget].into_iter().try_for_each(|quota| quota.or_refuse(now, closed))
    }

    /// Counts an SMS on its network's day; mail has none.
    pub(crate) async fn count_on_the_day(&self, asking: Asking<'_>) -> Result<Quota> {
        let Asking { identifier, network, now, .. } = asking;
        match identifier {
            Identifier::Email(_) => Ok(Quota::Left),
            Identifier::Phone(_) => self.table.count(Action::Sms, network, self.policy.sms.of_network(), now).await,
        }
    }
}
