//! Keyed digests: HMAC-SHA-256 over named fields.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::zeroize::Zeroizing;
use sha2::Sha256;

use crate::words::masked::masked;

/// A 256-bit secret key. It has no `Display` and no `Serialize`.
#[derive(Clone)]
pub struct MacKey(Zeroizing<[u8; 32]>);

impl MacKey {
    /// The key in `bytes`.
    pub fn new(bytes: [u8; 32]) -> MacKey {
        MacKey(bytes.into())
    }

    /// The digest of `fields` for one `purpose`.
    ///
    /// Every field is preceded by its length, so that no two lists of fields read alike (V07).
    pub fn digest(&self, purpose: &str, fields: &[&[u8]]) -> [u8; 32] {
        // HMAC fills a key up to the hash's block with zeros (RFC 2104 §2); given whole blocks, it cannot fail.
        let mut block = [0; 64];
        block[..32].copy_from_slice(self.0.as_slice());
        let mut mac = Hmac::<Sha256>::new(&block.into());
        for field in std::iter::once(&purpose.as_bytes()).chain(fields) {
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

    #[test]
    fn fields_do_not_run_into_one_another() {
        let key = MacKey::new([7; 32]);
        assert_ne!(key.digest("p", &[b"ab", b"c"]), key.digest("p", &[b"a", b"bc"]));
        assert_ne!(key.digest("p", &[b"a", b""]), key.digest("p", &[b"a"]));
        assert_ne!(key.digest("p", &[b"a"]), key.digest("q", &[b"a"]));
    }

    #[test]
    fn debug_never_prints_it() {
        assert_eq!(format!("{:?}", MacKey::new([7; 32])), "MacKey(…)");
    }
}
