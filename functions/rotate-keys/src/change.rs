//! Unscheduled changes: adding missing keys, revoking a leaked key, and the time after a restore.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use shared::aws::vault::{Promotion, Vault, Version, Waiting};
use shared::keys::{CodeKeys, IndexKeys, Maker, RefreshKeys, Rotates, SigningKeys};
use shared::words::{Error, Result};

use crate::RotateKeys;
use crate::publish::{StoredKeyring, TRIES, needed};

impl RotateKeys {
    /// Creates missing keyrings and missing keys, and publishes the public keys.
    pub(crate) async fn ensure(&self, maker: &Maker) -> Result<Value> {
        self.ensure_index(maker).await?;
        change(&self.codes, maker, |keys| with_missing_keys(keys, maker)).await?;
        change(&self.refresh, maker, |keys| with_missing_keys(keys, maker)).await?;
        change(&self.signing, maker, |keys| with_missing_keys(keys, maker)).await?;
        if let Some(vault) = &self.vault {
            change(vault, maker, |keys| with_missing_keys(keys, maker)).await?;
        }
        self.publish_current(&self.signing, maker.now).await?;
        Ok(json!({ "signs_now": self.signs_now(maker).await? }))
    }

    /// Version 0.1 kept the index key in the keyring of codes. Taking it from there keeps the users.
    async fn ensure_index(&self, maker: &Maker) -> Result<()> {
        if self.index.current().await?.is_some() {
            return Ok(());
        }
        let codes: Option<Version<CodeKeys>> = self.codes.current().await?;
        let old = codes.and_then(|codes| IndexKeys::of_old(&codes.keys));
        let first = |keys: Option<&IndexKeys>| match (keys, &old) {
            (Some(_), _) => Ok(None),
            (None, Some(old)) => Ok(Some(old.clone())),
            (None, None) => IndexKeys::first(&maker.entropy).map(Some),
        };
        change(&self.index, maker, first).await.map(|_| ())
    }

    /// Removes the key with this id from its keyring. Each function refuses the key's tokens and codes once it has
    /// read the new keyring. Other verifiers refuse its tokens once they have read the public keys.
    pub(crate) async fn revoke(&self, kid: &str, maker: &Maker) -> Result<Value> {
        if kid == "index" {
            return Err(Error::invalid(
                "the index key cannot be withdrawn, because all users would be lost. See docs/operations.md",
            ));
        }
        let codes = change(&self.codes, maker, |keys| without_key(keys, kid, maker)).await?.map(|_| "codes");
        let refresh = change(&self.refresh, maker, |keys| without_key(keys, kid, maker)).await?.map(|_| "refresh");
        let signing = change(&self.signing, maker, |keys| without_key(keys, kid, maker)).await?.map(|_| "signing");
        let vault = match &self.vault {
            Some(vault) => change(vault, maker, |keys| without_key(keys, kid, maker)).await?.map(|_| "vault"),
            None => None,
        };
        // Publish even without a change, because an earlier attempt may have stopped before this.
        self.publish_current(&self.signing, maker.now).await?;
        let keyring = match codes.or(refresh).or(signing).or(vault) {
            Some(keyring) => keyring,
            None => self.lost(kid).await?,
        };
        Ok(json!({ "revoked": kid, "keyring": keyring, "signs_now": self.signs_now(maker).await? }))
    }

    /// The keyring from which the last change removed this key. An operator may repeat a request if its answer was lost.
    async fn lost(&self, kid: &str) -> Result<&'static str> {
        if held(&self.codes, kid).await? {
            Ok("codes")
        } else if held(&self.refresh, kid).await? {
            Ok("refresh")
        } else if held(&self.signing, kid).await? {
            Ok("signing")
        } else if let Some(vault) = &self.vault
            && held(vault, kid).await?
        {
            Ok("vault")
        } else {
            Err(Error::invalid(format!("no keyring has a key {kid}. Check the id; the key may also have retired")))
        }
    }

    /// After a restore of the users' table: refuses the sessions that were opened before now, because some of them had ended,
    /// and replaces the public keys of the backup.
    pub(crate) async fn restore(&self, maker: &Maker) -> Result<Value> {
        let restored = |keys: Option<&RefreshKeys>| match keys {
            Some(keys) => Ok(Some(keys.after_restore(maker.now))),
            None => Err(Error::invalid("the secret has no refresh keys; invoke this function with mode `ensure`")),
        };
        change(&self.refresh, maker, restored).await?;
        self.publish_current(&self.signing, maker.now).await?;
        Ok(json!({ "restored_at": maker.now.unix(), "signs_now": self.signs_now(maker).await? }))
    }

    async fn signs_now(&self, maker: &Maker) -> Result<String> {
        let keys = self.signing_keys().await?;
        Ok(keys.signing.active_for(maker.rules.algorithm, maker.now)?.id.clone())
    }

    pub(crate) async fn signing_keys(&self) -> Result<SigningKeys> {
        Ok(needed(&self.signing, "signing keys").await?.keys)
    }
}

fn with_missing_keys<K: Rotates>(keys: Option<&K>, maker: &Maker) -> Result<Option<K>> {
    keys.map_or_else(|| K::first(maker).map(Some), |keys| keys.with_missing_keys(maker))
}

fn without_key<K: Rotates>(keys: Option<&K>, kid: &str, maker: &Maker) -> Result<Option<K>> {
    keys.map_or(Ok(None), |keys| keys.without(kid, maker))
}

/// Whether the version before the current one has a key with this id.
async fn held<K: StoredKeyring>(vault: &Vault<K>, kid: &str) -> Result<bool> {
    Ok(vault.previous().await?.is_some_and(|before| before.keys.holds(kid)))
}

/// Replaces the current keyring with the result of `next`, and starts over if another writer was faster. `None` if
/// `next` makes no change.
async fn change<K: Serialize + DeserializeOwned + Clone>(
    vault: &Vault<K>,
    maker: &Maker,
    next: impl Fn(Option<&K>) -> Result<Option<K>>,
) -> Result<Option<Version<K>>> {
    for _ in 0..TRIES {
        let current = vault.current().await?;
        let Some(keys) = next(current.as_ref().map(|current| &current.keys))? else { return Ok(None) };
        let version = Version::new(current.map(|current| current.id), keys, &maker.entropy)?;
        vault.put(&version, Waiting::Ours).await?;
        if vault.promote(&version).await? == Promotion::Current {
            return Ok(Some(version));
        }
    }
    Err(Error::unavailable("the keyring keeps changing; try again"))
}
