//! Keyrings: which keys there are, when each is used, how they are made and how they rotate. Pure rules.

pub mod algorithm;
pub mod generate;
pub mod key_pair;
pub mod keyring;
pub mod public_keys;
pub mod rotation;
