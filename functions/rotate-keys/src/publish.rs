//! Keeping the public keys those of the current keyring, whoever else writes them at the same time.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use shared::aws::vault::{Vault, Version};
use shared::keys::{Rotates, public_keys};
use shared::store::Publication;
use shared::words::{Error, Result, Timestamp};

use crate::RotateKeys;

/// How often somebody else may be quicker.
pub(crate) const TRIES: u32 = 5;

/// A keyring of either kind.
pub(crate) trait StoredKeyring: Rotates + Serialize + DeserializeOwned + Clone + Send + Sync {}

impl<K: Rotates + Serialize + DeserializeOwned + Clone + Send + Sync> StoredKeyring for K {}

impl RotateKeys {
    /// Publishes the public half of `version`, if it has one; `false` where another one has become current, whose public
    /// keys are not to be written over.
    ///
    /// A write names the version whose keys it replaces. So one that was held up finds that somebody has been here since,
    /// and only then asks whether it is still in time.
    pub(crate) async fn publish<K: StoredKeyring>(
        &self,
        vault: &Vault<K>,
        version: &Version<K>,
        now: Timestamp,
    ) -> Result<bool> {
        let Some(ring) = version.keys.signing() else { return Ok(true) };
        let set = public_keys(ring, now)?;
        let ends = ring.live(now).filter_map(|key| Some((key.id.clone(), key.retired_at?)));
        let ends: BTreeMap<String, u64> = ends.collect();
        let mut over = version.from.clone();
        for _ in 0..TRIES {
            let new = Publication { set: &set, ends: ends.clone(), version: &version.id };
            over = self.table.publish(new, over.as_deref()).await?;
            if over.is_none() {
                return Ok(true);
            }
            if !self.stands(vault, version).await? {
                return Ok(false);
            }
        }
        Err(Error::unavailable("others keep publishing keys"))
    }

    /// Publishes the public half of the current keyring.
    pub(crate) async fn publish_current<K: StoredKeyring>(&self, vault: &Vault<K>, now: Timestamp) -> Result<()> {
        for _ in 0..TRIES {
            let current = vault.current().await?.ok_or_else(|| Error::internal("the secret has no current keyring"))?;
            if self.publish(vault, &current, now).await? && self.stands(vault, &current).await? {
                return Ok(());
            }
        }
        Err(Error::unavailable("the keyring keeps changing"))
    }

    /// Whether `version` is current, or may still become it.
    pub(crate) async fn stands<K: StoredKeyring>(&self, vault: &Vault<K>, version: &Version<K>) -> Result<bool> {
        let current = vault.current().await?;
        Ok(version.follows(current.as_ref().map(|current| current.id.as_str())))
    }
}
