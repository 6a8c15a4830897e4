//! CloudWatch metrics, derived from a request's notes and written in the embedded metric format as part of the log line.
//!
//! Requests are counted only for the functions that people wait for during a sign-in. Rare events, such as throttles, are counted for
//! all functions. Every metric has the dimension `FunctionName`, which distinguishes deployments. A few have a second dimension with
//! a small, fixed set of values. None identifies a user, a network or a code.

use serde_json::{Map, Value, json};

use crate::config::{IS_NAME, Reader};
use crate::observe::report::{Report, Step};
use crate::words::Timestamp;

/// The CloudWatch namespace.
pub(super) const NAMESPACE: &str = "Latchkey";

/// The settings for metrics, and names for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metrics {
    /// The deployment's stage, for the log.
    pub stage: String,
    /// The function's name on Lambda. `None` elsewhere.
    pub function: Option<String>,
    /// Whether metrics are written.
    pub is_on: bool,
}

/// The data for the metrics of one request.
pub(crate) struct Counted<'a> {
    /// Whether people wait for the function during a sign-in. The requests of others are in the log only.
    pub(crate) is_awaited: bool,
    pub(crate) outcome: &'static str,
    /// Whether the deployment caused the failure, as opposed to the client.
    pub(crate) is_fault: bool,
    pub(crate) is_cold: bool,
    /// Milliseconds without a call to AWS under way.
    pub(crate) own_ms: f64,
    pub(crate) report: &'a Report,
}

/// Metrics with the same dimensions.
#[derive(Default)]
struct Group {
    dimension: Option<&'static str>,
    metrics: Vec<Value>,
}

impl Metrics {
    /// Reads the settings for metrics.
    pub fn read(read: &mut Reader<'_>) -> Metrics {
        Metrics {
            stage: read.choice("STAGE", "development", &["development", "testing", "production"]),
            function: read.optional("AWS_LAMBDA_FUNCTION_NAME", IS_NAME),
            is_on: read.is_on("METRICS"),
        }
    }

    /// The log line's members for CloudWatch.
    pub(crate) fn members(&self, binary: &str, counted: &Counted<'_>, now: Timestamp) -> Map<String, Value> {
        if !self.is_on {
            return Map::new();
        }
        let mut line = Line::default();
        line.values.insert("FunctionName".to_owned(), json!(self.function.as_deref().unwrap_or(binary)));
        if counted.is_awaited {
            line.count(counted);
        }
        counted.report.steps().iter().for_each(|noted| line.step(&noted.step));
        if line.groups.is_empty() {
            return Map::new();
        }
        let groups = line.groups.into_iter().map(|group| {
            let dimensions: Vec<&str> = ["FunctionName"].into_iter().chain(group.dimension).collect();
            json!({ "Namespace": NAMESPACE, "Dimensions": [dimensions], "Metrics": group.metrics })
        });
        let groups: Vec<Value> = groups.collect();
        let about = json!({ "Timestamp": now.unix().saturating_mul(1_000), "CloudWatchMetrics": groups });
        line.values.insert("_aws".to_owned(), about);
        line.values
    }
}

/// The used part of a budget, at most 100 percent.
fn percent(budget: [impl Into<u64>; 2]) -> f64 {
    let [used, of] = budget.map(|number| number.into() as f64);
    if of == 0.0 { 100.0 } else { (100.0 * used / of).min(100.0).round() }
}

#[derive(Default)]
struct Line {
    values: Map<String, Value>,
    groups: Vec<Group>,
}

impl Line {
    fn count(&mut self, counted: &Counted<'_>) {
        self.metric(None, "Requests", "Count", 1);
        self.metric(None, "Faults", "Count", u8::from(counted.is_fault));
        self.metric(None, "OwnTime", "Milliseconds", counted.own_ms);
        self.metric(None, "Calls", "Count", counted.report.calls());
        if counted.is_cold {
            self.metric(None, "ColdStarts", "Count", 1);
        }
        self.metric(Some(("Outcome", counted.outcome)), "Outcomes", "Count", 1);
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Throttled { .. } => self.metric(None, "Throttles", "Count", 1),
            Step::Delivery { channel, country, refused, unknown, .. } => {
                let name = match (refused, unknown) {
                    (Some(_), _) => "RefusedSends",
                    (None, Some(_)) => "UnknownSends",
                    (None, None) => "Sends",
                };
                self.metric(Some(("Channel", channel.name())), name, "Count", 1);
                if let Some(country) = country {
                    self.metric(Some(("Country", country)), "Texts", "Count", 1);
                }
            }
            Step::Budget { total, sent, money, stopped_by, .. } if total[1] != u32::MAX => {
                self.metric(None, "SmsBudgetLeft", "Count", total[1].saturating_sub(total[0]));
                // Whichever ends first: the day's messages, those to the country, or the day's money.
                let used = percent(*total).max(percent(*sent)).max(money.map_or(0.0, percent));
                self.metric(None, "SmsBudgetUsed", "Percent", used);
                self.stop(stopped_by.as_deref());
            }
            Step::Budget { stopped_by, .. } => self.stop(stopped_by.as_deref()),
            Step::MailBudget { number, daily, .. } => {
                self.metric(None, "MailBudgetUsed", "Percent", percent([*number, *daily]));
            }
            Step::Challenge { long: true, .. } => self.metric(None, "LongCodes", "Count", 1),
            Step::Used { channel, sign_up } => {
                self.metric(Some(("Channel", channel.name())), "CodesUsed", "Count", 1);
                if *sign_up {
                    self.metric(None, "SignUps", "Count", 1);
                }
            }
            Step::Refresh { led_to } if led_to == "reused" => self.metric(None, "RefreshReuse", "Count", 1),
            Step::Call { .. }
            | Step::Limit { .. }
            | Step::Receipt { .. }
            | Step::Challenge { .. }
            | Step::Try { .. }
            | Step::Compared { .. }
            | Step::Lockout { .. }
            | Step::AnsweredAgain
            | Step::Refresh { .. }
            | Step::Ended { .. } => {}
        }
    }

    fn stop(&mut self, stopped_by: Option<&str>) {
        if stopped_by == Some("breaker") {
            self.metric(None, "BreakerStops", "Count", 1);
        }
    }

    /// Adds a metric. A second value replaces the first, because a line can contain only one value per name.
    fn metric(&mut self, dimension: Option<(&'static str, &str)>, name: &str, unit: &str, value: impl Into<Value>) {
        if let Some((dimension, value)) = dimension {
            self.values.insert(dimension.to_owned(), json!(value));
        }
        if self.values.insert(name.to_owned(), value.into()).is_some() {
            return;
        }
        let dimension = dimension.map(|(dimension, _)| dimension);
        let metric = json!({ "Name": name, "Unit": unit });
        match self.groups.iter_mut().find(|group| group.dimension == dimension) {
            Some(group) => group.metrics.push(metric),
            None => self.groups.push(Group { dimension, metrics: vec![metric] }),
        }
    }
}
