//! The four steps of a rotation in Secrets Manager. Each may be repeated, even at the same time.
//!
//! 1. Create: derive a new keyring from the current one, and store it as another version.
//! 2. Set: publish its public keys, long before they are used.
//! 3. Test: sign with each key, and check that all public keys are published.
//! 4. Finish: make the new keyring current, if its predecessor still is.
//!
//! If it is not, a key was revoked or added in the meantime. This rotation then ends, because its keyring may still
//! contain a revoked key.

use shared::aws::vault::{Promotion, Vault, Version, Waiting};
use shared::keys::{Maker, public_keys};
use shared::words::{Error, Result, Timestamp};

use crate::RotateKeys;
use crate::event::Step;
use crate::publish::{StoredKeyring, needed};

impl RotateKeys {
    pub(crate) async fn step<K: StoredKeyring>(
        &self,
        vault: &Vault<K>,
        step: Step,
        token: &str,
        maker: &Maker,
    ) -> Result<()> {
        let version = vault.version(token).await?;
        match (step, version) {
            (Step::Create, Some(_)) => Ok(()),
            (Step::Create, None) => create(vault, token, maker).await,
            (Step::Set, Some(version)) => self.set(vault, &version, maker.now).await,
            (Step::Test, Some(version)) => self.test(vault, &version, maker.now).await,
            // Secrets Manager runs this step alone when a schedule is created.
            (Step::Test, None) => {
                let current = needed(vault, "keyring to test").await?;
                self.test(vault, &current, maker.now).await
            }
            (Step::Finish, Some(version)) => self.finish(vault, &version, maker.now).await,
            (Step::Set | Step::Finish, None) => Err(Error::internal(format!("the version {token} was not created"))),
        }
    }

    async fn set<K: StoredKeyring>(&self, vault: &Vault<K>, version: &Version<K>, now: Timestamp) -> Result<()> {
        let is_in_time = self.stands(vault, version).await?
            && self.publish(vault, version, now).await?
            && self.stands(vault, version).await?;
        if is_in_time { Ok(()) } else { self.give_up(vault, version, now).await }
    }

    async fn test<K: StoredKeyring>(&self, vault: &Vault<K>, version: &Version<K>, now: Timestamp) -> Result<()> {
        version.keys.prove(now)?;
        let Some(keys) = version.keys.as_signing() else { return Ok(()) };
        let published = self.table.public_keys(&keys.root.public()?, now).await?;
        let missing = public_keys(&keys.signing, now)?.keys.into_iter().find(|key| !published.keys.contains(key));
        let Some(missing) = missing else { return Ok(()) };
        if !self.stands(vault, version).await? {
            return self.give_up(vault, version, now).await;
        }
        let kid = missing.common.key_id.unwrap_or_default();
        Err(Error::internal(format!("the public half of the signing key {kid} is not published")))
    }

    async fn finish<K: StoredKeyring>(&self, vault: &Vault<K>, version: &Version<K>, now: Timestamp) -> Result<()> {
        match vault.promote(version).await? {
            // If another version has become current since, it has published its own keys.
            Promotion::Current => self.publish(vault, version, now).await.map(|_| ()),
            Promotion::Overtaken => self.give_up(vault, version, now).await,
        }
    }

    /// Ends an overtaken rotation, so that another can start, and replaces its published keys.
    async fn give_up<K: StoredKeyring>(&self, vault: &Vault<K>, version: &Version<K>, now: Timestamp) -> Result<()> {
        vault.abandon(&version.id).await?;
        if version.keys.as_signing().is_some() {
            self.publish_current(vault, now).await?;
        }
        let id = &version.id;
        Err(Error::internal(format!("overtaken: the keyring has changed since {id} was created; rotate again")))
    }
}

async fn create<K: StoredKeyring>(vault: &Vault<K>, token: &str, maker: &Maker) -> Result<()> {
    let current = vault.current().await?;
    let keys = match &current {
        Some(current) => current.keys.rotated(maker)?,
        None => K::first(maker)?,
    };
    let version = Version { id: token.to_owned(), from: current.map(|current| current.id), keys };
    vault.put(&version, Waiting::Pending).await
}
