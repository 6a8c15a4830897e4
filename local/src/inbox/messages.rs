//! The messages that a stack has sent.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use local_aws::{Chat, Delivered, Mail, Service, Sms, StackClock};
use serde::Serialize;
use tokio::sync::broadcast;

use super::sms::SmsFacts;

/// How many messages the inbox keeps.
const KEPT: usize = 1_000;
/// How many events a page can lag behind before it misses some.
const BEHIND: usize = 256;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Its number in this stack, starting at 1.
    pub id: String,
    /// `email`, `sms` or `voice`.
    pub channel: &'static str,
    /// The service that sent it.
    pub service: Service,
    /// The email address or phone number.
    pub to: String,
    /// The subject; `None` for an SMS.
    pub subject: Option<String>,
    /// The plain text.
    pub text: String,
    /// The HTML part, if any.
    pub html: Option<String>,
    /// The headers that the sender added to a mail, by name.
    pub headers: BTreeMap<String, String>,
    /// When it was sent, by the stack's clock.
    pub sent_at: String,
    /// Details of an SMS; `None` for a mail.
    pub sms: Option<SmsFacts>,
}

impl Message {
    fn new(delivered: Delivered, id: String, sent_at: String) -> Message {
        match delivered {
            Delivered::Mail(Mail { service, from: _, to, subject, text, html, headers }) => {
                let (channel, subject) = ("email", Some(subject));
                Message { id, channel, service, to, subject, text, html, headers, sent_at, sms: None }
            }
            Delivered::Sms(sms) => {
                let facts = Some(SmsFacts::of(&sms));
                let Sms { service, to, text, .. } = sms;
                let headers = BTreeMap::new();
                Message {
                    id,
                    channel: "sms",
                    service,
                    to,
                    subject: None,
                    text,
                    html: None,
                    headers,
                    sent_at,
                    sms: facts,
                }
            }
            Delivered::Whatsapp(chat) => {
                let (Chat { service, to, text, .. }, headers) = (chat, BTreeMap::new());
                let channel = "whatsapp";
                Message { id, channel, service, to, subject: None, text, html: None, headers, sent_at, sms: None }
            }
            Delivered::Call(call) => {
                let (text, headers) = (call.spoken(), BTreeMap::new());
                let (service, to, channel) = (call.service, call.to, "voice");
                Message { id, channel, service, to, subject: None, text, html: None, headers, sent_at, sms: None }
            }
        }
    }
}

/// An event for the pages that show the inbox.
#[derive(Clone, Debug)]
pub(crate) enum News {
    Arrived(Box<Message>),
    Cleared,
}

/// All messages of a stack. Clones share the same messages.
#[derive(Clone, Debug)]
pub struct Inbox {
    kept: Arc<Mutex<Kept>>,
    pub(super) news: broadcast::Sender<News>,
    clock: StackClock,
}

#[derive(Debug, Default)]
struct Kept {
    /// Newest first.
    messages: VecDeque<Message>,
    arrived: u64,
}

impl Inbox {
    pub(crate) fn new(clock: StackClock) -> Inbox {
        Inbox { kept: Arc::default(), news: broadcast::channel(BEHIND).0, clock }
    }

    pub(crate) fn receive(&self, delivered: Delivered) {
        let mut kept = self.kept();
        kept.arrived += 1;
        let message = Message::new(delivered, kept.arrived.to_string(), self.clock.now().to_string());
        kept.messages.push_front(message.clone());
        kept.messages.truncate(KEPT);
        // Sent under the lock, so that pages see arrivals and clearings in order. An error means only that no page listens.
        let _ = self.news.send(News::Arrived(Box::new(message)));
    }

    /// The messages, newest first. With `to`, only messages to this address, compared without case.
    pub fn messages(&self, to: Option<&str>) -> Vec<Message> {
        let kept = self.kept();
        let wanted = kept.messages.iter().filter(|message| to.is_none_or(|to| message.to.eq_ignore_ascii_case(to)));
        wanted.cloned().collect()
    }

    /// Deletes all messages.
    pub fn clear(&self) {
        let mut kept = self.kept();
        kept.messages.clear();
        let _ = self.news.send(News::Cleared);
    }

    /// The events from now on.
    pub(crate) fn news(&self) -> broadcast::Receiver<News> {
        self.news.subscribe()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::words::Timestamp;

    fn mail(to: &str, subject: &str) -> Delivered {
        let [from, text] = ["no-reply@example.com", "Hello"].map(str::to_owned);
        Delivered::Mail(Mail {
            service: Service::Ses,
            from,
            to: to.to_owned(),
            subject: subject.to_owned(),
            text,
            html: None,
            headers: BTreeMap::new(),
        })
    }

    #[test]
    fn the_newest_come_first_and_the_oldest_go() {
        let inbox = Inbox::new(StackClock::frozen_at(Timestamp::from_unix(0)));
        for number in 0..=KEPT {
            inbox.receive(mail(if number == 0 { "first@example.com" } else { "ada@example.com" }, &number.to_string()));
        }
        assert_eq!(inbox.messages(None).len(), KEPT);
        assert_eq!(inbox.messages(None)[0].subject.as_deref(), Some("1000"));
        assert_eq!(inbox.messages(Some("first@example.com")), []);
        assert_eq!(inbox.messages(Some("Ada@example.com")).len(), KEPT);
        inbox.clear();
        assert_eq!(inbox.messages(None), []);
    }
}
