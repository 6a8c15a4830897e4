//! Sessions and their two tokens: opening, issuing, refreshing and checking. These are pure rules.

mod access_token;
mod device;
mod disavowal;
mod freshness;
mod proof;
mod refresh_token;
mod session;
mod signer;
mod transaction;
mod verifier;

pub use self::access_token::{AccessPolicy, ClaimNames, Issuing, Subject};
pub use self::device::Device;
pub use self::disavowal::{DISAVOWAL_LIFE, Disavowal};
pub use self::freshness::Freshness;
pub use self::proof::Proof;
pub use self::refresh_token::{Audience, Grant, RefreshToken, Seed};
#[cfg(test)]
pub(crate) use self::session::tests::POLICY;
pub use self::session::{Opening, RotatedBy, Rotation, Session, SessionPolicy};
pub use self::signer::Signer;
pub use self::transaction::Transaction;
pub use self::verifier::CheckingKeys;
