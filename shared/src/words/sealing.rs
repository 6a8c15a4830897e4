//! Sealed texts: AES-256-GCM with a random nonce.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::words::entropy::Entropy;
use crate::words::error::{Error, Result};

/// A key for sealing. One key seals at most 2^32 texts (NIST SP 800-38D §8.3), because nonces are random.
pub struct SealingKey(LessSafeKey);

impl SealingKey {
    /// The key with these bytes.
    ///
    /// # Errors
    /// [`Error::Internal`] if the cipher refuses the key.
    pub fn new(key: &[u8; 32]) -> Result<SealingKey> {
        UnboundKey::new(&AES_256_GCM, key).map(|key| SealingKey(LessSafeKey::new(key))).map_err(Error::internal)
    }

    /// Seals `text`. It opens only beside the same `additional` data.
    ///
    /// # Errors
    /// [`Error::Internal`] if the system's generator or the cipher fails.
    pub fn seal(&self, text: &[u8], additional: &[u8]) -> Result<Vec<u8>> {
        let nonce: [u8; NONCE_LEN] = Entropy.bytes()?;
        let mut sealed = text.to_vec();
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(additional), &mut sealed)
            .map_err(Error::internal)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what [`SealingKey::seal`] made. `None` for every other text.
    pub fn open(&self, sealed: &[u8], additional: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut text = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.0.open_in_place(nonce, Aad::from(additional), &mut text).ok()?.len();
        text.truncate(opened);
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_text_opens_with_its_key_and_beside_its_data() {
        let [key, other] = [[1; 32], [2; 32]].map(|key| SealingKey::new(&key).unwrap());
        let sealed = key.seal(b"text", b"user").unwrap();
        assert_eq!(key.open(&sealed, b"user").unwrap(), b"text");
        assert_ne!(key.seal(b"text", b"user").unwrap(), sealed);
        assert!(key.open(&sealed, b"another").is_none() && other.open(&sealed, b"user").is_none());
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert!(key.open(&changed, b"user").is_none(), "{place}");
        }
        assert!(key.open(&[], b"user").is_none());
    }
}
