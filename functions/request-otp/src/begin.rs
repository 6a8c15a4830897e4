//! Step 2: a challenge, new or sent again.

use std::time::Duration;

use shared::codes::{Binding, Draft, Quota, Strength};
use shared::http::TokenDelivery;
use shared::keys::CodeKeys;
use shared::store::ChallengeRequest;
use shared::words::{ChallengeId, Entropy, ExpiresAt, Identifier, Index, Lane, NetworkDigest, Result, Timestamp};

use crate::RequestOtp;

/// A request in the tables' words.
#[derive(Clone, Copy)]
pub(crate) struct Asking<'a> {
    pub(crate) identifier: &'a Identifier,
    /// The identifier's digest.
    pub(crate) key: &'a str,
    pub(crate) network: &'a NetworkDigest,
    /// The lane that a new challenge is counted on.
    pub(crate) lane: Lane,
    /// How the challenge's id travels.
    pub(crate) delivery: TokenDelivery,
    /// How long a code lives.
    pub(crate) life: Duration,
    pub(crate) now: Timestamp,
}

/// A challenge whose code is to be sent.
pub(crate) struct Begun {
    pub(crate) draft: Draft,
    pub(crate) strength: Strength,
    /// Whether the network's day still had room for it.
    pub(crate) day: Quota,
}

impl RequestOtp {
    /// Puts a new code into the challenge `named`, or begins one. An SMS is counted beside it.
    pub(crate) async fn begin(
        &self,
        asking: Asking<'_>,
        named: Option<ChallengeId>,
        index: &Index<'_>,
        keys: &CodeKeys,
    ) -> Result<Begun> {
        let Asking { identifier, key, network, lane, life, now, .. } = asking;
        let pepper = keys.peppers.active(now)?;
        let draft = |id: ChallengeId| {
            let binding = Binding { tenant: &self.tenant, identifier, challenge: &index.challenge(&id) };
            let pepper = (pepper.id.as_str(), &pepper.key.mac());
            Draft::draw(id, binding, pepper, self.policy.length, ExpiresAt::after(now, life))
        };
        let request = ChallengeRequest { identifier: key, network, policy: &self.policy, now };
        let anew = draft(ChallengeId::draw(&Entropy, lane)?)?;
        let again = named.map(draft).transpose()?;
        let begin = async {
            match again {
                Some(again) => self.table.resend(again, anew, request).await,
                None => self.table.start(&anew, request, None).await.map(|strength| (anew, strength)),
            }
        };
        let ((draft, strength), day) = tokio::try_join!(begin, self.count_on_the_day(asking))?;
        Ok(Begun { draft, strength, day })
    }
}
