//! The two tables, with a file or folder for each kind of item. Attribute names, keys and expressions stay in here.
//!
//! An update that relies on an item has a condition that is false where the item is missing, so that no update brings back
//! what was deleted (S81). A refused update returns the item that refused it, which saves a second read (S83).

mod expression;
mod identifier;
mod networks;
mod owners;
mod public_keys;
mod refused;
mod row;
mod send;
mod sessions;
mod sms_budget;
mod table;
mod users;
mod write;

pub use self::identifier::ChallengeRequest;
pub use self::owners::{NewUser, Owner, SignUp};
pub use self::public_keys::Publication;
pub use self::sessions::RotationRequest;
pub use self::table::{OtpTable, Store, UserTable, Users};
