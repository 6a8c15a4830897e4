//! `I#<digest>` in `OtpTable`: the challenges of one identifier and all that is counted beside them.

mod answer;
mod item;
mod resend;
mod start;

pub use self::start::ChallengeRequest;
pub(super) use self::start::MOST_TRIES;
