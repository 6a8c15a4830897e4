//! SES's events about a mail that it took.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use shared::words::Timestamp;

use crate::ids::{ACCOUNT, REGION, new_id};

/// A mail that SES took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sending {
    /// SES's id of the mail.
    pub id: String,
    /// The configuration set.
    pub configuration_set: Option<String>,
    /// The sender.
    pub from: String,
    /// The recipients' addresses.
    pub to: Vec<String>,
    /// The subject. SES repeats it in each event.
    pub subject: String,
    /// The tags of the sender, by name.
    pub tags: BTreeMap<String, String>,
    /// When SES took it.
    pub at: Timestamp,
}

/// The kinds of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailEvent {
    /// The recipient's server took the mail.
    Delivery,
    /// The recipient's server did not take it yet.
    Delay,
    /// The address refused it for good.
    PermanentBounce,
    /// It came back for a passing reason, or an automatic reply came.
    TransientBounce,
    /// The recipient called it spam.
    Complaint,
    /// SES did not send it.
    Reject,
}

/// The domain of SES's mailbox simulator.
const SIMULATOR: &str = "simulator.amazonses.com";

impl MailEvent {
    /// The events of a mail to this address, in their order. Only SES's simulator refuses.
    pub(crate) fn of(address: &str) -> &'static [MailEvent] {
        use MailEvent::{Complaint, Delivery, PermanentBounce, TransientBounce};
        let lower = address.to_ascii_lowercase();
        let Some((local, SIMULATOR)) = lower.split_once('@') else { return &[Delivery] };
        match local.split('+').next().unwrap_or_default() {
            "bounce" | "suppressionlist" => &[PermanentBounce],
            "complaint" => &[Delivery, Complaint],
            "ooto" => &[Delivery, TransientBounce],
            _ => &[Delivery],
        }
    }

    /// Its name in an event destination of a template.
    pub(crate) fn in_template(self) -> &'static str {
        match self {
            MailEvent::Delivery => "DELIVERY",
            MailEvent::Delay => "DELIVERY_DELAY",
            MailEvent::PermanentBounce | MailEvent::TransientBounce => "BOUNCE",
            MailEvent::Complaint => "COMPLAINT",
            MailEvent::Reject => "REJECT",
        }
    }
}

impl Sending {
    /// The event as SES publishes it at this moment, about the first recipient.
    pub fn event(&self, what: MailEvent, at: Timestamp) -> Value {
        let (time, to) = (in_milliseconds(at), self.to.first().cloned().unwrap_or_default());
        let (name, member, told) = match what {
            MailEvent::Delivery => (
                "Delivery",
                "delivery",
                json!({ "timestamp": time, "processingTimeMillis": 412, "recipients": [to],
                    "smtpResponse": "250 2.6.0 Message received", "remoteMtaIp": "198.51.100.25",
                    "reportingMTA": "a8-50.smtp-out.amazonses.com" }),
            ),
            MailEvent::Delay => (
                "DeliveryDelay",
                "deliveryDelay",
                json!({ "timestamp": time, "delayType": "TransientCommunicationFailure", "expirationTime": time,
                    "delayedRecipients": [{ "emailAddress": to, "status": "4.4.1", "diagnosticCode": "smtp; 421 try later" }] }),
            ),
            MailEvent::PermanentBounce => ("Bounce", "bounce", bounce("Permanent", "5.1.1", &to, &time)),
            MailEvent::TransientBounce => ("Bounce", "bounce", bounce("Transient", "4.0.0", &to, &time)),
            MailEvent::Complaint => (
                "Complaint",
                "complaint",
                json!({ "complainedRecipients": [{ "emailAddress": to }], "timestamp": time, "feedbackId": new_id(),
                    "complaintSubType": null, "userAgent": "Amazon SES Mailbox Simulator",
                    "complaintFeedbackType": "abuse", "arrivalDate": time }),
            ),
            MailEvent::Reject => ("Reject", "reject", json!({ "reason": "Bad content" })),
        };
        json!({ "eventType": name, member: told, "mail": self.mail() })
    }

    fn mail(&self) -> Value {
        let given = self.tags.iter().map(|(name, value)| (name.clone(), json!([value])));
        let own = [
            ("ses:operation", Some("SendEmail".to_owned())),
            ("ses:configuration-set", self.configuration_set.clone()),
            ("ses:source-ip", Some("198.51.100.7".to_owned())),
            ("ses:from-domain", self.from.rsplit('@').next().map(|domain| domain.trim_end_matches('>').to_owned())),
        ];
        let own = own.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!([value?]))));
        let tags: BTreeMap<_, _> = given.chain(own).collect();
        json!({ "timestamp": in_milliseconds(self.at), "source": self.from, "sendingAccountId": ACCOUNT,
            "sourceArn": format!("arn:aws:ses:{REGION}:{ACCOUNT}:identity/{}", self.from), "messageId": self.id,
            "destination": self.to, "headersTruncated": false,
            "headers": [{ "name": "From", "value": self.from }, { "name": "To", "value": self.to.join(", ") },
                { "name": "Subject", "value": self.subject }],
            "commonHeaders": { "from": [self.from], "to": self.to, "messageId": self.id, "subject": self.subject },
            "tags": tags })
    }
}

fn bounce(kind: &str, status: &str, to: &str, time: &str) -> Value {
    json!({ "feedbackId": new_id(), "bounceType": kind, "bounceSubType": "General", "timestamp": time,
        "bouncedRecipients": [{ "emailAddress": to, "action": "failed", "status": status,
            "diagnosticCode": "smtp; 550 5.1.1 user unknown" }],
        "remoteMtaIp": "198.51.100.25", "reportingMTA": "dns; a8-50.smtp-out.amazonses.com" })
}

/// SES writes milliseconds.
fn in_milliseconds(at: Timestamp) -> String {
    at.to_string().replace('Z', ".000Z")
}
