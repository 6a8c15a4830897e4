//! Notes about a request: collected where decisions are made, and written in the request's only log line.
//!
//! Notes never influence the answer. Steps are free of identifiers and networks, even as digests, because `explain` shows
//! them. Beside its steps, a request has the pseudonyms of its subjects ([`Pseudonyms`]), for investigations.

use std::borrow::Cow;
use std::cell::RefCell;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::words::{Channel, IdentifierDigest, NetworkDigest, SessionId, UserId};

/// A word from a small, fixed set.
pub type Word = Cow<'static, str>;

/// A decision, or a call to AWS.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// One HTTP request to AWS. A retry is another one.
    Call {
        /// The name of the AWS operation.
        operation: Word,
        /// The duration in milliseconds.
        took_ms: f64,
        /// The HTTP status. `None` if there was no answer.
        status: Option<u16>,
    },
    /// AWS throttled a call for longer than the retries lasted.
    Throttled {
        /// The error code of the AWS service.
        error: String,
    },
    /// The limit of a network was checked.
    Limit {
        /// The limited action.
        action: Word,
        /// How often it happened in the window. `None` if this instance already knew that the limit was reached.
        count: Option<u32>,
        /// The number of allowed actions.
        allowed: u32,
        /// Whether the request may continue.
        open: bool,
    },
    /// The daily SMS budget of a country or a range of numbers was checked.
    Budget {
        /// The country's code, or `range`.
        of: Word,
        /// Messages to all countries, and their limit.
        total: [u32; 2],
        /// Messages to this country or range, and their limit.
        sent: [u32; 2],
        /// The cost of messages to all countries, and its limit, in millionths of a dollar. `None` if money is not counted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        money: Option<[u64; 2]>,
        /// The breaker debt, and its limit for this client.
        debt: [i64; 2],
        /// The reason for refusing a message: `budget` or `breaker`.
        stopped_by: Option<Word>,
    },
    /// The day's mails and those to the domain were checked.
    MailBudget {
        /// Which mail of the day it would be.
        number: u32,
        /// The mails of a day.
        daily: u32,
        /// Whether the domain has got the day's mails.
        is_domain_full: bool,
        /// Whether the request may continue.
        open: bool,
    },
    /// The result of a request for a code.
    Challenge {
        /// The outcome: `begun`, `sent_again`, `shared`, `repeated` (too soon after the last request) or `refused`.
        did: Word,
        /// `open`, or `known` for a client with a device token.
        lane: Word,
        /// The code's purpose, if it is not a sign-in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        purpose: Option<Word>,
        /// Messages left in the bucket.
        tokens: u32,
        /// Attempts charged since the last right answer.
        charged: u32,
        /// Whether the code is a long one.
        long: bool,
    },
    /// A message with a code was accepted or refused, or its outcome is unknown.
    Delivery {
        /// The channel of the message.
        channel: Channel,
        /// The service with this outcome.
        #[serde(default)]
        provider: Word,
        /// The country of an SMS.
        country: Option<Word>,
        /// The provider's id of an accepted message, as its own logs and events have it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        /// The reason if it was certainly not sent.
        refused: Option<String>,
        /// The reason if the outcome is unknown.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unknown: Option<String>,
    },
    /// A provider told what became of a message.
    Receipt {
        /// What it told: `delayed`, `handed_over`, `returned`, `delivered`, `failed` or `complained`.
        receipt: Word,
        /// The provider's id of the message.
        message: String,
        /// The price in US dollars, if the provider told it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        price: Option<f64>,
        /// Whether it was news about the newest message of its code.
        news: bool,
        /// Until when the address is held because of it, in seconds from now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        held: Option<u64>,
    },
    /// An attempt at a code with digits.
    Try {
        /// Whether it named its challenge.
        bound: bool,
        /// Whether an attempt was left.
        spent: bool,
    },
    /// A code was compared.
    Compared {
        /// Whether it was correct.
        right: bool,
    },
    /// This wrong code began a lockout.
    Lockout {
        /// The reason why no more attempts are taken: `code` if it has none left, `network` if its failures have reached their limit, or
        /// `factor` if the user's next code of an app has to wait.
        of: Word,
    },
    /// A code was used up.
    Used {
        /// The channel of its message.
        channel: Channel,
        /// Whether the user is new.
        sign_up: bool,
    },
    /// An answer came twice and got its first session again.
    AnsweredAgain,
    /// A refresh token was presented.
    Refresh {
        /// The outcome: `rotated`, `repeated` (by its own client), `reused` or `refused`.
        led_to: Word,
    },
    /// Sessions ended.
    Ended {
        /// Whether all sessions of a user were to end.
        all: bool,
        /// Whether there was an active session to end.
        lived: bool,
    },
}

/// A step and its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Noted {
    /// Milliseconds since the start of the request.
    pub at_ms: f64,
    /// The decision or call.
    #[serde(flatten)]
    pub step: Step,
}

/// The subject of a request.
#[derive(Clone, Copy)]
pub enum About<'a> {
    /// The identifier of a code, as its keyed digest.
    Identifier(&'a IdentifierDigest),
    /// The network of the request, as its keyed digest.
    Network(&'a NetworkDigest),
    /// The user who was proven.
    User(&'a UserId),
    /// The session that was opened, used or ended.
    Session(&'a SessionId),
}

/// The pseudonyms in a request's log line. An operator finds all requests about one account, or from one network, without
/// seeing an address (S157). Each is the same text as in the tables.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Pseudonyms {
    #[serde(skip_serializing_if = "Option::is_none")]
    identifier: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
}

/// All notes about one request.
#[derive(Debug)]
pub struct Report {
    id: String,
    started: Instant,
    steps: Vec<Noted>,
    about: Pseudonyms,
}

tokio::task_local! {
    static REPORT: RefCell<Report>;
}

/// Notes a step of this task's request. Outside a request, it does nothing.
pub fn note(step: Step) {
    let _ = REPORT.try_with(|report| {
        let mut report = report.borrow_mut();
        let at_ms = milliseconds(report.started.elapsed());
        report.steps.push(Noted { at_ms, step });
    });
}

/// Adds a pseudonym to this task's request. Outside a request, it does nothing.
pub fn about(whom: About<'_>) {
    let _ = REPORT.try_with(|report| {
        let about = &mut report.borrow_mut().about;
        match whom {
            About::Identifier(digest) => about.identifier = Some(digest.as_str().to_owned()),
            About::Network(digest) => about.network = Some(digest.as_str().to_owned()),
            About::User(user) => about.user = Some(user.to_string()),
            About::Session(session) => about.session = Some(session.as_str().to_owned()),
        }
    });
}

/// The id of this task's request.
pub fn request_id() -> Option<String> {
    REPORT.try_with(|report| report.borrow().id.clone()).ok()
}

/// Runs `work` and collects its notes. Tasks spawned by it cannot add notes.
pub async fn collect<T>(id: &str, work: impl Future<Output = T>) -> (T, Report) {
    let report = Report::empty(id);
    let started = report.started;
    let whole = async {
        let done = work.await;
        let noted = REPORT.with(|report| {
            let mut report = report.borrow_mut();
            (std::mem::take(&mut report.steps), std::mem::take(&mut report.about))
        });
        (done, noted)
    };
    let (done, (steps, about)) = REPORT.scope(RefCell::new(report), whole).await;
    (done, Report { id: id.to_owned(), started, steps, about })
}

impl Report {
    /// A report for an unreadable request.
    pub fn empty(id: &str) -> Report {
        Report { id: id.to_owned(), started: Instant::now(), steps: Vec::new(), about: Pseudonyms::default() }
    }

    /// The request's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The notes, in the order in which the steps ended.
    pub fn steps(&self) -> &[Noted] {
        &self.steps
    }

    /// The pseudonyms of this request.
    pub fn about(&self) -> &Pseudonyms {
        &self.about
    }

    /// The widest lockout that the request began.
    pub(crate) fn lockout(&self) -> Option<&str> {
        // A network is noted after the code.
        self.steps.iter().rev().find_map(|noted| match &noted.step {
            Step::Lockout { of } => Some(of.as_ref()),
            _ => None,
        })
    }

    /// The number of calls to AWS, including retries.
    pub fn calls(&self) -> usize {
        self.steps.iter().filter(|noted| matches!(noted.step, Step::Call { .. })).count()
    }

    /// The time since the start of the request, and the part of it without a call under way, in milliseconds.
    pub fn took(&self) -> (f64, f64) {
        let took = milliseconds(self.started.elapsed());
        (took, took - self.waited())
    }

    /// The time with at least one call under way, in milliseconds.
    fn waited(&self) -> f64 {
        let (mut waited, mut until) = (0.0, 0.0_f64);
        for (from, to) in spans(&self.steps) {
            waited += (to - from.max(until)).max(0.0);
            until = until.max(to);
        }
        waited
    }
}

/// The start and end of each call in milliseconds, sorted by the start.
pub fn spans(steps: &[Noted]) -> Vec<(f64, f64)> {
    let span = |noted: &Noted| match noted.step {
        Step::Call { took_ms, .. } => Some(((noted.at_ms - took_ms).max(0.0), noted.at_ms)),
        _ => None,
    };
    let mut spans: Vec<(f64, f64)> = steps.iter().filter_map(span).collect();
    spans.sort_by(|one, other| one.0.total_cmp(&other.0));
    spans
}

/// A duration in milliseconds, rounded to three decimals.
pub fn milliseconds(span: Duration) -> f64 {
    (span.as_secs_f64() * 1_000_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(took_ms: f64, at_ms: f64) -> Noted {
        Noted { at_ms, step: Step::Call { operation: "GetItem".into(), took_ms, status: Some(200) } }
    }

    #[test]
    fn calls_that_overlap_are_waited_for_once() {
        let steps = vec![call(10.0, 12.0), call(4.0, 8.0), call(6.0, 15.0), call(1.0, 20.0)];
        let report = Report { steps, ..Report::empty("one") };
        assert!((report.waited() - 14.0).abs() < 1e-9, "{}", report.waited());
        assert_eq!(report.calls(), 4);
    }

    #[tokio::test]
    async fn each_request_has_its_own_notes() {
        let step = |right| Step::Compared { right };
        note(step(false));
        let one = collect("one", async {
            note(step(true));
            assert_eq!(request_id().as_deref(), Some("one"));
        });
        let two = collect("two", async {
            tokio::task::yield_now().await;
            note(step(false));
            note(step(false));
        });
        let (((), one), ((), two)) = tokio::join!(one, two);
        assert_eq!((one.steps().len(), two.steps().len(), one.id(), two.id()), (1, 2, "one", "two"));
        assert_eq!(request_id(), None);
    }

    #[test]
    fn a_step_survives_a_round_trip() {
        let noted =
            Noted { at_ms: 1.5, step: Step::Limit { action: "request".into(), count: None, allowed: 25, open: false } };
        let text = serde_json::to_string(&noted).unwrap();
        assert_eq!(text, r#"{"at_ms":1.5,"step":"limit","action":"request","count":null,"allowed":25,"open":false}"#);
        assert_eq!(serde_json::from_str::<Noted>(&text).unwrap(), noted);
    }
}
