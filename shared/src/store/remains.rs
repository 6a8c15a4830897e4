//! What is left in UserTable of a user whose own item is gone: items that name the user.

use futures_util::future::try_join_all;
use serde::Deserialize;

use super::table::Users;
use super::{owners, sessions};
use crate::words::{Error, IdentifierDigest, ItemKey, Result, Scope, Tenant, UserId};

/// The key of an item that names its user: an identifier's or a session's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Remains(ItemKey);

const KINDS: [&str; 2] = [owners::KIND, sessions::KIND];

impl Remains {
    /// The item of an identifier.
    pub fn identifier(identifier: &IdentifierDigest) -> Remains {
        Remains(identifier.item(owners::KIND))
    }

    /// The item of a session.
    pub fn session(id: &str) -> Remains {
        Remains(ItemKey::new(Scope::Tenant(&Tenant::default()), sessions::KIND, &[id]))
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl TryFrom<String> for Remains {
    type Error = Error;

    fn try_from(key: String) -> Result<Remains> {
        let is_known = key.split_once('#').is_some_and(|(kind, name)| KINDS.contains(&kind) && !name.is_empty());
        match is_known {
            true => Ok(Remains(ItemKey::from_table(key))),
            false => Err(Error::invalid("items of this kind name no user")),
        }
    }
}

impl Users<'_> {
    /// Deletes the items that still name `user`, in parallel. The item of an identifier may name somebody who has signed up there
    /// since.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub async fn erase(&self, items: &[Remains], user: &UserId) -> Result<()> {
        // Both kinds have the attribute.
        let names_user = owners::USER.is(user.to_string().as_str());
        try_join_all(items.iter().map(|item| self.table.delete(&item.0, &names_user))).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_items_that_name_a_user_remain() {
        for key in ["ID#a", "S#a", "ID#tenant#a"] {
            assert_eq!(Remains::try_from(key.to_owned()).unwrap().as_str(), key);
        }
        // No operator names second factors. They go with their user.
        for key in ["U#a", "F#a", "JWKS", "ID", "ID#", "A#a", ""] {
            assert!(Remains::try_from(key.to_owned()).is_err(), "{key}");
        }
        assert_eq!(owners::USER.name(), sessions::USER.name(), "one condition is for both kinds");
    }
}
