//! A rotation in Secrets Manager's four steps. Each may come again, and at the same time as itself.
//!
//! 1. Create: derive the next keyring from the current one, and put it beside it.
//! 2. Set: publish its public keys, long before they are needed.
//! 3. Test: sign with each key, and look whether everybody has the other half.
//! 4. Finish: make it current, if the one that it was derived from still is.
//!
//! Where that is not so, a key was withdrawn or added meanwhile. Then this rotation ends: what it holds must not come back.

use shared::aws::vault::{Promotion, Vault, Version, Waiting};
use shared::keys::{Maker, public_keys};
use shared::words::{Error, Result, Timestamp};

use crate::RotateKeys;
use crate::event::Step;
use crate::publish::StoredKeyring;

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
            // Secrets Manager tries this step alone when a schedule is made.
            (Step::Test, None) => {
                let current = vault.current().await?.ok_or_else(|| Error::internal("there is no keyring to test"))?;
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
        let Some(ring) = version.keys.signing() else { return Ok(()) };
        let published = self.table.public_keys(now).await?;
        let missing = public_keys(ring, now)?.keys.into_iter().find(|key| !published.keys.contains(key));
        let Some(missing) = missing else { return Ok(()) };
        if !self.stands(vault, version).await? {
            return self.give_up(vault, version, now).await;
        }
        let kid = missing.common.key_id.unwrap_or_default();
        Err(Error::internal(format!("the public half of the signing key {kid} is not published")))
    }

    async fn finish<K: StoredKeyring>(&self, vault: &Vault<K>, version: &Version<K>, now: Timestamp) -> Result<()> {
        match vault.promote(version).await? {
            // Whoever may have become current since has published its own keys.
            Promotion::Current => self.publish(vault, version, now).await.map(|_| ()),
            Promotion::Overtaken => self.give_up(vault, version, now).await,
        }
    }

    /// Ends a rotation that was overtaken, so that another one can start and nobody reads what this one published.
    async fn give_up<K: StoredKeyring>(&self, vault: &Vault<K>, version: &Version<K>, now: Timestamp) -> Result<()> {
        vault.abandon(&version.id).await?;
        if version.keys.signing().is_some() {
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
