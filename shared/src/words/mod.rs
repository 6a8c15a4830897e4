//! The basic types: identifiers, ids, times, digests and errors. They are free of I/O, AWS and HTTP, and every other
//! module may use them.

mod channel;
mod clock;
mod destination;
mod entropy;
mod error;
mod host;
mod identifier;
mod ids;
mod index;
mod lane;
mod level;
mod mac;
mod masked;
mod money;
mod network;
mod numbering;
mod scope;
mod sealing;
mod typed;

pub use self::channel::Channel;
pub use self::clock::{Clock, ExpiresAt, Timestamp};
pub use self::destination::Destination;
pub use self::entropy::Entropy;
pub use self::error::{Error, Forbidden, Result};
pub use self::host::is_host_label;
pub use self::identifier::{Email, Identifier, Phone, is_e164};
pub use self::ids::{ChallengeId, RetryKey, SessionId, UserId, is_random_id, random_id, short_id};
pub use self::index::{DomainDigest, IdentifierDigest, Index};
pub use self::lane::Lane;
pub use self::level::Level;
pub use self::mac::MacKey;
pub(crate) use self::masked::masked;
pub use self::money::Money;
pub use self::network::{Network, NetworkDigest};
pub use self::numbering::{Country, Plan, plan};
pub use self::scope::{ItemKey, Scope, Tenant};
pub use self::sealing::SealingKey;
pub use self::typed::{is_invisible, joined, plain_digit, trimmed};
