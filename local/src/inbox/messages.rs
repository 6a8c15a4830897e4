//! The messages that a stack has sent.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use local_aws::{Chat, Delivered, Mail, Origin, Service, Sms, StackClock};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::broadcast;

use super::call::CallFacts;
use super::direction;
use super::sms::SmsFacts;

/// How many messages the inbox keeps.
const KEPT: usize = 1_000;
/// How many events a page can lag behind before it misses some.
const BEHIND: usize = 256;

/// One message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Its number in this stack, starting at 1.
    pub id: String,
    /// The provider's id.
    pub provider_id: String,
    /// `code` or `notice`.
    pub kind: &'static str,
    /// `email`, `sms`, `voice` or `whatsapp`.
    pub channel: &'static str,
    /// The service that sent it.
    pub service: Option<Service>,
    /// The email address or phone number.
    pub to: String,
    /// `ltr` or `rtl`.
    pub direction: &'static str,
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
    /// Its states, from its send on, as the stack was told.
    pub life: Vec<Moment>,
    /// Details of an SMS.
    pub sms: Option<SmsFacts>,
    /// Details of a call.
    pub call: Option<CallFacts>,
}

/// A state of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Moment {
    /// `sent`, `delayed`, `handed_over`, `delivered`, `failed` or `complained`.
    pub state: String,
    /// When the stack heard of it, by its clock.
    pub at: String,
}

/// The function that sends notices.
const NOTIFY: &str = "Notify";

impl Message {
    fn new(delivered: Delivered, origin: Origin, id: String, sent_at: String) -> Message {
        let kind = if origin.caller == NOTIFY { "notice" } else { "code" };
        let life = vec![Moment { state: "sent".to_owned(), at: sent_at.clone() }];
        let message = Message { id, provider_id: origin.id, kind, sent_at, life, ..Message::default() };
        let message = match delivered {
            Delivered::Mail(Mail { service, from: _, to, subject, text, html, headers }) => {
                let service = Some(service);
                Message { channel: "email", service, to, subject: Some(subject), text, html, headers, ..message }
            }
            Delivered::Sms(sms) => {
                let facts = Some(SmsFacts::of(&sms));
                let Sms { service, to, text, .. } = sms;
                Message { channel: "sms", service: Some(service), to, text, sms: facts, ..message }
            }
            Delivered::Whatsapp(Chat { service, to, text, .. }) => {
                Message { channel: "whatsapp", service: Some(service), to, text, ..message }
            }
            Delivered::Call(call) => {
                let (text, facts) = (call.spoken(), Some(CallFacts::of(&call)));
                Message { channel: "voice", service: Some(call.service), to: call.to, text, call: facts, ..message }
            }
        };
        Message { direction: direction::of(message.html.as_deref(), &message.text), ..message }
    }

    /// Adds a state, if it is new.
    fn learn(&mut self, state: &str, at: &str) -> bool {
        let is_new = !self.life.iter().any(|moment| moment.state == state);
        if is_new {
            self.life.push(Moment { state: state.to_owned(), at: at.to_owned() });
        }
        is_new
    }
}

/// The receipts in a function's log line: the provider's id of each message, and its new state.
fn receipts(line: &str) -> Vec<(String, String)> {
    if !line.contains(r#""step":"receipt""#) {
        return Vec::new();
    }
    let line: Value = serde_json::from_str(line).unwrap_or_default();
    let steps = line.get("steps").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let receipt = |step: &Value| {
        let text = |name: &str| Some(step.get(name)?.as_str()?.to_owned());
        let state = text("receipt").map(|state| if state == "returned" { "failed".to_owned() } else { state });
        (step.get("step")? == "receipt").then_some(text("message").zip(state)).flatten()
    };
    steps.iter().filter_map(receipt).collect()
}

/// An event for the pages that show the inbox.
#[derive(Clone, Debug)]
pub(crate) enum News {
    Arrived(Box<Message>),
    /// Something became of a message.
    Told,
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

    pub(crate) fn receive(&self, delivered: Delivered, origin: Origin) {
        let mut kept = self.kept();
        kept.arrived += 1;
        let (id, now) = (kept.arrived.to_string(), self.clock.now().to_string());
        let message = Message::new(delivered, origin, id, now);
        kept.messages.push_front(message.clone());
        kept.messages.truncate(KEPT);
        // Sent under the lock, so that pages see arrivals and clearings in order. An error means only that no page listens.
        let _ = self.news.send(News::Arrived(Box::new(message)));
    }

    /// Reads a line of the log. A function that gets receipts names each message and its state there, whatever the provider.
    pub(crate) fn read_log(&self, line: &str) {
        let receipts = receipts(line);
        if receipts.is_empty() {
            return;
        }
        let (mut kept, now) = (self.kept(), self.clock.now().to_string());
        let mut is_news = false;
        for (id, state) in receipts {
            let of_provider = kept.messages.iter_mut().filter(|message| message.provider_id == id);
            of_provider.for_each(|message| is_news |= message.learn(&state, &now));
        }
        if is_news {
            let _ = self.news.send(News::Told);
        }
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

    fn origin(id: &str, caller: &str) -> Origin {
        Origin { id: id.to_owned(), caller: caller.to_owned() }
    }

    #[test]
    fn the_newest_come_first_and_the_oldest_go() {
        let inbox = Inbox::new(StackClock::frozen_at(Timestamp::from_unix(0)));
        for number in 0..=KEPT {
            let to = if number == 0 { "first@example.com" } else { "ada@example.com" };
            inbox.receive(mail(to, &number.to_string()), origin("x", "RequestOtp"));
        }
        assert_eq!(inbox.messages(None).len(), KEPT);
        assert_eq!(inbox.messages(None)[0].subject.as_deref(), Some("1000"));
        assert_eq!(inbox.messages(Some("first@example.com")), []);
        assert_eq!(inbox.messages(Some("Ada@example.com")).len(), KEPT);
        inbox.clear();
        assert_eq!(inbox.messages(None), []);
    }

    /// The log of a function tells what became of a message, once for each state.
    #[test]
    fn a_message_learns_what_became_of_it() {
        let clock = StackClock::frozen_at(Timestamp::from_unix(0));
        let inbox = Inbox::new(clock.clone());
        inbox.receive(mail("ada@example.com", "1"), origin("a", "RequestOtp"));
        inbox.receive(mail("ada@example.com", "2"), origin("b", "Notify"));
        let mut news = inbox.news();
        let line = |id: &str, receipt: &str| {
            format!(
                r#"{{"function":"delivery","steps":[{{"step":"call"}},{{"step":"receipt","receipt":"{receipt}","message":"{id}"}}]}}"#
            )
        };
        for (id, receipt) in [("a", "handed_over"), ("a", "handed_over"), ("x", "failed"), ("a", "returned")] {
            clock.advance(std::time::Duration::from_secs(5));
            inbox.read_log(&line(id, receipt));
        }
        inbox.read_log(r#"{"steps":[{"step":"receipt"}]}"#);
        inbox.read_log(r#""step":"receipt""#);
        let messages = inbox.messages(None);
        let lives: Vec<Vec<_>> =
            messages.iter().map(|it| it.life.iter().map(|it| (it.state.as_str(), &it.at[14..19])).collect()).collect();
        let told = vec![("sent", "00:00"), ("handed_over", "00:05"), ("failed", "00:20")];
        assert_eq!(lives, [vec![("sent", "00:00")], told]);
        assert_eq!([messages[0].kind, messages[1].kind], ["notice", "code"]);
        let mut count = 0;
        while news.try_recv().is_ok() {
            count += 1;
        }
        assert_eq!(count, 2);
    }
}
