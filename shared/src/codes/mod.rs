//! One-time codes: creation, storage, limits and comparison. These are pure rules, enforced by `store` in the
//! conditions of its writes.

mod attempt;
mod brake;
mod bucket;
mod challenge;
mod code;
mod draft;
mod hold;
mod known_device;
mod limits;
mod mail_policy;
mod messages;
mod news;
mod purpose;
mod receipt;
mod resend;
mod sealed_id;
mod sent_message;
mod sms_money;
mod sms_policy;

#[cfg(test)]
pub(crate) use self::attempt::tests::proven;
pub use self::attempt::{Attempt, ProvenCode, Settlement, SignInCode, StepUpCode};
pub use self::brake::{Brake, Tally};
pub use self::bucket::Bucket;
pub(crate) use self::bucket::{TAGGED, has_room};
pub(crate) use self::challenge::bucket;
#[cfg(test)]
pub(crate) use self::challenge::tests::policy;
pub use self::challenge::{
    Asked, ChallengePolicy, Decision, GONE, IdentifierState, Kept, LONG_LIFE, LongCode, MAILBOX_WAIT, MOST_ELSEWHERE,
    OwnCode, PURPOSE_WAIT, Plan, Promises, Supply,
};
pub use self::code::{Binding, Code, CodeDigest, DIGEST_LENGTH, LONG_LENGTH, SHORT_LENGTHS, Strength};
pub use self::draft::{Draft, Drafting, OutgoingCode};
pub use self::hold::{HOLD_WAIT, Hold, Reach};
pub use self::known_device::{DEVICE_LIFE, device_token, is_known_device, known_device_since};
pub use self::limits::{Action, Allowance, NETWORK_WINDOW, Quota, blurred, day_end};
pub use self::mail_policy::{Domains, LEAST_OF_DOMAIN, MailFacts, MailPolicy, SLOWED};
pub use self::messages::{Message, Messages, SENT_AT, SendName};
pub use self::news::{News, Told, is_of_address};
pub use self::purpose::Purpose;
pub use self::receipt::{Receipt, Receipts, SENT};
pub use self::resend::{Calls, FOLLOWS_AFTER, MOST_CALLS, MOST_SENDS, Resends};
pub use self::sealed_id::{ChallengeRef, Seal};
pub use self::sent_message::SentMessage;
pub use self::sms_money::{SmsMoney, list_price};
pub use self::sms_policy::{
    Bounds, Breaker, CALL_UNITS, Charge, Room, SmsPolicy, Spent, Target, Waiting, read_call_units,
};
