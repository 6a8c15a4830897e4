//! The log: JSON lines, one for each request and one for each other noteworthy event.

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::observe::metrics::{Counted, Metrics};
use crate::observe::report::{self, Noted, Pseudonyms, Report};
use crate::words::{Clock, Error};

/// The destination of log lines, with the clock for their timestamps.
#[derive(Clone)]
pub struct Log {
    clock: Clock,
    write: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Log {
    /// A log that passes each line, without a line break, to `write`.
    pub fn new(clock: Clock, write: impl Fn(&str) + Send + Sync + 'static) -> Log {
        Log { clock, write: Arc::new(write) }
    }

    /// A log to standard output, the source of Lambda's logs.
    pub fn to_stdout(clock: Clock) -> Log {
        Log::new(clock, |line| {
            // If standard output is closed, there is nowhere to report the error.
            let _ = writeln!(io::stdout(), "{line}");
        })
    }

    /// A subscriber that logs the events of `tracing`, in addition to the lines of requests.
    pub fn subscriber(&self) -> impl Subscriber + Send + Sync + use<> {
        let log = self.clone();
        tracing_subscriber::fmt()
            .event_format(Lines { clock: self.clock.clone() })
            .with_max_level(tracing::Level::INFO)
            .with_writer(move || log.clone())
            .finish()
    }

    fn line(&self, line: &impl Serialize) {
        match serde_json::to_string(line) {
            Ok(text) => (self.write)(&text),
            Err(error) => tracing::error!(%error, "failed to write a log line"),
        }
    }
}

/// The formatter writes each event in one call, so each call is one line.
impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (self.write)(String::from_utf8_lossy(bytes).trim_end());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Lines {
    clock: Clock,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut line = Line { text: String::with_capacity(1_024), has_id: false };
        line.text("timestamp", &self.clock.now().to_string());
        line.text("level", event.metadata().level().as_str());
        event.record(&mut line);
        if !line.has_id
            && let Some(id) = report::request_id()
        {
            line.text("request_id", &id);
        }
        writeln!(writer, "{}}}", line.text)
    }
}

struct Line {
    text: String,
    has_id: bool,
}

impl Line {
    /// Adds a member with JSON as its value.
    fn raw(&mut self, name: &str, json: impl fmt::Display) {
        self.has_id |= name == "request_id";
        let start = if self.text.is_empty() { '{' } else { ',' };
        // Writing to a `String` always succeeds.
        let _ = write!(self.text, "{start}\"{name}\":{json}");
    }

    fn text(&mut self, name: &str, text: &str) {
        self.raw(name, Value::from(text));
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, text: &str) {
        self.text(field.name(), text);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.raw(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.raw(field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.raw(field.name(), value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.raw(field.name(), Value::from(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field.name(), &format!("{value:?}"));
    }
}

/// A request or task after its end.
pub(crate) struct Ended<'a> {
    pub(crate) function: &'static str,
    /// Whether people wait for the function during a sign-in.
    pub(crate) is_awaited: bool,
    /// The kind of task.
    pub(crate) kind: Option<&'static str>,
    pub(crate) outcome: &'static str,
    pub(crate) status: Option<u16>,
    /// The cause of a failure, only for the log.
    pub(crate) cause: Option<String>,
    pub(crate) is_cold: bool,
    pub(crate) report: &'a Report,
}

impl Ended<'_> {
    /// The outcome as a word: `ok` or the error's code.
    pub(crate) fn word<T>(outcome: &Result<T, Error>) -> &'static str {
        outcome.as_ref().map_or_else(Error::code, |_| "ok")
    }

    /// Writes the only line about this request. Failures are logged nowhere else.
    pub(crate) fn write(&self, metrics: &Metrics, log: &Log) {
        let Ended { function, is_awaited, kind, outcome, status, cause, is_cold, report } = self;
        let now = log.clock.now();
        let (duration_ms, own_ms) = report.took();
        let is_fault = status.map_or(cause.is_some(), |status| status >= 500);
        let counted = Counted { is_awaited: *is_awaited, outcome, is_fault, is_cold: *is_cold, own_ms, report };
        log.line(&RequestLine {
            timestamp: now.to_string(),
            level: if cause.is_none() { "INFO" } else { "ERROR" },
            message: if cause.is_none() { "answered" } else { "failed" },
            request_id: report.id(),
            stage: &metrics.stage,
            function,
            kind: *kind,
            outcome,
            status: *status,
            duration_ms,
            own_ms,
            cold_start: *is_cold,
            cause: cause.as_deref(),
            lockout: report.lockout(),
            about: report.about(),
            metrics: metrics.members(function, &counted, now),
            steps: report.steps(),
        });
    }
}

#[derive(Serialize)]
struct RequestLine<'a> {
    timestamp: String,
    level: &'static str,
    message: &'static str,
    request_id: &'a str,
    stage: &'a str,
    function: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    duration_ms: f64,
    own_ms: f64,
    cold_start: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'a str>,
    /// At the top level, because filter patterns cannot search a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    lockout: Option<&'a str>,
    #[serde(flatten)]
    about: &'a Pseudonyms,
    /// CloudWatch expects its metrics at the top level.
    #[serde(flatten)]
    metrics: Map<String, Value>,
    steps: &'a [Noted],
}
