//! An SMS as networks, phones and browsers take it: how much room it needs, and on whose page its code is filled in.

mod alphabet;
mod autofill;

use local_aws::{Sms, SmsType};
use serde::Serialize;

pub use self::alphabet::Encoding;
pub use self::autofill::Autofill;

/// What there is to know about an SMS beside its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SmsFacts {
    /// Who sent it, as a phone shows it: a sender id or a number.
    pub from: String,
    /// How AWS routes it.
    #[serde(rename = "type")]
    pub sms_type: SmsType,
    /// The most that it may cost, in US dollars, where that is bounded.
    pub max_price: Option<String>,
    /// Its length as networks count it: some characters take the room of two.
    pub characters: usize,
    /// How its characters travel.
    pub encoding: Encoding,
    /// How many messages it takes, each of which is paid for. SNS prefers to cut between words, which may make it one
    /// more.
    pub parts: usize,
    /// What a browser would fill in, and where.
    pub autofill: Option<Autofill>,
}

impl SmsFacts {
    pub(super) fn of(sms: &Sms) -> SmsFacts {
        let Sms { sender, text, sms_type, max_price, .. } = sms.clone();
        let (characters, encoding, parts) = alphabet::measured(&text);
        let autofill = autofill::parsed(&text);
        SmsFacts { from: sender, sms_type, max_price, characters, encoding, parts, autofill }
    }
}
