//! `I#<digest>` in `OtpTable`: all data about one identifier, in one item of less than one write unit.

mod answer;
mod begin;
mod calls;
mod item;
mod news;
mod receipts;
mod use_up;

pub use self::begin::{Begun, ChallengeRequest};
pub use self::receipts::Addressed;
