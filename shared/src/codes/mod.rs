//! One-time codes: creation, storage, limits and comparison. These are pure rules, enforced by `store` in the
//! conditions of its writes.

mod attempt;
mod challenge;
mod code;
mod draft;
mod known_device;
mod limits;
mod sms_policy;

#[cfg(test)]
pub(crate) use self::attempt::tests::proven;
pub use self::attempt::{Attempt, ProvenCode};
#[cfg(test)]
pub(crate) use self::challenge::tests::policy;
pub use self::challenge::{
    Challenge, ChallengePolicy, Counted, FREE_REFUSALS, HOUR, IdentifierState, Join, MOST_SENDS, Start,
};
pub use self::code::{Binding, Code, CodeDigest, LONG_LENGTH, SHORT_LENGTHS, Strength};
pub use self::draft::{Draft, OutgoingCode};
pub use self::known_device::{DEVICE_LIFE, device_cookie, is_known_device};
pub use self::limits::{Action, Allowance, Lockout, NETWORK_WINDOW, Quota};
pub use self::sms_policy::{Bounds, Breaker, SmsPolicy, Spent, Target};
