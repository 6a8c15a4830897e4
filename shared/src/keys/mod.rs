//! Keyrings: the keys of the deployment, when each is used, how they are made and how they rotate. These are pure rules.

mod algorithm;
pub mod generate;
mod key_pair;
mod keyring;
mod public_keys;
mod rotation;

pub use self::algorithm::{KeyKind, SigningAlgorithm};
pub(crate) use self::key_pair::KeyPair;
pub use self::keyring::{CodeKeys, Dated, LONGEST_CACHED, Ring, SigningKey, TokenKeys};
pub use self::public_keys::public_keys;
pub use self::rotation::{KeyRules, LONGEST_CODE, Maker, Rotates};
