//! How tables and logs name people, networks and challenges: by keyed digests, never by themselves.

use data_encoding::BASE64URL_NOPAD;

use crate::words::identifier::Identifier;
use crate::words::ids::ChallengeId;
use crate::words::mac::MacKey;
use crate::words::network::{Network, NetworkDigest};
use crate::words::scope::{ItemKey, Scope, Tenant};

/// The index key of one tenant.
pub struct Index<'a> {
    key: MacKey,
    tenant: &'a Tenant,
}

impl<'a> Index<'a> {
    /// The index of `tenant` under `key`, which never rotates.
    pub fn new(key: MacKey, tenant: &'a Tenant) -> Index<'a> {
        Index { key, tenant }
    }

    /// Its tenant.
    pub fn tenant(&self) -> &'a Tenant {
        self.tenant
    }

    /// An identifier's name: 43 characters.
    pub fn identifier(&self, identifier: &Identifier) -> IdentifierDigest {
        let digest = self.digest("identifier", &[identifier.kind().as_bytes(), identifier.reveal().as_bytes()]);
        IdentifierDigest { tenant: self.tenant.clone(), digest: BASE64URL_NOPAD.encode(&digest) }
    }

    /// A challenge's name: 22 characters. A copy of the table binds nobody to a code.
    pub fn challenge(&self, challenge: &ChallengeId) -> String {
        let digest = self.digest("challenge", &[challenge.reveal().as_bytes()]);
        BASE64URL_NOPAD.encode(&digest[..16])
    }

    /// A network's name: 22 characters. An address is personal data. Its limits are the stack's, so that tenants do not
    /// multiply them.
    pub fn network(&self, network: Network) -> NetworkDigest {
        let digest = self.key.digest("network", Scope::Stack, &[network.reveal().to_string().as_bytes()]);
        NetworkDigest::new(BASE64URL_NOPAD.encode(&digest[..16]))
    }

    /// What a device cookie for an identifier that ends at `end` is signed with.
    pub fn device(&self, identifier: &Identifier, end: u64) -> [u8; 32] {
        let fields = [identifier.kind().as_bytes(), identifier.reveal().as_bytes(), &end.to_be_bytes()];
        self.digest("device", &fields)
    }

    fn digest(&self, purpose: &str, fields: &[&[u8]]) -> [u8; 32] {
        self.key.digest(purpose, Scope::Tenant(self.tenant), fields)
    }
}

/// The keyed digest of an identifier of one tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentifierDigest {
    tenant: Tenant,
    digest: String,
}

impl IdentifierDigest {
    /// Whose identifier it is.
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// Its 43 characters.
    pub fn as_str(&self) -> &str {
        &self.digest
    }

    /// The key of its item of that kind.
    pub fn item(&self, kind: &str) -> ItemKey {
        ItemKey::new(Scope::Tenant(&self.tenant), kind, &[&self.digest])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What lies in tables and browsers was named by these digests. They are computed elsewhere, from the construction
    /// that `mac` describes.
    #[test]
    fn names_never_change() {
        let tenant = Tenant::default();
        let index = Index::new(MacKey::new([1; 32]), &tenant);
        let identifier = |text: &str| index.identifier(&text.parse().unwrap());
        assert_eq!(identifier("ada@example.com").as_str(), "oYxOzZmCYxAhPt3-JZ_d-1pKwceG3HMuYWLfNW4aH4Y");
        assert_eq!(identifier("+447400123456").as_str(), "Egsco6tpNGVqoafKt-MCX4L0SCZyfZSDil_qcT56QXE");
        assert_eq!(identifier("+447400123456").item("I").as_str(), "I#Egsco6tpNGVqoafKt-MCX4L0SCZyfZSDil_qcT56QXE");
        let challenge = ChallengeId::from_client("AAAAAAAAAAAAAAAAAAAAAA".to_owned());
        assert_eq!(index.challenge(&challenge), "BY_AzIpZ8IHnYTwZ0McMAg");
        assert_eq!(index.network(Network::of("192.0.2.1".parse().unwrap())).as_str(), "50IH8h8xeCpBwJ9uYOJTXA");
        let device = index.device(&"ada@example.com".parse().unwrap(), 1_798_761_600);
        assert_eq!(BASE64URL_NOPAD.encode(&device), "8fvgbVP1Ly-5hsVGS8OrHBvB3zsm1HbzlY3f8vNMEU0");
    }

    /// A person may use two tenants of one stack; a network is one to both.
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
