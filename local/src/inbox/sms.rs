//! An SMS as networks, phones and browsers see it: its length in parts, and the page for its autofill.

mod autofill;

use local_aws::{Service, Sms, SmsType};
use serde::Serialize;
use shared::codes::list_price;
use shared::messages::SmsLength;
use shared::words::Phone;

pub use self::autofill::Autofill;

/// Details of an SMS besides its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SmsFacts {
    /// The sender on the phone's screen: a sender id or a number.
    pub from: String,
    /// The AWS service that sent it.
    pub service: Service,
    /// The message type, for routing.
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
    pub encoding: &'static str,
    /// For how many seconds it may be delivered, if there is a limit.
    pub life: Option<u64>,
    /// The price of all parts in US dollars, by the table of `shared`. AWS's bill may differ.
    pub price: Option<String>,
    /// How many parts it needs. Each part is paid for. AWS prefers to split between words, and this may add one part.
    pub parts: usize,
    /// The code and host for a browser's autofill.
    pub autofill: Option<Autofill>,
}

impl SmsFacts {
    pub(super) fn of(sms: &Sms) -> SmsFacts {
        let Sms { service, to, text, sender, sms_type, max_price, india, life } = sms.clone();
        let SmsLength { characters, encoding, parts } = SmsLength::of(&text);
        let autofill = autofill::parsed(&text);
        let country = to.parse::<Phone>().ok().and_then(|phone| phone.plan().country);
        let price = country.map(|country| list_price(country).times(u32::try_from(parts).unwrap_or(u32::MAX)));
        let price = price.map(|price| price.to_string());
        SmsFacts {
            from: sender,
            service,
            sms_type,
            max_price,
            india,
            characters,
            encoding: encoding.name(),
            life,
            price,
            parts,
            autofill,
        }
    }
}
