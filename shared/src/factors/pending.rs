//! Sign-ins and step-ups that wait for a second factor.
//!
//! A pending is sealed text that its client keeps. Nothing stores it. It names the user's epoch and the count of factors that the
//! user has proven so far. Taking it raises the count, so it is taken once, and taking another one makes it useless too.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

use crate::keys::RefreshKeys;
use crate::people::Familiarity;
use crate::words::{
    ChallengeId, Channel, ExpiresAt, MacKey, Result, Scope, SealingKey, SessionId, Tenant, Timestamp, UserId,
};

/// How long a second factor may take.
pub const PENDING_LIFE: Duration = Duration::from_secs(300);

/// How long a sign-in waits for an enrolment. Its user may have to install an app first.
const ENROLLING_LIFE: Duration = Duration::from_secs(900);

/// A sign-in or step-up that waits.
#[derive(Clone, Debug)]
pub struct Pending {
    /// Its user.
    pub user: UserId,
    /// The user's epoch.
    pub epoch: u32,
    /// How many factors the user had proven.
    pub proven: u32,
    /// When it ends.
    pub end: ExpiresAt,
    /// What waits.
    pub waiting: Waiting,
}

/// What waits for a second factor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Waiting {
    /// A sign-in that needs one of the user's factors.
    SignIn(Entrance),
    /// A sign-in that needs a new factor.
    Enrolment(Entrance),
    /// The same, after the new factor is confirmed.
    Enrolled(Entrance),
    /// A step-up of a session.
    StepUp {
        /// The session.
        session: SessionId,
        /// The digest of the transaction that the user confirms.
        transaction: Option<String>,
    },
}

impl Waiting {
    /// How long it waits.
    pub fn life(&self) -> Duration {
        match self {
            Waiting::Enrolment(_) => ENROLLING_LIFE,
            Waiting::SignIn(_) | Waiting::Enrolled(_) | Waiting::StepUp { .. } => PENDING_LIFE,
        }
    }
}

/// The first step of a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entrance {
    /// The channel of the code.
    pub channel: Channel,
    /// How well the client was known.
    pub familiarity: Familiarity,
    /// Whether the session lasts as long as the settings allow.
    pub remember: bool,
}

impl Pending {
    /// A pending of `user`, from now on.
    pub fn new(user: &UserId, epoch: u32, proven: u32, waiting: Waiting, now: Timestamp) -> Pending {
        let end = ExpiresAt::after(now, waiting.life());
        Pending { user: user.clone(), epoch, proven, end, waiting }
    }

    /// The sign-in that waits. `None` for a step-up.
    pub fn entrance(&self) -> Option<Entrance> {
        match &self.waiting {
            Waiting::SignIn(entrance) | Waiting::Enrolment(entrance) | Waiting::Enrolled(entrance) => Some(*entrance),
            Waiting::StepUp { .. } => None,
        }
    }
}

/// The sealed text. Names are short, because it travels in a cookie.
#[derive(Serialize, Deserialize)]
struct Text {
    #[serde(rename = "u")]
    user: UserId,
    #[serde(rename = "e")]
    epoch: u32,
    #[serde(rename = "p")]
    proven: u32,
    #[serde(rename = "x")]
    end: u64,
    #[serde(rename = "w")]
    waiting: Waiting,
}

/// Seals and opens the pendings of one tenant.
pub struct PendingSeal<'a> {
    keys: &'a RefreshKeys,
    tenant: &'a Tenant,
}

impl<'a> PendingSeal<'a> {
    /// The seal with keys that are derived from those of refresh tokens.
    pub fn new(keys: &'a RefreshKeys, tenant: &'a Tenant) -> PendingSeal<'a> {
        PendingSeal { keys, tenant }
    }

    /// The pending as its client gets it.
    ///
    /// # Errors
    /// As [`crate::keys::Ring::active`] and [`SealingKey::seal`].
    pub fn seal(&self, pending: &Pending, now: Timestamp) -> Result<ChallengeId> {
        let Pending { user, epoch, proven, end, waiting } = pending.clone();
        let text = Text { user, epoch, proven, end: end.moment().unix(), waiting };
        let text = serde_json::to_vec(&text).map_err(crate::words::Error::internal)?;
        let sealed = self.key(&self.keys.refresh.active(now)?.key.mac())?.seal(&text, &[])?;
        Ok(ChallengeId::from_client(BASE64URL_NOPAD.encode(&sealed)))
    }

    /// Opens text from a client. `None` if we did not seal it, or if it has ended.
    pub fn open(&self, id: &ChallengeId, now: Timestamp) -> Option<Pending> {
        let sealed = BASE64URL_NOPAD.decode(id.reveal().as_bytes()).ok()?;
        let mut keys = self.keys.refresh.live(now).filter_map(|key| self.key(&key.key.mac()).ok());
        let text = keys.find_map(|key| key.open(&sealed, &[]))?;
        let Text { user, epoch, proven, end, waiting } = serde_json::from_slice(&text).ok()?;
        let end = ExpiresAt::at(Timestamp::from_unix(end));
        (!end.has_passed(now)).then_some(Pending { user, epoch, proven, end, waiting })
    }

    fn key(&self, key: &MacKey) -> Result<SealingKey> {
        SealingKey::new(&key.digest("pending", Scope::Tenant(self.tenant), &[]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{Bytes32, Dated, Ring};
    use crate::words::Entropy;

    fn keys(bytes: &[u8]) -> RefreshKeys {
        let key = |byte: &u8| Dated {
            id: byte.to_string(),
            active_from: u64::from(*byte),
            retired_at: None,
            key: Bytes32::new([*byte; 32]),
        };
        RefreshKeys { refresh: Ring::new(bytes.iter().map(key).collect()), restored_at: 0 }
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix(seconds)
    }

    #[test]
    fn a_pending_is_opened_as_it_was_sealed_until_its_end() {
        let now = at(1_767_225_600);
        let tenants = [Tenant::default(), Tenant::named("acme")];
        let user = UserId::draw(&Entropy, now).unwrap();
        let entrance = Entrance { channel: Channel::Voice, familiarity: Familiarity::Strange, remember: false };
        let session = SessionId::draw(&Entropy).unwrap();
        for waiting in [
            Waiting::SignIn(entrance),
            Waiting::Enrolment(entrance),
            Waiting::Enrolled(entrance),
            Waiting::StepUp { session: session.clone(), transaction: None },
            Waiting::StepUp { session, transaction: Some("t".repeat(43)) },
        ] {
            let old = keys(&[1]);
            let id = PendingSeal::new(&old, &tenants[0]).seal(&Pending::new(&user, 7, 3, waiting.clone(), now), now);
            let id = id.unwrap();
            assert!(id.reveal().len() < 400, "{} characters", id.reveal().len());
            let open = |keys: &[u8], tenant: usize, now| {
                PendingSeal::new(&super::tests::keys(keys), &tenants[tenant]).open(&id, now)
            };
            let pending = open(&[1, 2], 0, now.after(Duration::from_secs(299))).unwrap();
            assert_eq!((&pending.user, pending.epoch, pending.proven, &pending.waiting), (&user, 7, 3, &waiting));
            assert!(open(&[1], 0, now.after(waiting.life())).is_none(), "it has ended");
            assert!(open(&[2], 0, now).is_none() && open(&[1], 1, now).is_none(), "another key or tenant");
        }
    }

    #[test]
    fn no_other_text_is_a_pending() {
        let (keys, tenant) = (keys(&[1]), Tenant::default());
        for text in ["", "AAAA", "ä", &"A".repeat(300)] {
            let id = ChallengeId::from_client(text.to_owned());
            assert!(PendingSeal::new(&keys, &tenant).open(&id, at(1_767_225_600)).is_none());
        }
    }
}
