//! Keeps the published keys equal to those of the current keyring, even with several writers at once.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use shared::aws::vault::{Vault, Version};
use shared::keys::{Rotates, public_keys};
use shared::store::Publication;
use shared::words::{Error, Result, Timestamp};

use crate::RotateKeys;

/// The number of attempts if other writers interfere.
pub(crate) const TRIES: u32 = 5;

/// A keyring with support for rotation and storage.
pub(crate) trait StoredKeyring: Rotates + Serialize + DeserializeOwned + Clone + Send + Sync {}

impl<K: Rotates + Serialize + DeserializeOwned + Clone + Send + Sync> StoredKeyring for K {}

/// The current version of a keyring that must exist. `what` names it in the error.
pub(crate) async fn needed<K: StoredKeyring>(vault: &Vault<K>, what: &str) -> Result<Version<K>> {
    let missing = || Error::internal(format!("the secret has no {what}; invoke this function with mode `ensure`"));
    vault.current().await?.ok_or_else(missing)
}

impl RotateKeys {
    /// Publishes the public keys of `version`, if it has any. Returns `false` if another version has become current,
    /// because its public keys must stay.
    ///
    /// A write names the version whose keys it replaces. A delayed write therefore detects an interim one. It then checks
    /// whether `version` is still current or may become current.
    pub(crate) async fn publish<K: StoredKeyring>(
        &self,
        vault: &Vault<K>,
        version: &Version<K>,
        now: Timestamp,
    ) -> Result<bool> {
        let Some(keys) = version.keys.as_signing() else { return Ok(true) };
        let set = public_keys(&keys.signing, now)?;
        let ends = keys.signing.live(now).filter_map(|key| Some((key.id.clone(), key.retired_at?)));
        let ends: BTreeMap<String, u64> = ends.collect();
        let mut over = version.from.clone();
        for _ in 0..TRIES {
            let new = Publication { set: &set, ends: ends.clone(), version: &version.id, root: &keys.root };
            over = self.table.publish(new, over.as_deref()).await?;
            if over.is_none() {
                return Ok(true);
            }
            if !self.stands(vault, version).await? {
                return Ok(false);
            }
        }
        Err(Error::unavailable("other writers keep publishing keys; try again"))
    }

    /// Publishes the public keys of the current keyring.
    pub(crate) async fn publish_current<K: StoredKeyring>(&self, vault: &Vault<K>, now: Timestamp) -> Result<()> {
        for _ in 0..TRIES {
            let current = needed(vault, "current keyring").await?;
            if self.publish(vault, &current, now).await? && self.stands(vault, &current).await? {
                return Ok(());
            }
        }
        Err(Error::unavailable("the keyring keeps changing; try again"))
    }

    /// Whether `version` is current or may still become current.
    pub(crate) async fn stands<K: StoredKeyring>(&self, vault: &Vault<K>, version: &Version<K>) -> Result<bool> {
        let current = vault.current().await?;
        Ok(version.follows(current.as_ref().map(|current| current.id.as_str())))
    }
}
