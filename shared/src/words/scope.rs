//! Scopes: whom a key of a table or a MAC is about. Neither can be made without one.

use std::borrow::Cow;

use serde::Serialize;

/// Whose users these are. A request names it; there is only the default one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant(Cow<'static, str>);

const DEFAULT: &str = "default";

impl Tenant {
    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the one that tokens do not mention.
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

/// Whom a key or a MAC is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope<'a> {
    /// One tenant, whose data no other tenant may meet.
    Tenant(&'a Tenant),
    /// Everybody: limits that protect the AWS account or other people, and the public keys.
    Stack,
}

impl Scope<'_> {
    /// The first field of every MAC.
    ///
    /// The stack has the word of the default tenant, because networks were digested under it when there was no other
    /// scope. No MAC means both: each purpose belongs to one of them.
    pub(super) fn in_mac(&self) -> &str {
        match self {
            Scope::Tenant(tenant) => tenant.as_str(),
            Scope::Stack => DEFAULT,
        }
    }
}

/// The key of a table's item: its kind, the tenant unless it is the default one, and its name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct ItemKey(String);

impl ItemKey {
    /// The item of that kind and name. Permissions are for kinds, so the kind comes first.
    pub fn new(scope: Scope<'_>, kind: &str, name: &[&str]) -> ItemKey {
        let tenant = match scope {
            Scope::Tenant(tenant) if !tenant.is_default() => Some(tenant.as_str()),
            Scope::Tenant(_) | Scope::Stack => None,
        };
        let parts: Vec<&str> = [kind].into_iter().chain(tenant).chain(name.iter().copied()).collect();
        ItemKey(parts.join("#"))
    }

    /// The key of an item that a table returned.
    pub(crate) fn from_table(key: String) -> ItemKey {
        ItemKey(key)
    }

    /// The last part of the name.
    pub(crate) fn last_part(&self) -> &str {
        self.0.rsplit('#').next().unwrap_or_default()
    }

    /// The key, as the table has it.
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
