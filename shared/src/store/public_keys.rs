//! `JWKS` in `UserTable`: the public halves of the signing keys, for whoever checks access tokens.

use jsonwebtoken::jwk::JwkSet;
use serde::Deserialize;

use super::UserTable;
use super::write;
use crate::error::{Error, Result};

/// The item's key. Whoever makes signing keys writes it: `rotate-keys` in a deployment, `local` on one machine.
pub const KEY: &str = "JWKS";

#[derive(Deserialize)]
struct Row {
    /// The JWK set as JSON.
    set: String,
}

impl UserTable {
    /// The public keys; none where nobody has written any yet.
    ///
    /// # Errors
    /// When the table cannot be reached; [`Error::Internal`] when the item is no JWK set.
    pub async fn public_keys(&self) -> Result<JwkSet> {
        match write::get(self.table.get(KEY).consistent_read(true)).await? {
            Some(item) => serde_json::from_str(&write::row::<Row>(item)?.set).map_err(Error::internal),
            None => Ok(JwkSet { keys: Vec::new() }),
        }
    }
}
