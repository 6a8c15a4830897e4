//! `JWKS` in `UserTable`: the public halves of the signing keys, for whoever checks access tokens.

use std::collections::BTreeMap;

use jsonwebtoken::jwk::{Jwk, JwkSet};
use serde::Deserialize;

use super::expression::{Value, any};
use super::row::{self, row};
use super::send::Written;
use super::table::{Item, UserTable};
use crate::words::{Error, ItemKey, Result, Scope, Timestamp};

/// One for the stack. `rotate-keys` writes it, and nobody else.
fn key() -> ItemKey {
    ItemKey::new(Scope::Stack, "JWKS", &[])
}

row! {
    #[derive(Deserialize)]
    struct Row {
        /// The JWK set as JSON.
        SET = "set" => set: String,
        /// When keys retire, by their ids, in Unix seconds. Keys without an end are not listed.
        ENDS = "e" => #[serde(default)] ends: BTreeMap<String, u64>,
        /// The version of the keyring that the set belongs to. `publish` always writes one.
        VERSION = "v" => version: Option<String>,
    }
}

/// The public keys of one version of a keyring.
pub struct Publication<'a> {
    /// The keys.
    pub set: &'a JwkSet,
    /// When they retire, by their names: nobody writes the item when it comes to that.
    pub ends: BTreeMap<String, u64>,
    /// The version that they belong to.
    pub version: &'a str,
}

impl UserTable {
    /// The public keys at `now`; none where nobody has written any yet.
    ///
    /// # Errors
    /// When the table cannot be reached; [`Error::Internal`] when the item is no JWK set.
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

    /// Writes the public keys over those of the version `over`, or of their own. `None` when they are written, else the
    /// version whose keys are there: whoever is late must not bring back a key that was withdrawn meanwhile.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn publish(&self, new: Publication<'_>, over: Option<&str>) -> Result<Option<String>> {
        let set = serde_json::to_string(new.set).map_err(Error::internal)?;
        let ends = new.ends.into_iter().map(|(id, end)| (id, Timestamp::from_unix(end).attribute_value()));
        let write = self
            .table
            .update(key())
            // There is one such item, and whoever writes it first makes it.
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
