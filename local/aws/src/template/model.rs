//! The contents of a template as data.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::custom::CustomResource;
use super::mapping::{EventDestination, Mapping, Rule, Subscription};

/// A template with one profile's parameters.
#[derive(Clone, Debug)]
pub struct Template {
    /// The functions, by resource name.
    pub functions: BTreeMap<String, Function>,
    /// The API's routes.
    pub routes: Vec<Route>,
    /// The API's CORS configuration, if any.
    pub cors: Option<Cors>,
    /// The tables.
    pub tables: Vec<Table>,
    /// The event source mappings.
    pub mappings: Vec<Mapping>,
    /// The schedules of functions.
    pub schedules: Vec<Schedule>,
    /// Where SES publishes what becomes of mails.
    pub destinations: Vec<EventDestination>,
    /// The topics that invoke functions.
    pub subscriptions: Vec<Subscription>,
    /// The ARNs of the queues.
    pub queues: Vec<String>,
    /// The names of the event buses.
    pub buses: Vec<String>,
    /// The rules of the buses.
    pub rules: Vec<Rule>,
    /// The ARNs of the secrets.
    pub secrets: Vec<String>,
    /// The identities from which SES may send.
    pub senders: Vec<String>,
    /// The custom resources, by resource name.
    pub custom: BTreeMap<String, CustomResource>,
    /// The properties of alarms and dashboards, by resource name.
    pub watching: BTreeMap<String, Value>,
    /// The properties of the API.
    pub api: Value,
    /// How many days each log group keeps its lines, by resource name.
    pub log_days: BTreeMap<String, u64>,
}

/// A function as it is deployed.
#[derive(Clone, Debug)]
pub struct Function {
    /// The binary, which is also the name of its crate.
    pub binary: String,
    /// Its environment: the variables of all functions, overridden by its own.
    pub environment: BTreeMap<String, String>,
    /// Its policies, evaluated.
    pub policies: Value,
    /// After how many seconds Lambda ends an invocation.
    pub timeout: Option<u64>,
    /// The ARN of the queue for events of others that it could not handle.
    pub failed: Option<String>,
    /// Its memory in MB.
    pub memory: Option<u64>,
    /// Whether X-Ray traces it: `Active` or `PassThrough`.
    pub tracing: Option<String>,
    /// The lowest level of Lambda's own log lines.
    pub system_log_level: Option<String>,
}

/// A route to a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// A method, or `ANY`.
    pub method: String,
    /// A path, or `$default`. A path may have `{name}` segments and may end with `{name+}`.
    pub path: String,
    /// The function's resource name.
    pub function: String,
}

/// A schedule that invokes a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Its name at the function.
    pub name: String,
    /// The function's resource name.
    pub function: String,
    /// The time between two invocations, at least a minute.
    pub every: Duration,
}

/// The path of the default route, for requests without another matching route.
pub const DEFAULT_ROUTE: &str = "$default";

impl Route {
    /// The route key in the gateway's events.
    pub fn key(&self) -> String {
        if self.path == DEFAULT_ROUTE { self.path.clone() } else { format!("{} {}", self.method, self.path) }
    }
}

/// The other origins with access to the API's answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cors {
    /// Origins, `*`, `https://*` or `http://*`.
    pub origins: Vec<String>,
    /// Methods that a preflight allows.
    pub methods: Vec<String>,
    /// Request headers that a preflight allows.
    pub headers: Vec<String>,
    /// Response headers that scripts may read.
    pub exposed: Vec<String>,
    /// Whether cookies may be sent.
    pub credentials: bool,
    /// How long browsers may cache a preflight, in seconds.
    pub max_age: Option<u64>,
}

/// A table.
#[derive(Clone, Debug)]
pub struct Table {
    /// The request for `CreateTable`.
    pub definition: Value,
    /// The attribute for the time to live.
    pub ttl: Option<String>,
}
