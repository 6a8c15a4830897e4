//! The messages that these services took, and what becomes of them.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use shared::words::Timestamp;

use crate::ids::new_id;
use crate::ses::{Mail, MailEvent};
use crate::sms_voice::PhoneCall;
use crate::sns::Sms;
use crate::wire::Service;

/// A WhatsApp message as its recipient gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chat {
    /// The service that sent it.
    pub service: Service,
    /// The number in E.164 form.
    pub to: String,
    /// The number that sent it.
    pub from: String,
    /// The template.
    pub template: String,
    /// The text on the screen.
    pub text: String,
}

/// A message that a service took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutsideMessage {
    /// How it goes.
    pub way: Way,
    /// The service's id.
    pub id: String,
    /// The address or number.
    pub to: String,
    /// The webhook for this message. SendGrid has one for all.
    pub webhook: Option<String>,
    /// Whether a messaging service of Twilio chose its sender.
    pub is_pooled: bool,
    /// The tags that SendGrid returns with each event.
    pub tags: BTreeMap<String, String>,
    /// When it was taken.
    pub at: Timestamp,
}

/// A message for a recipient.
pub(crate) enum OutsideDelivered {
    Mail(Mail),
    Sms(Sms),
    Call(PhoneCall),
    Whatsapp(Chat),
}

/// The result of a valid call.
pub(super) struct Taken {
    pub(super) message: OutsideMessage,
    pub(super) delivered: OutsideDelivered,
}

/// The ways of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A text or WhatsApp message of Twilio.
    Message,
    /// A call of Twilio.
    Call,
    /// A mail of SendGrid.
    Mail,
}

impl OutsideMessage {
    /// The statuses that Twilio tells by itself, in their order. As with its own test numbers, the last digits decide.
    pub(super) fn statuses(&self) -> &'static [&'static str] {
        match self.way {
            Way::Message if self.is_opted_out() => &["failed"],
            Way::Message if self.to.ends_with("5550009") => &["sent", "undelivered"],
            Way::Message => &["sent", "delivered"],
            Way::Call if self.to.ends_with("5550009") => &["no-answer"],
            Way::Call => &["completed"],
            Way::Mail => &[],
        }
    }

    /// The fields of Twilio's call about this status.
    pub fn fields<'a>(&'a self, account: &'a str, status: &'a str) -> Vec<(&'a str, &'a str)> {
        let (sid, state) = match self.way {
            Way::Call => ("CallSid", "CallStatus"),
            Way::Message | Way::Mail => ("MessageSid", "MessageStatus"),
        };
        let error = self.is_opted_out().then_some(("ErrorCode", "21610"));
        let fields =
            [("AccountSid", account), (sid, &self.id), (state, status), ("To", &self.to), ("ApiVersion", "2010-04-01")];
        fields.into_iter().chain(error).collect()
    }

    /// Whether the number has opted out. A messaging service takes its texts, and tells it later.
    pub(super) fn is_opted_out(&self) -> bool {
        self.to.ends_with("5550004")
    }

    /// SendGrid's event at this moment.
    pub fn event(&self, what: MailEvent, at: Timestamp) -> Value {
        let mut event = json!({ "email": self.to, "timestamp": at.unix(), "sg_event_id": new_id(),
            "sg_message_id": format!("{}.recvd-1-2-3-4", self.id), "smtp-id": format!("<{}@example.com>", self.id) });
        let own = match what {
            MailEvent::Delivery => json!({ "event": "delivered", "response": "250 OK" }),
            MailEvent::Delay => json!({ "event": "deferred", "response": "400 try again later", "attempt": "5" }),
            MailEvent::PermanentBounce => json!({ "event": "bounce", "type": "bounce", "status": "5.1.1",
                "bounce_classification": "Invalid Address", "reason": "550 5.1.1 user unknown" }),
            MailEvent::TransientBounce => json!({ "event": "bounce", "type": "blocked", "status": "4.7.1",
                "bounce_classification": "Reputation", "reason": "421 4.7.1 too many messages" }),
            MailEvent::Complaint => json!({ "event": "spamreport" }),
            MailEvent::Reject => json!({ "event": "dropped", "reason": "Invalid SMTPAPI header" }),
        };
        if let (Some(event), Value::Object(own)) = (event.as_object_mut(), own) {
            event.extend(own);
            event.extend(self.tags.iter().map(|(name, value)| (name.clone(), Value::from(value.clone()))));
        }
        event
    }
}
