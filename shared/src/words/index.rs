//! Keyed digests. Tables and logs contain these instead of identifiers and networks.

use data_encoding::BASE64URL_NOPAD;

use crate::words::identifier::{Email, Identifier};
use crate::words::ids::{ChallengeId, RetryKey, SessionId};
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

    /// The digest of an identifier, 43 characters. All addresses of one Gmail mailbox without a tag have the same digest (S171).
    pub fn identifier(&self, identifier: &Identifier) -> IdentifierDigest {
        let digest = self.digest("identifier", &[identifier.kind().as_bytes(), identifier.key().as_bytes()]);
        // All tenants share a mailbox, because its limit protects its owner.
        let mailbox = identifier.untagged().map(|plain| self.key.digest("mailbox", Scope::Stack, &[plain.as_bytes()]));
        IdentifierDigest {
            tenant: self.tenant.clone(),
            digest: BASE64URL_NOPAD.encode(&digest),
            mailbox: mailbox.map(|mailbox| BASE64URL_NOPAD.encode(&mailbox)),
        }
    }

    /// The key that seals the challenge ids of one UTC day.
    pub fn challenge_key(&self, day: u64) -> [u8; 32] {
        self.digest("challenge-id", &[&day.to_be_bytes()])
    }

    /// The id of the session that an answer with a retry key opens. The same answer has the same id, so a repetition finds the
    /// session by one read, and nothing has to remember the answer (S161).
    pub fn session(&self, challenge: &ChallengeId, code: &str, retry: &RetryKey) -> SessionId {
        let fields = [challenge.reveal(), code, retry.reveal()].map(str::as_bytes);
        let [bits @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = self.digest("session", &fields);
        SessionId::of(&bits)
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
        let (end, epoch_bytes, key) = (end.to_be_bytes(), epoch.to_be_bytes(), identifier.key());
        let mut fields: Vec<&[u8]> = vec![identifier.kind().as_bytes(), key.as_bytes(), &end];
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
    /// The digest of the mailbox behind an address with a tag.
    mailbox: Option<String>,
}

impl IdentifierDigest {
    /// The tenant of the identifier.
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// The digest in the tags of a message that was sent for the default tenant.
    pub(crate) fn of_message(digest: &str) -> IdentifierDigest {
        IdentifierDigest { tenant: Tenant::default(), digest: digest.to_owned(), mailbox: None }
    }

    /// The digest as text, 43 characters.
    pub fn as_str(&self) -> &str {
        &self.digest
    }

    /// The key of this identifier's item of the given kind.
    pub fn item(&self, kind: &str) -> ItemKey {
        ItemKey::new(Scope::Tenant(&self.tenant), kind, &[&self.digest])
    }

    /// The key of the given kind that all tagged addresses of one mailbox share. `None` for an address without a tag and for a
    /// phone number.
    pub fn mailbox_item(&self, kind: &str) -> Option<ItemKey> {
        self.mailbox.as_deref().map(|mailbox| ItemKey::new(Scope::Stack, kind, &[mailbox]))
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

    /// S161: another challenge, code, retry key or tenant is another session.
    #[test]
    fn an_answer_has_one_session() {
        let tenants = [Tenant::default(), Tenant::named("acme")];
        let session = |tenant: usize, challenge: &str, code: &str, retry: &str| {
            let index = Index::new(MacKey::new([1; 32]), &tenants[tenant]);
            index.session(&ChallengeId::from_client(challenge.to_owned()), code, &retry.repeat(22).parse().unwrap())
        };
        let first = session(0, "one", "123456", "a");
        assert_eq!(session(0, "one", "123456", "a"), first);
        for other in [
            session(1, "one", "123456", "a"),
            session(0, "two", "123456", "a"),
            session(0, "one", "123457", "a"),
            session(0, "one", "123456", "b"),
        ] {
            assert_ne!(other, first);
        }
    }

    /// S171, S170: spellings of one Gmail mailbox share a digest and device tokens, and tagged addresses of a mailbox one item.
    #[test]
    fn spellings_of_one_mailbox_share_what_is_theirs() {
        let tenant = Tenant::default();
        let index = Index::new(MacKey::new([1; 32]), &tenant);
        let parsed = |text: &str| text.parse::<Identifier>().unwrap();
        let (dotted, plain) = (parsed("a.da@googlemail.com"), parsed("ada@gmail.com"));
        assert_eq!(index.identifier(&dotted), index.identifier(&plain));
        assert_eq!(index.device(&dotted, 1, 0), index.device(&plain, 1, 0));
        assert_ne!(index.identifier(&parsed("a.da@example.com")), index.identifier(&parsed("ada@example.com")));

        let mailbox = |text: &str| index.identifier(&parsed(text)).mailbox_item("TAG");
        assert!(mailbox("ada+1@gmail.com").is_some());
        assert_eq!(mailbox("ada+1@gmail.com"), mailbox("a.da+2@googlemail.com"));
        assert_ne!(mailbox("ada+1@gmail.com"), mailbox("ada+1@example.com"));
        assert_ne!(index.identifier(&parsed("ada+1@gmail.com")), index.identifier(&plain));
        assert_eq!(mailbox("ada@gmail.com"), None);
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
