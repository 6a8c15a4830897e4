//! Keyrings: the keys of the deployment, when each is used, how they are made and how they rotate. These are pure rules.

mod algorithm;
mod bytes;
pub mod generate;
mod key_pair;
mod keyring;
mod providers;
mod public_keys;
mod root;
mod rotation;

pub use self::algorithm::{KeyKind, RsaBits, SigningAlgorithm};
pub use self::bytes::Bytes32;
pub(crate) use self::key_pair::KeyPair;
pub use self::keyring::{
    CodeKeys, Dated, IndexKeys, LONGEST_CACHED, RefreshKeys, Ring, SigningKey, SigningKeys, VaultKeys,
};
pub use self::providers::{ProviderKeys, SendGridKeys, TwilioKeys};
pub use self::public_keys::public_keys;
pub use self::root::{RootKey, TrustedRoot};
pub use self::rotation::{KeyRules, LONGEST_CODE, Maker, Rotates};
