//! Keyed digests. Tables and logs contain these instead of identifiers and networks.

use data_encoding::BASE64URL_NOPAD;

use crate::words::identifier::{Email, Identifier};
use crate::words::mac::MacKey;
use crate::words::network::{Network, NetworkDigest};
use crate::words::scope::{ItemKey, Scope, Tenant};

/// Computes the digests of one tenant.
pub struct Index<'a> {
    key: MacKey,
    tenant: &'a Tenant,
}

impl<'a> Index<'a> {
    /// The index of `tenant` under `key`. This key never rotates, because every stored digest depends on it.
    pub fn new(key: MacKey, tenant: &'a Tenant) -> Index<'a> {
        Index { key, tenant }
    }

    /// The tenant of the digests.
    pub fn tenant(&self) -> &'a Tenant {
        self.tenant
    }

    /// The digest of an identifier, 43 characters.
    pub fn identifier(&self, identifier: &Identifier) -> IdentifierDigest {
        let digest = self.digest("identifier", &[identifier.kind().as_bytes(), identifier.reveal().as_bytes()]);
        IdentifierDigest { tenant: self.tenant.clone(), digest: BASE64URL_NOPAD.encode(&digest) }
    }

    /// The key that seals the challenge ids of one UTC day.
    pub fn challenge_key(&self, day: u64) -> [u8; 32] {
        self.digest("challenge-id", &[&day.to_be_bytes()])
    }

    /// The digest of a network, 22 characters, because an IP address is personal data. All tenants share it, so a
    /// network's limits do not multiply with the number of tenants.
    pub fn network(&self, network: Network) -> NetworkDigest {
        let mac = |purpose, address: String| self.key.digest(purpose, Scope::Stack, &[address.as_bytes()]);
        let own = mac("network", network.reveal().to_string());
        let own = NetworkDigest::new(BASE64URL_NOPAD.encode(&own[..16]));
        match network.site() {
            None => own,
            Some((site, subnet)) => own.in_site(&mac("site", site.to_string()), subnet),
        }
    }

    /// The digest of an address's domain, 22 characters. All tenants share it, because they share the sender's reputation.
    pub fn domain(&self, email: &Email) -> DomainDigest {
        let digest = self.key.digest("domain", Scope::Stack, &[email.domain().as_bytes()]);
        DomainDigest(BASE64URL_NOPAD.encode(&digest[..16]))
    }

    /// The MAC of a device token for `identifier` that expires at `end`, in seconds since 1970. Signing out everywhere raises the
    /// `epoch`. Epoch 0 is left out, so tokens from before epochs stay valid.
    pub fn device(&self, identifier: &Identifier, end: u64, epoch: u32) -> [u8; 32] {
        let (end, epoch_bytes) = (end.to_be_bytes(), epoch.to_be_bytes());
        let mut fields: Vec<&[u8]> = vec![identifier.kind().as_bytes(), identifier.reveal().as_bytes(), &end];
        if epoch > 0 {
            fields.push(&epoch_bytes);
        }
        self.digest("device", &fields)
    }

    fn digest(&self, purpose: &str, fields: &[&[u8]]) -> [u8; 32] {
        self.key.digest(purpose, Scope::Tenant(self.tenant), fields)
    }
}

/// The keyed digest of the domain of an email address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DomainDigest(String);

impl DomainDigest {
    /// The digest as text, 22 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The keyed digest of an identifier, with its tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentifierDigest {
    tenant: Tenant,
    digest: String,
}

impl IdentifierDigest {
    /// The tenant of the identifier.
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// The digest as text, 43 characters.
    pub fn as_str(&self) -> &str {
        &self.digest
    }

    /// The key of this identifier's item of the given kind.
    pub fn item(&self, kind: &str) -> ItemKey {
        ItemKey::new(Scope::Tenant(&self.tenant), kind, &[&self.digest])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stored items and cookies depend on these digests. The expected values were computed with an independent implementation.
    #[test]
    fn names_never_change() {
        let tenant = Tenant::default();
        let index = Index::new(MacKey::new([1; 32]), &tenant);
        let identifier = |text: &str| index.identifier(&text.parse().unwrap());
        assert_eq!(identifier("ada@example.com").as_str(), "oYxOzZmCYxAhPt3-JZ_d-1pKwceG3HMuYWLfNW4aH4Y");
        assert_eq!(identifier("+447400123456").as_str(), "Egsco6tpNGVqoafKt-MCX4L0SCZyfZSDil_qcT56QXE");
        assert_eq!(identifier("+447400123456").item("I").as_str(), "I#Egsco6tpNGVqoafKt-MCX4L0SCZyfZSDil_qcT56QXE");
        assert_eq!(index.network(Network::of("192.0.2.1".parse().unwrap())).as_str(), "50IH8h8xeCpBwJ9uYOJTXA");
        let device = index.device(&"ada@example.com".parse().unwrap(), 1_798_761_600, 0);
        assert_eq!(BASE64URL_NOPAD.encode(&device), "8fvgbVP1Ly-5hsVGS8OrHBvB3zsm1HbzlY3f8vNMEU0");
    }

    /// Tenants have separate digests for identifiers and share those of networks.
    #[test]
    fn tenants_share_networks_and_nothing_else() {
        let tenants = [Tenant::default(), Tenant::named("acme")];
        let indices = tenants.each_ref().map(|tenant| Index::new(MacKey::new([1; 32]), tenant));
        let ada = "ada@example.com".parse().unwrap();
        let [one, other] = indices.each_ref().map(|index| index.identifier(&ada).as_str().to_owned());
        assert_ne!(one, other);
        let network = Network::of("192.0.2.1".parse().unwrap());
        let [one, other] = indices.map(|index| index.network(network));
        assert_eq!(one, other);
    }
}
