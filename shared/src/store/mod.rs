//! The three tables, with a file or folder for each kind of item. Only this module knows attribute names, keys and expressions.
//!
//! An update that relies on an existing item has a condition that is false if the item is missing. So an update never brings back
//! a deleted item (S81). A refused update returns the item that refused it, which saves a second read (S83).

mod brake;
mod expression;
mod identifier;
mod mail_budget;
mod mail_memory;
mod mailboxes;
mod networks;
mod owners;
mod public_keys;
mod reconcile;
mod record;
mod refused;
mod remains;
mod requests;
mod row;
mod send;
mod sessions;
mod sms_budget;
mod stream;
mod table;
mod users;
mod write;

pub use self::identifier::{Addressed, Begun, ChallengeRequest};
pub use self::mail_budget::CountedMail;
pub(crate) use self::owners::NewUser;
pub use self::owners::{Owner, SignUp};
pub use self::public_keys::Publication;
pub use self::reconcile::{Plan, Reconciliation};
pub use self::record::{ActivityPage, ActivityRow, Claimed, Left, Occasion, Progress, UserRow, UserSource};
pub use self::remains::Remains;
pub use self::requests::Requests;
pub use self::sessions::{Raise, RotationRequest};
pub use self::sms_budget::SmsCounts;
pub use self::stream::read_change;
pub use self::table::{OtpTable, RecordTable, Store, UserTable, Users};
