//! What happened on the way to an answer: noted where it is decided, and told in the request's one log line.
//!
//! A note changes nothing of what is done, and names nobody: neither identifiers nor networks are in it, not even as digests.

use std::borrow::Cow;
use std::cell::RefCell;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::words::Channel;

/// A word of a small vocabulary.
pub type Word = Cow<'static, str>;

/// One decision, or one call that it took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// A request to AWS, with all that its service did about it.
    Call {
        /// The operation's name, as its service has it.
        operation: Word,
        /// How long it took, in milliseconds.
        took_ms: f64,
        /// The HTTP status; nothing where no answer came.
        status: Option<u16>,
    },
    /// A service throttled it, for longer than was waited.
    Throttled {
        /// The service's own word.
        error: String,
    },
    /// A network's limit.
    Limit {
        /// The action that is limited.
        action: Word,
        /// How often it happened in the window; nothing where this instance knows that it is closed.
        count: Option<u32>,
        /// How often it may.
        allowed: u32,
        /// Whether it may go on.
        open: bool,
    },
    /// The day's SMS to a country, or to a range of numbers.
    Budget {
        /// The country's code, or `range`.
        of: Word,
        /// Messages to everywhere, and how many there may be.
        total: [u32; 2],
        /// Messages to here.
        sent: u32,
        /// The debt to the breaker, and at which it stops.
        debt: [i64; 2],
        /// What stops a message: `budget` or `breaker`.
        stopped_by: Option<Word>,
    },
    /// A challenge.
    Challenge {
        /// What was done: `begun`, `sent_again` or `refused`.
        did: Word,
        /// `open`, or `known` for a browser in which the identifier was proved before.
        lane: Word,
        /// New ones of this hour.
        this_hour: u32,
        /// Failures in a row.
        failures: u32,
        /// Whether codes are long.
        long: bool,
    },
    /// A code on its way.
    Delivery {
        /// How it travels.
        channel: Channel,
        /// An SMS's country.
        country: Option<Word>,
        /// Why it surely was not sent.
        refused: Option<String>,
    },
    /// A try at a code.
    Try {
        /// Whether it named its challenge.
        bound: bool,
        /// Whether there was one to spend.
        spent: bool,
        /// Failures in a row, this one among them.
        failures: Option<u32>,
        /// How long the lockout still waits, in seconds.
        waits: u64,
    },
    /// A code was compared.
    Compared {
        /// Whether it was right.
        right: bool,
    },
    /// A code was used up.
    Used {
        /// How it had travelled.
        channel: Channel,
        /// Whether its person is new.
        sign_up: bool,
    },
    /// A refresh token was presented.
    Refresh {
        /// `rotated`, `repeated` within the grace, `reused`, or `refused`.
        led_to: Word,
    },
    /// Sessions ended.
    Ended {
        /// Whether all of a user.
        all: bool,
        /// Whether there was anything to end.
        lived: bool,
    },
}

/// A step, and when it was noted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Noted {
    /// Milliseconds since the request came.
    pub at_ms: f64,
    /// What happened.
    #[serde(flatten)]
    pub step: Step,
}

/// All that was noted of one request.
#[derive(Debug)]
pub struct Report {
    id: String,
    started: Instant,
    steps: Vec<Noted>,
}

tokio::task_local! {
    static REPORT: RefCell<Report>;
}

/// Notes a step of the request that this task answers. At the start of a function there is none, and nobody asks.
pub fn note(step: Step) {
    let _ = REPORT.try_with(|report| {
        let mut report = report.borrow_mut();
        let at_ms = milliseconds(report.started.elapsed());
        report.steps.push(Noted { at_ms, step });
    });
}

/// The id of the request that this task answers.
pub fn request_id() -> Option<String> {
    REPORT.try_with(|report| report.borrow().id.clone()).ok()
}

/// Does `work`, and brings what was noted meanwhile. What it spawns elsewhere notes nothing.
pub async fn collect<T>(id: &str, work: impl Future<Output = T>) -> (T, Report) {
    let report = Report { id: id.to_owned(), started: Instant::now(), steps: Vec::new() };
    let whole = async {
        let done = work.await;
        let steps = REPORT.with(|report| std::mem::take(&mut report.borrow_mut().steps));
        (done, steps)
    };
    let id = report.id.clone();
    let started = report.started;
    let (done, steps) = REPORT.scope(RefCell::new(report), whole).await;
    (done, Report { id, started, steps })
}

impl Report {
    /// Of a request that could not even be read.
    pub fn empty(id: &str) -> Report {
        Report { id: id.to_owned(), started: Instant::now(), steps: Vec::new() }
    }

    /// The request.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What happened, in the order in which it ended.
    pub fn steps(&self) -> &[Noted] {
        &self.steps
    }

    /// How often AWS was asked, repetitions among them.
    pub fn calls(&self) -> usize {
        self.steps.iter().filter(|noted| matches!(noted.step, Step::Call { .. })).count()
    }

    /// How long it took so far, and how much of that no call was under way, in milliseconds.
    pub fn took(&self) -> (f64, f64) {
        let took = milliseconds(self.started.elapsed());
        (took, took - self.waited())
    }

    /// The time in which at least one call was under way.
    fn waited(&self) -> f64 {
        let (mut waited, mut until) = (0.0, 0.0_f64);
        for (from, to) in spans(&self.steps) {
            waited += (to - from.max(until)).max(0.0);
            until = until.max(to);
        }
        waited
    }
}

/// The start and the end of each call, in milliseconds, ordered by the start.
pub fn spans(steps: &[Noted]) -> Vec<(f64, f64)> {
    let span = |noted: &Noted| match noted.step {
        Step::Call { took_ms, .. } => Some(((noted.at_ms - took_ms).max(0.0), noted.at_ms)),
        _ => None,
    };
    let mut spans: Vec<(f64, f64)> = steps.iter().filter_map(span).collect();
    spans.sort_by(|one, other| one.0.total_cmp(&other.0));
    spans
}

/// With three digits after the point: what is shorter is noise.
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
    fn a_step_reads_as_it_was_written() {
        let noted =
            Noted { at_ms: 1.5, step: Step::Limit { action: "request".into(), count: None, allowed: 25, open: false } };
        let text = serde_json::to_string(&noted).unwrap();
        assert_eq!(text, r#"{"at_ms":1.5,"step":"limit","action":"request","count":null,"allowed":25,"open":false}"#);
        assert_eq!(serde_json::from_str::<Noted>(&text).unwrap(), noted);
    }
}
