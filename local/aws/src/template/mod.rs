//! `template.yaml`, read and evaluated: the one description of what is deployed, here as data.

mod constraints;
mod evaluate;
mod names;
mod parts;
mod profile;
#[cfg(test)]
mod tests;
mod yaml;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::failure::Failure;
use evaluate::Scope;
pub use names::STACK;
pub(crate) use names::expression_of;
use yaml::Node;
pub use yaml::scalar;

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

impl Template {
    /// Reads `template.yaml` and `samconfig.toml` of the folder `root` under a profile.
    ///
    /// # Errors
    /// What cannot be read or is not understood, with its line.
    pub fn read(root: &Path, profile: &str) -> Result<Template, Failure> {
        Template::read_with(root, profile, &[])
    }

    /// The same with other values of some settings, also where the template decides something by them.
    ///
    /// # Errors
    /// As [`Template::read`].
    pub fn read_with(root: &Path, profile: &str, settings: &[(String, String)]) -> Result<Template, Failure> {
        let text = |name: &str| {
            let path = root.join(name);
            std::fs::read_to_string(&path).map_err(|error| Failure::new(format!("{}: {error}", path.display())))
        };
        Template::evaluate(&text("template.yaml")?, &text("samconfig.toml")?, profile, settings)
    }

    /// The same from texts.
    ///
    /// # Errors
    /// As [`Template::read`].
    pub fn parse(template: &str, samconfig: &str, profile: &str) -> Result<Template, Failure> {
        Template::evaluate(template, samconfig, profile, &[])
    }

    fn evaluate(
        template: &str,
        samconfig: &str,
        profile: &str,
        settings: &[(String, String)],
    ) -> Result<Template, Failure> {
        let template = Node::read(template)?;
        let parameters = profile::parameters(&template, samconfig, profile)?;
        let scope = Scope::new(&template, parameters.clone())?;
        constraints::check(&template, &scope, &parameters)?;
        parts::read(&template, &Scope::new(&template, profile::with_settings(parameters, settings))?)
    }
}

/// The folder of the template: the nearest one above the current folder, or where this program was built.
///
/// # Errors
/// When there is none.
pub fn find_root() -> Result<PathBuf, Failure> {
    let current = std::env::current_dir().unwrap_or_default();
    let built = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = current.ancestors().chain(built.ancestors()).find(|folder| folder.join("template.yaml").is_file());
    let found = found
        .ok_or_else(|| Failure::new("there is no template.yaml here or in a folder above: run this in the project"))?;
    Ok(found.to_owned())
}
