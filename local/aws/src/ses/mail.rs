//! `SendEmail` with simple content.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::words::Clock;

use super::mailbox::Mailbox;
use super::sending::Sending;
use crate::faults::Delivery;
use crate::ids::{REGION, new_id};
use crate::lock::locked;
use crate::sent::Sent;
use crate::wire::{Call, Origin, Refusal, Service};

/// The limits of SES.
const MOST_RECIPIENTS: usize = 50;
const LONGEST_MESSAGE: usize = 40 * 1024 * 1024;

/// A mail as its recipient gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The service that sent it.
    pub service: Service,
    /// The sender as a mail program shows it: `Name <address>`.
    pub from: String,
    /// The recipient's address.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part.
    pub html: Option<String>,
    /// The headers that the sender added, by name.
    pub headers: BTreeMap<String, String>,
}

pub(crate) struct Ses {
    /// Addresses, and domains without an `@`.
    verified: Mutex<BTreeSet<String>>,
    deliver: Box<dyn Fn(Mail, Origin) + Send + Sync>,
    sent: Sent<Sending>,
    clock: Clock,
}

/// The request, with SES's names for its members.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendEmail {
    from_email_address: String,
    #[serde(default)]
    destination: Destination,
    #[serde(default)]
    reply_to_addresses: Vec<String>,
    content: EmailContent,
    configuration_set_name: Option<String>,
    #[serde(default)]
    email_tags: Vec<Header>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Destination {
    to_addresses: Vec<String>,
    cc_addresses: Vec<String>,
    bcc_addresses: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EmailContent {
    simple: Option<Message>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Message {
    subject: Content,
    body: Body,
    #[serde(default)]
    headers: Vec<Header>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Header {
    name: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    text: Option<Content>,
    html: Option<Content>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    data: String,
    charset: Option<String>,
}

impl Content {
    /// Without a charset, SES reads text as 7-bit ASCII.
    fn read(&self) -> String {
        match self.charset {
            Some(_) => self.data.clone(),
            None => self.data.chars().map(|letter| if letter.is_ascii() { letter } else { '?' }).collect(),
        }
    }
}

impl Ses {
    pub(crate) fn new(clock: Clock, deliver: impl Fn(Mail, Origin) + Send + Sync + 'static) -> Ses {
        Ses { verified: Mutex::default(), deliver: Box::new(deliver), sent: Sent::default(), clock }
    }

    /// The mails that SES took after the first `count`, at most the newest, and how many there are in all.
    pub(crate) fn sent_after(&self, count: u64) -> (Vec<Sending>, u64) {
        self.sent.after(count)
    }

    pub(crate) fn verify(&self, identity: &str) {
        let identity =
            identity.parse::<Mailbox>().map_or_else(|_| identity.to_ascii_lowercase(), |mailbox| mailbox.address);
        locked(&self.verified).insert(identity);
    }

    /// The answer and its delay. `fate` decides about an accepted mail.
    pub(crate) fn answer(&self, call: &Call, fate: impl Fn() -> Delivery) -> (Result<Value, Refusal>, Duration) {
        let (mails, sending) = match self.read(&call.body) {
            Ok(read) => read,
            Err(refusal) => return (Err(refusal), Duration::ZERO),
        };
        let delivery = fate();
        if delivery.arrives() {
            self.sent.keep(sending.clone());
            let origin = Origin { id: sending.id.clone(), caller: call.caller.clone() };
            mails.into_iter().for_each(|mail| (self.deliver)(mail, origin.clone()));
        }
        let sent = json!({ "MessageId": sending.id });
        let refused = Refusal::bad("MessageRejected", "Sending was refused on purpose, by an injected fault.");
        let (status, name) = (StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException");
        delivery.told(sent, refused, Refusal::new(status, name, "Maximum sending rate exceeded."))
    }

    fn read(&self, body: &Value) -> Result<(Vec<Mail>, Sending), Refusal> {
        let bad = |message: &str| Refusal::bad("BadRequestException", message);
        let read = Deserialize::deserialize(body).map_err(|error: serde_json::Error| bad(&error.to_string()))?;
        let SendEmail { from_email_address, destination, reply_to_addresses, content, .. } = read;
        let (configuration_set, tags) = (read.configuration_set_name, read.email_tags);
        let simple = content.simple.ok_or_else(|| bad("The local stack sends simple content only."))?;
        let from: Mailbox = from_email_address.parse().map_err(bad)?;
        let Destination { to_addresses, cc_addresses, bcc_addresses } = destination;
        let recipients = [to_addresses, cc_addresses, bcc_addresses].concat();
        if recipients.is_empty() {
            return Err(bad("Destination must have at least one recipient."));
        }
        if recipients.len() > MOST_RECIPIENTS {
            return Err(bad("Recipient count exceeds 50."));
        }
        let recipients: Result<Vec<Mailbox>, _> = recipients.iter().map(|address| address.parse()).collect();
        let recipients = recipients.map_err(bad)?;
        for address in &reply_to_addresses {
            address.parse::<Mailbox>().map_err(bad)?;
        }
        let (subject, text, html) = parts(&simple).map_err(bad)?;
        self.check_sender(&from)?;
        let headers: BTreeMap<_, _> = simple.headers.into_iter().map(|Header { name, value }| (name, value)).collect();
        let mail = |to: Mailbox| Mail {
            service: Service::Ses,
            from: from.to_string(),
            to: to.address,
            subject: subject.clone(),
            text: text.clone(),
            html: html.clone(),
            headers: headers.clone(),
        };
        let sending = Sending {
            id: format!("0100000000000000-{}-000000", new_id()),
            configuration_set,
            from: from.to_string(),
            to: recipients.iter().map(|to| to.address.clone()).collect(),
            subject: subject.clone(),
            tags: tags.into_iter().map(|Header { name, value }| (name, value)).collect(),
            at: self.clock.now(),
        };
        Ok((recipients.into_iter().map(mail).collect(), sending))
    }

    /// The verified identity for a mailbox: its exact address, its domain, or a parent domain. Case matters only for
    /// addresses.
    pub(crate) fn identity(&self, mailbox: &Mailbox) -> Option<String> {
        let verified = locked(&self.verified);
        if verified.contains(&mailbox.address) {
            return Some(mailbox.address.clone());
        }
        let domain = mailbox.domain().to_ascii_lowercase();
        let mut domains = std::iter::successors(Some(domain.as_str()), |domain| Some(domain.split_once('.')?.1));
        domains.find(|domain| verified.contains(*domain)).map(str::to_owned)
    }

    /// Whether `name` itself is a verified identity.
    pub(crate) fn has_identity(&self, name: &str) -> bool {
        locked(&self.verified).contains(name)
    }

    fn check_sender(&self, from: &Mailbox) -> Result<(), Refusal> {
        if self.identity(from).is_some() {
            return Ok(());
        }
        let message = format!(
            "Email address is not verified. The following identities failed the check in region {}: {from}",
            REGION.to_ascii_uppercase()
        );
        Err(Refusal::bad("MessageRejected", &message))
    }
}

/// Subject, text and HTML.
fn parts(message: &Message) -> Result<(String, String, Option<String>), &'static str> {
    let Message { subject, body: Body { text, html }, .. } = message;
    // A line break would start another header.
    if subject.data.chars().any(char::is_control) {
        return Err("Subject contains control characters");
    }
    let written = || [text, html].into_iter().flatten();
    if written().all(|part| part.data.is_empty()) {
        return Err("Message body is empty");
    }
    if subject.data.len() + written().map(|part| part.data.len()).sum::<usize>() > LONGEST_MESSAGE {
        return Err("Message length is more than 41943040 bytes long");
    }
    Ok((subject.read(), text.as_ref().map(Content::read).unwrap_or_default(), html.as_ref().map(Content::read)))
}
