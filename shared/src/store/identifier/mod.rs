//! `I#<digest>` in `OtpTable`: all data about one identifier, in one item of less than one write unit.

mod answer;
mod item;
mod resend;
mod rules;
mod start;

pub use self::start::ChallengeRequest;
