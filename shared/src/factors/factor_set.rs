//! What proves a user besides a code: one item of the table.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::factors::totp::{TotpCode, TotpSecret};
use crate::factors::trusted_device::{TrustToken, TrustedDevice};
use crate::keys::VaultKeys;
use crate::words::{ExpiresAt, MacKey, Result, Scope, SealingKey, Tenant, Timestamp, UserId};

/// The authenticator apps of one user. The second one is for a second phone.
pub const MOST_APPS: usize = 2;

/// How long a user has for confirming a new app.
pub const ENROLMENT_LIFE: Duration = Duration::from_secs(600);

/// The longest name of an app, in characters.
pub const LONGEST_NAME: usize = 30;

/// The wrong codes of six digits in a row before the first wait (S91).
const FREE_FAILURES: u32 = 10;
const FIRST_WAIT: Duration = Duration::from_secs(60);
const LONGEST_WAIT: Duration = Duration::from_secs(6 * 60 * 60);

/// The wrong codes in a row from one trusted device before it counts like every other client.
pub(crate) const DEVICE_FAILURES: u32 = 10;

/// The secret of an app, sealed with a key of the vault.
#[derive(Clone, Debug)]
pub struct SealedSecret {
    /// The nonce and the ciphertext.
    pub(crate) bytes: Vec<u8>,
    /// The id of the key.
    pub(crate) key_id: String,
}

/// An authenticator app.
#[derive(Clone, Debug)]
pub struct App {
    /// Its id.
    pub id: String,
    /// The user's name for it.
    pub name: String,
    /// Its secret.
    pub secret: SealedSecret,
    /// The step of the last code that was accepted. Only later ones count (S92).
    pub last_step: u64,
    /// When it was confirmed.
    pub created: Timestamp,
}

/// An app that the user has not confirmed yet.
#[derive(Clone, Debug)]
pub struct Enrolment {
    /// The id of the app.
    pub id: String,
    /// The user's name for it.
    pub name: String,
    /// Its secret.
    pub secret: SealedSecret,
    /// Until when it can be confirmed.
    pub end: ExpiresAt,
}

/// The second factors of one user.
#[derive(Clone, Debug, Default)]
pub struct FactorSet {
    /// The apps.
    pub apps: Vec<App>,
    /// The app that waits for its first code.
    pub enrolment: Option<Enrolment>,
    /// The id of the key of the backup codes' digests.
    pub(crate) backup_key: Option<String>,
    /// The digests of the unused backup codes.
    pub(crate) backup_codes: BTreeSet<String>,
    /// Wrong codes of six digits since the last right factor.
    pub(crate) failures: u32,
    /// The time of the last of them.
    pub(crate) failed: Option<Timestamp>,
    /// How many factors were proven so far. A waiting sign-in names this count, so each is taken once.
    pub proven: u32,
    /// The invocation that proved the last one.
    pub(crate) proven_by: String,
    /// The trusted devices, also ones whose trust has ended.
    pub(crate) devices: Vec<TrustedDevice>,
}

impl SealedSecret {
    /// Seals `secret` of the user's app `id` with the vault's active key (S90).
    ///
    /// # Errors
    /// As [`crate::keys::Ring::active`] and [`SealingKey::seal`].
    pub fn seal(
        secret: &TotpSecret,
        vault: &VaultKeys,
        (tenant, user, id): (&Tenant, &UserId, &str),
        now: Timestamp,
    ) -> Result<SealedSecret> {
        let key = vault.vault.active(now)?;
        let bytes = sealing(&key.key.mac(), tenant)?.seal(secret.reveal(), &additional(user, id))?;
        Ok(SealedSecret { bytes, key_id: key.id.clone() })
    }

    /// Opens the secret of the user's app `id`. `None` if it belongs to another user or app, or if its key was withdrawn.
    pub(crate) fn open(
        &self,
        vault: &VaultKeys,
        (tenant, user, id): (&Tenant, &UserId, &str),
        now: Timestamp,
    ) -> Option<TotpSecret> {
        let key = vault.vault.find(&self.key_id, now)?;
        let bytes = sealing(&key.key.mac(), tenant).ok()?.open(&self.bytes, &additional(user, id))?;
        TotpSecret::of(&bytes)
    }
}

fn sealing(key: &MacKey, tenant: &Tenant) -> Result<SealingKey> {
    SealingKey::new(&key.digest("totp-secret", Scope::Tenant(tenant), &[]))
}

/// A ciphertext that was moved to another user or app does not open.
fn additional(user: &UserId, id: &str) -> Vec<u8> {
    format!("{user}\n{id}").into_bytes()
}

impl Enrolment {
    /// The app, if `code` is right. The code's step counts as used (S92).
    pub fn confirm(
        &self,
        code: &TotpCode,
        vault: &VaultKeys,
        (tenant, user): (&Tenant, &UserId),
        now: Timestamp,
    ) -> Option<App> {
        let secret = self.secret.open(vault, (tenant, user, &self.id), now)?;
        let last_step = secret.step_of(code, 0, now).filter(|_| !self.end.has_passed(now))?;
        let Enrolment { id, name, secret, .. } = self.clone();
        Some(App { id, name, secret, last_step, created: now })
    }
}

impl FactorSet {
    /// The number of unused backup codes.
    pub fn backup_codes_left(&self) -> usize {
        self.backup_codes.len()
    }

    /// The devices that a user of this epoch trusts, the oldest first.
    pub fn trusted(&self, epoch: u32, now: Timestamp) -> Vec<&TrustedDevice> {
        let mut devices: Vec<_> = self.devices.iter().filter(|device| device.is_trusted(epoch, now)).collect();
        devices.sort_by_key(|device| (device.created, &device.id));
        devices
    }

    /// The trusted device with this token.
    pub fn trusted_by(&self, token: &TrustToken, epoch: u32, now: Timestamp) -> Option<&TrustedDevice> {
        let id = token.id();
        self.devices.iter().find(|device| device.id == id && device.is_trusted(epoch, now))
    }

    /// Until when a code of six digits has to wait, after so many wrong ones.
    pub(crate) fn waits_until(&self) -> Option<Timestamp> {
        let doublings = self.failures.checked_sub(FREE_FAILURES)?;
        let wait = 2_u32.checked_pow(doublings).map_or(LONGEST_WAIT, |factor| FIRST_WAIT.saturating_mul(factor));
        Some(self.failed?.after(wait.min(LONGEST_WAIT)))
    }

    /// Whether a code of six digits is counted without a wait.
    pub(crate) const MOST_WITHOUT_WAIT: u32 = FREE_FAILURES;
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::keys::{Bytes32, Dated, Ring};
    use crate::words::Entropy;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix(seconds)
    }

    pub(crate) fn vault(ids: &[&str]) -> VaultKeys {
        let key = |(place, id): (usize, &&str)| Dated {
            id: (*id).to_owned(),
            active_from: place as u64,
            retired_at: None,
            key: Bytes32::new([place as u8 + 1; 32]),
        };
        VaultKeys { vault: Ring::new(ids.iter().enumerate().map(key).collect()) }
    }

    /// S90: a secret opens for its tenant, user and app only.
    #[test]
    fn a_moved_secret_does_not_open() {
        let (tenants, now) = ([Tenant::default(), Tenant::named("acme")], at(100));
        let (ada, bob) = (UserId::draw(&Entropy, now).unwrap(), UserId::draw(&Entropy, now).unwrap());
        let secret = TotpSecret::draw(&Entropy).unwrap();
        let sealed = SealedSecret::seal(&secret, &vault(&["a"]), (&tenants[0], &ada, "app"), now).unwrap();
        let opened = |vault: &VaultKeys, tenant: usize, user: &UserId, id: &str| {
            sealed.open(vault, (&tenants[tenant], user, id), now).map(|secret| secret.base32())
        };
        assert_eq!(opened(&vault(&["a", "b"]), 0, &ada, "app"), Some(secret.base32()));
        assert_eq!(opened(&vault(&["a"]), 0, &bob, "app"), None);
        assert_eq!(opened(&vault(&["a"]), 0, &ada, "other"), None);
        assert_eq!(opened(&vault(&["a"]), 1, &ada, "app"), None);
        assert_eq!(opened(&vault(&["b"]), 0, &ada, "app"), None);
        let next = SealedSecret::seal(&secret, &vault(&["a", "b"]), (&tenants[0], &ada, "app"), now).unwrap();
        assert_eq!(next.key_id, "b");
    }

    /// S91: ten free failures, then waits from one minute to six hours.
    #[test]
    fn waits_grow_and_end() {
        let wait = |failures| {
            let set = FactorSet { failures, failed: Some(at(1_000)), ..FactorSet::default() };
            set.waits_until().map(|end| end.unix() - 1_000)
        };
        assert_eq!([9, 10, 11, 12].map(wait), [None, Some(60), Some(120), Some(240)]);
        assert_eq!(
            [18, 19, 41, 42, u32::MAX].map(wait),
            [Some(15_360), Some(21_600), Some(21_600), Some(21_600), Some(21_600)]
        );
        assert_eq!(FactorSet::default().waits_until(), None);
    }
}
