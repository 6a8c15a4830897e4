//! The two tables. Attribute names, keys and expressions stay in this folder.
//!
//! Every update has a condition that is false for a missing item, so that no update creates an item that has expired or
//! was deleted. A refused update returns the item that refused it, which saves a second read.

mod identifier;
mod networks;
mod owners;
mod pool;
mod public_keys;
mod refused;
mod sessions;
mod sms_budget;
mod table;
mod users;
mod write;

pub use self::identifier::ChallengeRequest;
pub use self::owners::{NewUser, SignUp};
pub use self::public_keys::Publication;
pub use self::sessions::RotationRequest;
pub use self::table::{OtpTable, Store, UserTable};
