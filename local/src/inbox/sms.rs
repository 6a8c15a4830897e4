//! An SMS as networks, phones and browsers see it: its length in parts, and the page for its autofill.

mod autofill;

use local_aws::{Sms, SmsType};
use serde::Serialize;
use shared::messages::{Encoding, SmsLength};

pub use self::autofill::Autofill;

/// Details of an SMS besides its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SmsFacts {
    /// The sender on the phone's screen: a sender id or a number.
    pub from: String,
    /// The SNS message type, for routing.
    #[serde(rename = "type")]
    pub sms_type: SmsType,
    /// The maximum price in US dollars, if one is set.
    pub max_price: Option<String>,
    /// The ids of sender and text in India's register.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub india: Option<[String; 2]>,
    /// Its length as networks count it. Some characters count as two.
    pub characters: usize,
    /// The encoding of its characters.
    pub encoding: Encoding,
    /// How many parts it needs. Each part is paid for. SNS prefers to split between words, and this may add one part.
    pub parts: usize,
    /// The code and host for a browser's autofill.
    pub autofill: Option<Autofill>,
}

impl SmsFacts {
    pub(super) fn of(sms: &Sms) -> SmsFacts {
        let Sms { sender, text, sms_type, max_price, india, .. } = sms.clone();
        let SmsLength { characters, encoding, parts } = SmsLength::of(&text);
        let autofill = autofill::parsed(&text);
        SmsFacts { from: sender, sms_type, max_price, india, characters, encoding, parts, autofill }
    }
}
