//! Keyed digests: HMAC-SHA-256 over a list of fields.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::zeroize::Zeroizing;
use sha2::Sha256;

use crate::words::masked::masked;
use crate::words::scope::Scope;

/// A 256-bit secret key. It deliberately lacks `Display` and `Serialize`.
#[derive(Clone)]
pub struct MacKey(Zeroizing<[u8; 32]>);

impl MacKey {
    /// A key with these bytes.
    pub fn new(bytes: [u8; 32]) -> MacKey {
        MacKey(bytes.into())
    }

    /// The digest of `fields` for a `purpose` in a scope.
    ///
    /// The length of each field is hashed before the field, so different lists never hash the same bytes (V07).
    pub fn digest(&self, purpose: &str, scope: Scope<'_>, fields: &[&[u8]]) -> [u8; 32] {
        // HMAC pads a key with zeros to the hash's block size (RFC 2104 §2). A key of exactly that size cannot fail.
        let mut block = [0; 64];
        block[..32].copy_from_slice(self.0.as_slice());
        let mut mac = Hmac::<Sha256>::new(&block.into());
        for field in [purpose.as_bytes(), scope.in_mac().as_bytes()].iter().chain(fields) {
            mac.update(&(field.len() as u64).to_be_bytes());
            mac.update(field);
        }
        mac.finalize().into_bytes().into()
    }
}

masked!(MacKey);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::scope::Tenant;

    #[test]
    fn fields_do_not_run_into_one_another() {
        let digest = |purpose, fields: &[&[u8]]| MacKey::new([7; 32]).digest(purpose, Scope::Stack, fields);
        assert_ne!(digest("p", &[b"ab", b"c"]), digest("p", &[b"a", b"bc"]));
        assert_ne!(digest("p", &[b"a", b""]), digest("p", &[b"a"]));
        assert_ne!(digest("p", &[b"a"]), digest("q", &[b"a"]));
    }

    #[test]
    fn tenants_share_no_mac() {
        let digest = |tenant: &Tenant| MacKey::new([7; 32]).digest("p", Scope::Tenant(tenant), &[b"a"]);
        assert_ne!(digest(&Tenant::default()), digest(&Tenant::named("acme")));
    }

    #[test]
    fn debug_never_prints_it() {
        assert_eq!(format!("{:?}", MacKey::new([7; 32])), "MacKey(…)");
    }
}
