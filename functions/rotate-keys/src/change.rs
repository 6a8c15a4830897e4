//! Unscheduled changes: adding missing keys and revoking a leaked key.

use serde_json::{Value, json};
use shared::aws::vault::{Promotion, Vault, Version, Waiting};
use shared::keys::{Maker, Rotates};
use shared::words::{Error, Result};

use crate::RotateKeys;
use crate::publish::{StoredKeyring, TRIES};

impl RotateKeys {
    /// Creates missing keyrings and missing keys, and publishes the public keys.
    pub(crate) async fn ensure(&self, maker: &Maker) -> Result<Value> {
        change(&self.codes, maker, |keys| with_missing_keys(keys, maker)).await?;
        change(&self.tokens, maker, |keys| with_missing_keys(keys, maker)).await?;
        self.publish_current(&self.tokens, maker.now).await?;
        Ok(json!({ "signs_now": self.signs_now(maker).await? }))
    }

    /// Removes the key with this id from its keyring. Each function refuses the key's tokens and codes once it has
    /// read the new keyring. Other verifiers refuse its tokens once they have read the public keys.
    pub(crate) async fn revoke(&self, kid: &str, maker: &Maker) -> Result<Value> {
        if kid == "index" {
            return Err(Error::invalid(
                "the index key cannot be withdrawn, because all users would be lost. See docs/operations.md",
            ));
        }
        let codes = change(&self.codes, maker, |keys| without_key(keys, kid, maker)).await?;
        let tokens = change(&self.tokens, maker, |keys| without_key(keys, kid, maker)).await?;
        // Publish even without a change, because an earlier attempt may have stopped before this.
        self.publish_current(&self.tokens, maker.now).await?;
        let keyring = match (codes, tokens) {
            (Some(_), _) => "codes",
            (None, Some(_)) => "tokens",
            (None, None) => self.lost(kid).await?,
        };
        Ok(json!({ "revoked": kid, "keyring": keyring, "signs_now": self.signs_now(maker).await? }))
    }

    /// The keyring from which the last change removed this key. An operator may repeat a request if its answer was lost.
    async fn lost(&self, kid: &str) -> Result<&'static str> {
        if self.codes.previous().await?.is_some_and(|before| before.keys.holds(kid)) {
            return Ok("codes");
        }
        if self.tokens.previous().await?.is_some_and(|before| before.keys.holds(kid)) {
            return Ok("tokens");
        }
        Err(Error::invalid(format!("neither keyring has a key {kid}. Check the id; the key may also have retired")))
    }

    async fn signs_now(&self, maker: &Maker) -> Result<String> {
        let current = self.tokens.current().await?.ok_or_else(|| {
            Error::internal("the secret has no keyring of tokens; invoke this function with mode `ensure`")
        })?;
        Ok(current.keys.signing.active_for(maker.rules.algorithm, maker.now)?.id.clone())
    }
}

fn with_missing_keys<K: Rotates>(keys: Option<&K>, maker: &Maker) -> Result<Option<K>> {
    keys.map_or_else(|| K::first(maker).map(Some), |keys| keys.with_missing_keys(maker))
}

fn without_key<K: Rotates>(keys: Option<&K>, kid: &str, maker: &Maker) -> Result<Option<K>> {
    keys.map_or(Ok(None), |keys| keys.without(kid, maker))
}

/// Replaces the current keyring with the result of `next`, and starts over if another writer was faster. `None` if
/// `next` makes no change.
async fn change<K: StoredKeyring>(
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
