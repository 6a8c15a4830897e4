//! Scopes: the tenant, or the whole stack, as a required part of every item's key and every MAC.

use std::borrow::Cow;

use serde::Serialize;

/// A tenant: a set of users. So far, only the default tenant exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant(Cow<'static, str>);

const DEFAULT: &str = "default";

impl Tenant {
    /// The tenant's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the default tenant. Tokens and keys omit its name.
    pub fn is_default(&self) -> bool {
        self.0 == DEFAULT
    }

    #[cfg(test)]
    pub(crate) fn named(name: &'static str) -> Tenant {
        Tenant(Cow::Borrowed(name))
    }
}

impl Default for Tenant {
    fn default() -> Tenant {
        Tenant(Cow::Borrowed(DEFAULT))
    }
}

/// The owner of an item or a MAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope<'a> {
    /// One tenant. Its data is invisible to other tenants.
    Tenant(&'a Tenant),
    /// The whole stack, for limits that protect the AWS account or other people, and for the public keys.
    Stack,
}

impl Scope<'_> {
    /// The scope's field in a MAC.
    ///
    /// The stack uses the default tenant's name, because network digests were made with it before the stack was a
    /// scope. Each purpose belongs to one scope, so this causes no collisions.
    pub(super) fn in_mac(&self) -> &str {
        match self {
            Scope::Tenant(tenant) => tenant.as_str(),
            Scope::Stack => DEFAULT,
        }
    }
}

/// The key of an item: its kind, the tenant unless it is the default one, and its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ItemKey(String);

impl ItemKey {
    /// The key of the item with this kind and name. The kind comes first, because IAM permissions are granted by kind.
    pub fn new(scope: Scope<'_>, kind: &str, name: &[&str]) -> ItemKey {
        let tenant = match scope {
            Scope::Tenant(tenant) if !tenant.is_default() => Some(tenant.as_str()),
            Scope::Tenant(_) | Scope::Stack => None,
        };
        let parts: Vec<&str> = [kind].into_iter().chain(tenant).chain(name.iter().copied()).collect();
        ItemKey(parts.join("#"))
    }

    /// A key from an item in the table.
    pub(crate) fn from_table(key: String) -> ItemKey {
        ItemKey(key)
    }

    /// The last part of the name.
    pub(crate) fn last_part(&self) -> &str {
        self.0.rsplit('#').next().unwrap_or_default()
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_every_tenant_but_the_default_one() {
        let key = |scope| ItemKey::new(scope, "U", &["1", "2"]).as_str().to_owned();
        assert_eq!(key(Scope::Stack), "U#1#2");
        let [default, acme] = [Tenant::default(), Tenant::named("acme")];
        assert_eq!(key(Scope::Tenant(&default)), "U#1#2");
        assert_eq!(key(Scope::Tenant(&acme)), "U#acme#1#2");
        assert_eq!(ItemKey::new(Scope::Stack, "JWKS", &[]).as_str(), "JWKS");
        assert_eq!(ItemKey::from_table(key(Scope::Tenant(&acme))).last_part(), "2");
    }
}
