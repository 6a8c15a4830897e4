//! How tables and logs name people, networks and challenges: by keyed digests, never by themselves.

use data_encoding::BASE64URL_NOPAD;

use crate::words::identifier::Identifier;
use crate::words::ids::{ChallengeId, Tenant};
use crate::words::mac::MacKey;
use crate::words::network::{Network, NetworkDigest};

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

    /// An identifier's name: 43 characters.
    pub fn identifier(&self, identifier: &Identifier) -> String {
        let fields = [identifier.kind().as_bytes(), identifier.reveal().as_bytes()];
        BASE64URL_NOPAD.encode(&self.digest("identifier", &fields))
    }

    /// A challenge's name: 22 characters. A copy of the table binds nobody to a code.
    pub fn challenge(&self, challenge: &ChallengeId) -> String {
        let digest = self.digest("challenge", &[challenge.reveal().as_bytes()]);
        BASE64URL_NOPAD.encode(&digest[..16])
    }

    /// A network's name: 22 characters. An address is personal data.
    pub fn network(&self, network: Network) -> NetworkDigest {
        let digest = self.digest("network", &[network.reveal().to_string().as_bytes()]);
        NetworkDigest::new(BASE64URL_NOPAD.encode(&digest[..16]))
    }

    /// What a device cookie for an identifier that ends at `end` is signed with.
    pub fn device(&self, identifier: &Identifier, end: u64) -> [u8; 32] {
        let fields = [identifier.kind().as_bytes(), identifier.reveal().as_bytes(), &end.to_be_bytes()];
        self.digest("device", &fields)
    }

    fn digest(&self, kind: &str, fields: &[&[u8]]) -> [u8; 32] {
        let mut all = vec![self.tenant.as_str().as_bytes()];
        all.extend(fields);
        self.key.digest(kind, &all)
    }
}
