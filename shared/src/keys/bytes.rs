//! Symmetric keys of 256 bits, as keyrings store them.

use data_encoding::BASE64;
use secrecy::zeroize::Zeroizing;
use serde::{Deserialize, Serialize};

use crate::words::{MacKey, masked};

/// A 256-bit key, stored as base64.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Bytes32(Zeroizing<[u8; 32]>);

impl Bytes32 {
    /// A key with these bytes.
    pub fn new(bytes: [u8; 32]) -> Bytes32 {
        Bytes32(bytes.into())
    }

    /// The bytes, for a key pair that is made of them.
    pub(super) fn reveal(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key, ready for use.
    pub fn mac(&self) -> MacKey {
        MacKey::new(*self.0)
    }
}

impl TryFrom<String> for Bytes32 {
    type Error = &'static str;

    fn try_from(text: String) -> std::result::Result<Bytes32, &'static str> {
        let bytes = BASE64.decode(text.as_bytes()).map_err(|_| "expected a key in base64")?;
        bytes.try_into().map(Bytes32::new).map_err(|_| "expected a key of 32 bytes")
    }
}

impl From<Bytes32> for String {
    fn from(key: Bytes32) -> String {
        BASE64.encode(key.0.as_slice())
    }
}

masked!(Bytes32);
