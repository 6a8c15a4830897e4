//! What a template deploys, as data.

use std::collections::BTreeMap;

use serde_json::Value;

/// A template with one profile's parameters.
#[derive(Clone, Debug)]
pub struct Template {
    /// The functions, by the name of their resource.
    pub functions: BTreeMap<String, Function>,
    /// The API's routes.
    pub routes: Vec<Route>,
    /// The API's CORS configuration, where it has one.
    pub cors: Option<Cors>,
    /// The tables.
    pub tables: Vec<Table>,
    /// The ARNs of the secrets.
    pub secrets: Vec<String>,
    /// Identities that SES may send from.
    pub senders: Vec<String>,
    /// The properties of alarms and dashboards, by the name of their resource.
    pub watching: BTreeMap<String, Value>,
}

/// A function as it is deployed.
#[derive(Clone, Debug)]
pub struct Function {
    /// The binary, which is also the name of its crate.
    pub binary: String,
    /// Its environment: the one that all functions have, and its own over it.
    pub environment: BTreeMap<String, String>,
    /// Its policies, evaluated.
    pub policies: Value,
}

/// What leads to a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// A method, or `ANY`.
    pub method: String,
    /// A path that may have `{name}` segments and may end in `{name+}`; or `$default`.
    pub path: String,
    /// The function's resource.
    pub function: String,
}

/// The path of the route for what no other route matches.
pub const DEFAULT_ROUTE: &str = "$default";

impl Route {
    /// The route key, as the gateway names it in events.
    pub fn key(&self) -> String {
        if self.path == DEFAULT_ROUTE { self.path.clone() } else { format!("{} {}", self.method, self.path) }
    }
}

/// Which other origins may read the API's answers.
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
    /// How many seconds a preflight may be remembered.
    pub max_age: Option<u64>,
}

/// A table to make.
#[derive(Clone, Debug)]
pub struct Table {
    /// The request of CreateTable.
    pub definition: Value,
    /// The attribute with the time to live.
    pub ttl: Option<String>,
}
