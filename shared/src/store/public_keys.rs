//! `JWKS` in `UserTable`: the public halves of the signing keys, for services that check access tokens.

use std::collections::BTreeMap;

use jsonwebtoken::jwk::{Jwk, JwkSet};
use serde::Deserialize;

use super::expression::{Value, any};
use super::row::{self, row};
use super::send::Written;
use super::table::{Item, UserTable};
use crate::keys::{RootKey, TrustedRoot};
use crate::words::{Error, ItemKey, Result, Scope, Timestamp};

/// One item for the stack. Only `rotate-keys` writes it.
fn key() -> ItemKey {
    ItemKey::new(Scope::Stack, "JWKS", &[])
}

row! {
    #[derive(Deserialize)]
    struct Row {
        /// The JWK set as JSON.
        SET = "set" => set: String,
        /// When keys retire, by key id, in Unix seconds. Keys without an end are absent.
        ENDS = "e" => #[serde(default)] ends: BTreeMap<String, u64>,
        /// The version of the keyring that the set belongs to. `publish` always writes one.
        VERSION = "v" => version: Option<String>,
        /// The root key's signature of all the others.
        SIGNATURE = "sig" => #[serde(default)] signature: String,
    }
}

/// The public keys of one version of a keyring.
pub struct Publication<'a> {
    /// The keys.
    pub set: &'a JwkSet,
    /// When the keys retire, by key id, in Unix seconds. Readers drop retired keys themselves.
    pub ends: BTreeMap<String, u64>,
    /// The version of the keyring.
    pub version: &'a str,
    /// The key that signs them.
    pub root: &'a RootKey,
}

/// The text that the root key signs. JSON keeps the parts apart.
fn message(set: &str, ends: &BTreeMap<String, u64>, version: &str) -> Result<Vec<u8>> {
    serde_json::to_vec(&("latchkey public keys 1", set, ends, version)).map_err(Error::internal)
}

impl UserTable {
    /// The public keys at `now`. Empty until the first `publish`. An item that `root` has not signed is refused as a whole,
    /// because somebody else has written it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable; [`Error::Internal`] when the item is malformed or not signed.
    pub async fn public_keys(&self, root: &TrustedRoot, now: Timestamp) -> Result<JwkSet> {
        let Some(item) = self.table.get(&key()).await? else {
            return Ok(JwkSet { keys: Vec::new() });
        };
        let row: Row = row::read(item)?;
        let signed = message(&row.set, &row.ends, row.version.as_deref().unwrap_or_default())?;
        if !root.verifies(&signed, &row.signature) {
            return Err(Error::internal(
                "the published keys are not signed by the root key in ROOT_KEY. Somebody has changed the item JWKS, or the \
                 root key is another one. See docs/operations.md",
            ));
        }
        let mut set: JwkSet = serde_json::from_str(&row.set).map_err(Error::internal)?;
        let end = |key: &Jwk| row.ends.get(key.common.key_id.as_deref()?).copied();
        set.keys.retain(|key| end(key).is_none_or(|end| end > now.unix()));
        Ok(set)
    }

    /// Writes the public keys if the table is empty or holds those of version `over` or of the same version. So a late
    /// writer cannot bring back a key that has been withdrawn in the meantime. Returns `None` after the write, or else the version
    /// in the table.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub async fn publish(&self, new: Publication<'_>, over: Option<&str>) -> Result<Option<String>> {
        let set = serde_json::to_string(new.set).map_err(Error::internal)?;
        let signature = new.root.sign(&message(&set, &new.ends, new.version)?)?;
        let ends = new.ends.into_iter().map(|(id, end)| (id, Timestamp::from_unix(end).attribute_value()));
        let write = self
            .table
            .update(key())
            // The first writer creates the item.
            .when(any([
                VERSION.is_missing(),
                VERSION.is(("new", new.version)),
                VERSION.is(("over", over.unwrap_or(new.version))),
            ]))
            .set(SET, set.as_str())
            .set(ENDS, ends.collect::<Item>())
            .set(VERSION, ("new", new.version))
            .set(SIGNATURE, signature.as_str());
        match write.send().await? {
            Written::Done(_) => Ok(None),
            Written::Refused(item) => Ok(item.map(row::read::<Row>).transpose()?.and_then(|row| row.version)),
        }
    }
}
