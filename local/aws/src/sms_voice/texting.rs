//! The service's events about a message that it took.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use shared::codes::list_price;
use shared::messages::{Encoding, SmsLength};
use shared::words::{Country, Phone, Timestamp};

use crate::ids::{ACCOUNT, REGION, new_id};

/// A message that AWS End User Messaging took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Texting {
    /// Its id.
    pub id: String,
    /// The number of the recipient.
    pub to: String,
    /// Whether it is a call.
    pub is_call: bool,
    /// The context that the sender gave it. Each event repeats it.
    pub context: BTreeMap<String, String>,
    /// Whether the sender promised to tell whether the recipient got it.
    pub wants_feedback: bool,
    /// The text. No event has it.
    pub text: String,
    /// When the service took it.
    pub at: Timestamp,
}

/// The numbers of AWS's simulator whose texts fail. Here nobody answers their calls either. All other numbers get everything.
const FAILING: [&str; 11] = [
    "+14254147167",
    "+61455944039",
    "+43676800442032",
    "+32460213923",
    "+56229140631",
    "+420790542287",
    "+4525919215",
    "+37282720793",
    "+3584573979111",
    "+33755512502",
    "+85257048854",
];

/// The types of events after which others come.
const PASSING: [&str; 6] =
    ["TEXT_PENDING", "TEXT_QUEUED", "TEXT_SENT", "VOICE_INITIATED", "VOICE_RINGING", "VOICE_ANSWERED"];

impl Texting {
    /// The types of its events, in their order.
    pub(crate) fn events(&self) -> &'static [&'static str] {
        match (self.is_call, FAILING.contains(&self.to.as_str())) {
            (false, false) => &["TEXT_SENT", "TEXT_SUCCESSFUL", "TEXT_DELIVERED"],
            (false, true) => &["TEXT_SENT", "TEXT_BLOCKED"],
            (true, false) => &["VOICE_INITIATED", "VOICE_RINGING", "VOICE_ANSWERED", "VOICE_COMPLETED"],
            (true, true) => &["VOICE_INITIATED", "VOICE_NO_ANSWER"],
        }
    }

    /// The event of this type, such as `TEXT_DELIVERED`, as EventBridge passes it to rules at this moment.
    pub fn event(&self, kind: &str, at: Timestamp) -> Value {
        let status = kind.split_once('_').map_or(kind, |(_, status)| status);
        let phone = self.to.parse::<Phone>().ok();
        let country = phone.and_then(|phone| phone.plan().country);
        let SmsLength { encoding, parts, .. } = SmsLength::of(&self.text);
        let price = country.map(list_price).unwrap_or_default().times(u32::try_from(parts).unwrap_or(u32::MAX));
        let medium = if kind.starts_with("VOICE_") { "Voice" } else { "Text" };
        let detail = json!({ "eventType": kind, "eventVersion": "1.0", "eventTimestamp": at.unix() * 1_000,
            "isFinal": !PASSING.contains(&kind), "originationPhoneNumber": "+12065550100",
            "isoCountryCode": country.map(Country::code), "isInternationalSend": false,
            "messageId": self.id, "messageRequestTimestamp": self.at.unix() * 1_000,
            "messageEncoding": if encoding == Encoding::Gsm7 { "GSM" } else { "Unicode" },
            "messageType": "TRANSACTIONAL", "messageStatus": status, "messageStatusDescription": status,
            "context": self.context, "totalMessageParts": parts,
            "totalMessagePrice": price.as_micros() as f64 / 1e6, "totalCarrierFee": 0.0 });
        json!({ "version": "0", "id": new_id(), "detail-type": format!("{medium} Message Delivery Status Updated"),
            "source": "aws.sms-voice", "account": ACCOUNT, "time": at.to_string(), "region": REGION, "resources": [],
            "detail": detail })
    }
}
