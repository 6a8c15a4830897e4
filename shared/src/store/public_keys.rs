//! `JWKS` in `UserTable`: the public halves of the signing keys, for whoever checks access tokens.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use serde::Deserialize;

use super::UserTable;
use super::write::{self, Written, number, text};
use crate::words::{Error, Result, Timestamp};

/// The item's key. `rotate-keys` writes it, and nobody else.
const KEY: &str = "JWKS";

#[derive(Deserialize)]
struct Row {
    /// The JWK set as JSON.
    set: String,
    /// When keys retire, by their names; a key without an end is not there.
    #[serde(rename = "e", default)]
    ends: BTreeMap<String, u64>,
    /// The version of the keyring that it belongs to; none where it was not written by `publish`.
    #[serde(rename = "v")]
    version: Option<String>,
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
        let Some(item) = write::get(self.table.get(KEY).consistent_read(true)).await? else {
            return Ok(JwkSet { keys: Vec::new() });
        };
        let row: Row = write::row(item)?;
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
        let ends = new.ends.into_iter().map(|(id, end)| (id, number(end)));
        let update = self
            .table
            .update(KEY)
            .update_expression("SET #set = :set, e = :ends, v = :new")
            // There is one such item, and whoever writes it first makes it.
            .condition_expression("attribute_not_exists(v) OR v = :new OR v = :over")
            .expression_attribute_names("#set", "set")
            .expression_attribute_values(":set", text(&set))
            .expression_attribute_values(":ends", AttributeValue::M(ends.collect()))
            .expression_attribute_values(":new", text(new.version))
            .expression_attribute_values(":over", text(over.unwrap_or(new.version)));
        match write::update(update).await? {
            Written::Done(_) => Ok(None),
            Written::Refused(item) => Ok(item.map(write::row::<Row>).transpose()?.and_then(|row| row.version)),
        }
    }
}
