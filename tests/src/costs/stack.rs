//! The lines of the bill that follow from the template.

use std::collections::BTreeSet;
use std::fs;

use local_aws::template::{Function, Mapping, Template, find_root};
use serde_json::{Value, json};
use shared::aws::FRESH;

use super::{Prices, Table};
use crate::Deployment;
use crate::client::VERIFY;
use crate::deployment::wrong;

/// The requests of one login, by binary.
const LOGIN: [(&str, u32); 4] = [("request-otp", 1), ("verify-otp", 1), ("refresh", 2), ("logout", 1)];

/// The variables of an access log line, with usual values.
const OF_A_REQUEST: [(&str, &str); 7] = [
    ("requestId", "Xb2cdgAAoAMEPfA="),
    ("requestTime", "28/Nov/2026:12:00:00 +0000"),
    ("routeKey", "POST /api/auth/otp/request"),
    ("status", "200"),
    ("responseLatency", "120"),
    ("error.message", "-"),
    ("integrationErrorMessage", "-"),
];

/// Count, 4xx, 5xx, Latency, IntegrationLatency and DataProcessed.
const METRICS_OF_A_ROUTE: usize = 6;

const MONTH_SECONDS: f64 = 730.0 * 3_600.0;
const MONTH_DAYS: f64 = 730.0 / 24.0;

/// A stack as the template and the default profile deploy it.
pub struct Stack {
    template: Template,
    prices: Prices,
}

/// One line of a bill.
pub struct Line {
    pub name: &'static str,
    pub counted: String,
    pub dollars: f64,
    /// The part that an account with only this stack gets free.
    pub free: f64,
}

impl Line {
    fn new(name: &'static str, counted: impl ToString, dollars: f64) -> Line {
        Line { name, counted: counted.to_string(), dollars, free: 0.0 }
    }

    /// `count` things, the first of them free.
    fn counted(name: &'static str, count: usize, price: f64, free: usize) -> Line {
        Line { free: count.min(free) as f64 * price, ..Line::new(name, count, count as f64 * price) }
    }
}

impl Stack {
    /// Reads the template and the prices.
    pub fn read() -> Stack {
        // Without the optional parts that `local` shows.
        let root = find_root().unwrap();
        let [template, profiles] =
            ["template.yaml", "samconfig.toml"].map(|name| fs::read_to_string(root.join(name)).unwrap());
        let profiles = profiles.replace("SecondFactor=optional", "SecondFactor=off");
        let template = Template::parse(&template, &profiles, "default").unwrap();
        Stack { template, prices: Prices::read() }
    }

    /// The table of a month: without any request, while people sign in, and without metrics.
    pub fn bill(&self, custom_metrics: usize) -> String {
        let (secrets, watching, busy) = (self.secrets(), self.watching(), self.busy(custom_metrics));
        let mut table = Table::new(&["a month", "count", "dollars", "of it free in an account"]);
        let row = |table: &mut Table, line: &Line| {
            let cells = [line.name.to_owned(), line.counted.clone()];
            table.row(&[&cells[..], &[dollars(line.dollars), dollars(line.free)]].concat());
        };
        [&secrets].into_iter().chain(&watching).for_each(|line| row(&mut table, line));
        row(&mut table, &sum("**an idle stack**", [&secrets].into_iter().chain(&watching)));
        row(&mut table, &sum("an idle stack with `Metrics=off`", [&secrets]));
        busy.iter().for_each(|line| row(&mut table, line));
        row(
            &mut table,
            &sum("**while people sign in at all hours**", [&secrets].into_iter().chain(&watching).chain(&busy)),
        );
        table.text()
    }

    /// The cost of a month without requests.
    pub fn idle(&self) -> f64 {
        sum("", [&self.secrets()].into_iter().chain(&self.watching())).dollars
    }

    /// The cost of a month beside the sign-ins, with and without metrics.
    pub fn month(&self, custom_metrics: usize) -> [f64; 2] {
        let (secrets, busy) = (self.secrets().dollars, self.busy(custom_metrics));
        let [metrics, others]: [f64; 2] = [true, false].map(|is_metric| {
            busy.iter().filter(|line| (line.name == CUSTOM_METRICS) == is_metric).map(|line| line.dollars).sum()
        });
        let watching: f64 = self.watching().iter().map(|line| line.dollars).sum();
        [secrets + others + metrics + watching, secrets + others]
    }

    /// The lines of one login that follow from the template. The functions' own lines are `log_bytes` long.
    pub fn of_a_login(&self, log_bytes: f64) -> [Line; 5] {
        let aws = &self.prices.aws;
        let platform = self.prices.assumed.platform_bytes * self.requests_to(writes_platform_lines);
        let access = f64::from(u32::try_from(self.access_line()).unwrap()) * self.requests();
        let traces = self.requests_to(|function| function.tracing.as_deref() == Some("Active"));
        let log = |name, bytes| Line::new(name, format!("{bytes:.0} bytes"), bytes * aws.log_byte);
        [
            log("CloudWatch Logs, the functions' lines", log_bytes),
            log("CloudWatch Logs, Lambda's own lines", platform),
            log("CloudWatch Logs, access log", access),
            self.kept_log(log_bytes + platform + access),
            Line::new("X-Ray, if it traces every request", format!("{traces:.0} traces"), traces * aws.trace),
        ]
    }

    /// The number of requests of a login.
    pub fn requests(&self) -> f64 {
        self.requests_to(|_| true)
    }

    fn requests_to(&self, is_meant: impl Fn(&Function) -> bool) -> f64 {
        LOGIN
            .iter()
            .filter(|(binary, _)| is_meant(self.function(binary)))
            .map(|(_, times)| f64::from(*times))
            .fold(0.0, |sum, times| sum + times)
    }

    /// Keeping `bytes` of the log for as long as the template says.
    fn kept_log(&self, bytes: f64) -> Line {
        let days = self.template.log_days.values().max().copied().unwrap_or_default();
        let months = f64::from(u32::try_from(days).unwrap()) / MONTH_DAYS;
        let price = bytes * self.prices.assumed.log_compression * months * self.prices.aws.log_byte_month;
        Line::new("CloudWatch Logs, kept", format!("{days} days"), price)
    }

    /// The memory of the functions of a login, in MB.
    pub fn memory_mb(&self) -> f64 {
        let memory = self.function(LOGIN[0].0).memory.expect("template.yaml sets MemorySize");
        f64::from(u32::try_from(memory).unwrap())
    }

    /// The number of mappings that read the stream of UserTable.
    pub(super) fn mappings(&self) -> f64 {
        self.template.mappings.len() as f64
    }

    /// The most records of a batch of `record`.
    pub(super) fn batch_size(&self) -> f64 {
        self.record().batch_size as f64
    }

    /// The windows of one shard in a month. A batch of `record` ends with its window.
    pub(super) fn windows(&self) -> f64 {
        MONTH_SECONDS / self.record().window_seconds as f64
    }

    fn record(&self) -> &Mapping {
        self.template.mappings.iter().find(|mapping| mapping.function == "Record").expect("record reads the stream")
    }

    /// How long a row of activity is kept.
    pub(super) fn activity_months(&self) -> f64 {
        let days = &self.function("record").environment["ACTIVITY_DAYS"];
        days.parse::<f64>().expect("ACTIVITY_DAYS is a number") / MONTH_DAYS
    }

    fn secrets(&self) -> Line {
        Line::counted("Secrets Manager, secrets", self.template.secrets.len(), self.prices.aws.secret, 0)
    }

    fn watching(&self) -> [Line; 2] {
        let (aws, free, watching) = (&self.prices.aws, &self.prices.free, &self.template.watching);
        let dashboards = watching.values().filter(|it| it.get("DashboardBody").is_some()).count();
        let metrics = watching.values().map(alarm_metrics).sum();
        [
            Line::counted("CloudWatch, metrics of alarms", metrics, aws.alarm_metric, free.alarm_metrics),
            Line::counted("CloudWatch, dashboards", dashboards, aws.dashboard, free.dashboards),
        ]
    }

    /// The lines that are added while people sign in at all hours of the month, with one instance of each function.
    fn busy(&self, custom_metrics: usize) -> [Line; 3] {
        let (aws, free) = (&self.prices.aws, self.prices.free.metrics);
        let is_detailed = self.template.api.pointer("/DefaultRouteSettings/DetailedMetricsEnabled");
        let routes = if is_detailed == Some(&json!(true)) { LOGIN.len() * METRICS_OF_A_ROUTE } else { 0 };
        let reads = self.secret_reads() * MONTH_SECONDS / FRESH.as_secs_f64();
        [
            Line::counted(CUSTOM_METRICS, custom_metrics, aws.metric, free),
            Line::counted("API Gateway, metrics by route", routes, aws.metric, 0),
            Line::new("Secrets Manager, reads", format!("{reads:.0}"), reads * aws.secret_read),
        ]
    }

    /// How many secrets the functions of a login read, one after the other.
    fn secret_reads(&self) -> f64 {
        let of = |(binary, _): &(&str, u32)| {
            let settings = self.function(binary).environment.iter();
            // It checks access tokens only before it sends a code that confirms a request.
            let settings = settings.filter(|(name, _)| *binary != "request-otp" || *name != "SIGNING_SECRET_ARN");
            settings.filter(|(_, value)| self.template.secrets.contains(value)).count()
        };
        f64::from(u32::try_from(LOGIN.iter().map(of).sum::<usize>()).unwrap())
    }

    /// The length of an access log line, with its line break.
    fn access_line(&self) -> usize {
        let Some(format) = self.template.api.pointer("/AccessLogSettings/Format").and_then(Value::as_str) else {
            return 0;
        };
        let mut parts = format.split("$context.");
        let fixed = parts.next().unwrap_or_default().len() + 1;
        let rest = parts.map(|part| {
            let is_name = |char: char| char.is_ascii_alphanumeric() || char == '.';
            let name = part.split(|char| !is_name(char)).next().unwrap_or_default();
            let found = OF_A_REQUEST.iter().find(|(known, _)| *known == name);
            let (_, value) = found.unwrap_or_else(|| panic!("tests/src/costs/stack.rs has no value for {name}"));
            part.len() - name.len() + value.len()
        });
        fixed + rest.sum::<usize>()
    }

    fn function(&self, binary: &str) -> &Function {
        let mut functions = self.template.functions.values();
        functions.find(|function| function.binary == binary).unwrap_or_else(|| panic!("no function has {binary}"))
    }
}

const CUSTOM_METRICS: &str = "CloudWatch, custom metrics";

fn dollars(amount: f64) -> String {
    format!("{amount:.2}")
}

fn sum<'a>(name: &'static str, lines: impl IntoIterator<Item = &'a Line>) -> Line {
    lines.into_iter().fold(Line::new(name, "", 0.0), |sum, line| Line {
        dollars: sum.dollars + line.dollars,
        free: sum.free + line.free,
        ..sum
    })
}

/// Each metric of an alarm is charged, and so is each metric in its expression.
fn alarm_metrics(alarm: &Value) -> usize {
    let metrics = alarm["Metrics"].as_array().into_iter().flatten();
    let in_expression = metrics.filter(|metric| !metric["MetricStat"].is_null()).count();
    in_expression + usize::from(!alarm["MetricName"].is_null())
}

/// Lambda writes `platform.start` and `platform.report` at the level INFO, which is the default.
fn writes_platform_lines(function: &Function) -> bool {
    !matches!(function.system_log_level.as_deref(), Some("WARN" | "ERROR"))
}

/// The number of custom metrics of people who sign up, mistype a code, sign in, refresh and sign out.
pub async fn custom_metrics() -> usize {
    const ADA: &str = "ada@example.com";
    let auth = Deployment::start().await;
    let client = auth.client();
    let asked = client.ask(ADA).await;
    let mistyped = json!({ "identifier": ADA, "otp_code": wrong(&asked.code), "challenge_id": asked.challenge });
    client.post(VERIFY, mistyped).await.refused(400, "invalid_otp");
    client.answer(ADA, &asked).await.ok();
    let tokens = client.sign_in(ADA).await;
    let tokens = client.refresh(&tokens.refresh).await.tokens();
    client.logout(&tokens.refresh).await.ok();
    auth.stack.logs().iter().flat_map(|line| metrics_in(line)).collect::<BTreeSet<_>>().len()
}

/// The metrics in a log line, with their dimensions.
fn metrics_in(line: &str) -> Vec<String> {
    let line: Value = serde_json::from_str(line).unwrap();
    let groups = line["_aws"]["CloudWatchMetrics"].as_array().into_iter().flatten();
    let names = groups.flat_map(|group| {
        let dimensions = group["Dimensions"][0].as_array().into_iter().flatten();
        let dimensions: Vec<String> =
            dimensions.map(|name| format!("{name}={}", line[name.as_str().unwrap()])).collect();
        let metrics = group["Metrics"].as_array().into_iter().flatten();
        metrics.map(move |metric| format!("{} {}", metric["Name"], dimensions.join(" ")))
    });
    names.collect()
}
