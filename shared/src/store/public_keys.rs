//! `JWKS` in `UserTable`: the public halves of the signing keys, for services that check access tokens.

use std::collections::BTreeMap;

use jsonwebtoken::jwk::{Jwk, JwkSet};
use serde::Deserialize;

use super::expression::{Value, any};
use super::row::{self, row};
use super::send::Written;
use super::table::{Item, UserTable};
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
}

impl UserTable {
    /// The public keys at `now`. Empty until the first `publish`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable; [`Error::Internal`] when the item is malformed.
    pub async fn public_keys(&self, now: Timestamp) -> Result<JwkSet> {
        let Some(item) = self.table.get(&key()).await? else {
            return Ok(JwkSet { keys: Vec::new() });
        };
        let row: Row = row::read(item)?;
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
            .set(VERSION, ("new", new.version));
        match write.send().await? {
            Written::Done(_) => Ok(None),
            Written::Refused(item) => Ok(item.map(row::read::<Row>).transpose()?.and_then(|row| row.version)),
        }
    }
}
