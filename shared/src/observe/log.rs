//! The log: JSON lines, one for each request, and one for whatever else somebody should know.

use std::fmt::{self, Write};

use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::registry::LookupSpan;

use crate::observe::metrics::{Counted, Metrics};
use crate::observe::report::{self, Report};
use crate::words::{Clock, Error, Timestamp};

/// The field whose text is JSON already: an object, whose members become the line's own.
const MEMBERS: &str = "members";

/// What writes the log of a function to `writer`, by `clock`.
pub fn subscriber<W>(clock: Clock, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    tracing_subscriber::fmt()
        .event_format(Lines { clock })
        .with_max_level(tracing::Level::INFO)
        .with_writer(writer)
        .finish()
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
    /// A member, whose value is JSON.
    fn raw(&mut self, name: &str, json: impl fmt::Display) {
        self.has_id |= name == "request_id";
        let start = if self.text.is_empty() { '{' } else { ',' };
        // Writing to a text does not fail.
        let _ = write!(self.text, "{start}\"{name}\":{json}");
    }

    fn text(&mut self, name: &str, text: &str) {
        self.raw(name, Value::from(text));
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, text: &str) {
        match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            Some(members) if field.name() == MEMBERS => {
                let _ = write!(self.text, ",{members}");
            }
            _ => self.text(field.name(), text),
        }
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

/// A request, or a task's event, that has ended.
pub(crate) struct Ended<'a> {
    pub(crate) function: &'static str,
    /// What a task was asked for.
    pub(crate) kind: Option<&'static str>,
    pub(crate) outcome: &'static str,
    pub(crate) status: Option<u16>,
    /// What is wrong, where that is for the log and not for the caller.
    pub(crate) cause: Option<String>,
    pub(crate) is_cold: bool,
    pub(crate) report: &'a Report,
}

impl Ended<'_> {
    /// The outcome of a result, in its error's word.
    pub(crate) fn word<T>(outcome: &Result<T, Error>) -> &'static str {
        outcome.as_ref().map_or_else(Error::code, |_| "ok")
    }

    /// Writes the one line of it. Nothing else logs a failure.
    pub(crate) fn tell(&self, metrics: &Metrics, now: Timestamp) {
        let Ended { function, kind, outcome, status, cause, is_cold, report } = self;
        let (duration_ms, own_ms) = report.took();
        let is_fault = status.map_or(cause.is_some(), |status| status >= 500);
        let counted = Counted { outcome, is_fault, is_cold: *is_cold, own_ms, report };
        let mut members = metrics.members(function, &counted, now);
        members.insert("steps".to_owned(), steps(report));
        let members = Value::Object(members).to_string();
        let members = members.as_str();
        let (request_id, cold_start, kind) = (report.id(), *is_cold, *kind);
        let stage = metrics.stage.as_str();
        match cause {
            None => tracing::info!(
                message = "answered",
                request_id,
                stage,
                function,
                kind,
                outcome,
                status,
                duration_ms,
                own_ms,
                cold_start,
                members
            ),
            Some(cause) => {
                let cause = cause.as_str();
                tracing::error!(
                    message = "failed",
                    request_id,
                    stage,
                    function,
                    kind,
                    outcome,
                    status,
                    duration_ms,
                    own_ms,
                    cold_start,
                    cause,
                    members
                );
            }
        }
    }
}

fn steps(report: &Report) -> Value {
    serde_json::to_value(report.steps()).unwrap_or_else(|error| Value::from(error.to_string()))
}
