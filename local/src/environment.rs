//! What each function finds in its environment: the template's variables, its identity, and where AWS is.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use local_aws::template::{STACK, Template};
use local_aws::{Failure, REGION};
use shared::config::Config;

pub(crate) type Variables = BTreeMap<String, String>;

/// The environments of all functions, by the name of their resource.
pub(crate) struct Environments(BTreeMap<String, (String, Variables)>);

impl Environments {
    /// Those of `template`, with AWS at `aws`, or where AWS is. An issuer that the template leaves open is `issuer`;
    /// `overrides` stand over everything.
    pub(crate) fn new(
        template: &Template,
        aws: Option<SocketAddr>,
        issuer: Option<String>,
        overrides: &[(String, String)],
    ) -> Environments {
        let environment = |name: &str, variables: &Variables| {
            let mut all = variables.clone();
            if let (Some(issuer), None | Some("")) = (&issuer, all.get("JWT_ISSUER").map(String::as_str)) {
                all.insert("JWT_ISSUER".to_owned(), issuer.clone());
            }
            let given = [
                ("AWS_LAMBDA_FUNCTION_NAME", format!("{STACK}-{name}")),
                ("AWS_REGION", REGION.to_owned()),
                // The key id names the caller: the services know each function by it.
                ("AWS_ACCESS_KEY_ID", name.to_owned()),
                ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
            ];
            all.extend(given.map(|(name, value)| (name.to_owned(), value)));
            all.extend(aws.map(|aws| ("AWS_ENDPOINT_URL".to_owned(), format!("http://{aws}"))));
            all.extend(overrides.iter().cloned());
            all
        };
        let all = template.functions.iter().map(|(name, function)| {
            (name.clone(), (function.binary.clone(), environment(name, &function.environment)))
        });
        Environments(all.collect())
    }

    /// Those of the functions in `names`, and those of all others.
    pub(crate) fn split(&self, names: &BTreeSet<&str>) -> (Environments, Environments) {
        let all = self.0.clone().into_iter();
        let (these, others) = all.partition(|(name, _)| names.contains(name.as_str()));
        (Environments(these), Environments(others))
    }

    /// Each function's resource and binary.
    pub(crate) fn functions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, (binary, _))| (name.as_str(), binary.as_str()))
    }

    /// The resource of the function with this binary.
    pub(crate) fn named_by(&self, binary: &str) -> Option<&str> {
        self.functions().find_map(|(name, its)| (its == binary).then_some(name))
    }

    /// The variables of one function.
    pub(crate) fn variables(&self, function: &str) -> Option<&Variables> {
        self.0.get(function).map(|(_, variables)| variables)
    }

    /// The settings that a function reads from them.
    pub(crate) fn config(&self, function: &str) -> Result<Config, Failure> {
        let variables = self.of(function)?;
        Config::read(|name| variables.get(name).cloned())
            .map_err(|problems| Failure::new(format!("{function}: {problems}")))
    }

    /// Refuses an override that nothing reads: a misspelt name would change nothing, and nobody would know.
    pub(crate) fn check(overrides: &[(String, String)]) -> Result<(), Failure> {
        let unread = overrides.iter().map(|(name, _)| name.as_str()).find(|name| !is_read(name));
        unread.map_or(Ok(()), |name| {
            Err(Failure::new(format!("--env {name}: no function reads a variable of this name")))
        })
    }

    /// The settings that all functions share.
    pub(crate) fn any_config(&self) -> Result<Config, Failure> {
        self.config(self.first()?)
    }

    /// The variables behind them.
    pub(crate) fn any_variables(&self) -> Result<&Variables, Failure> {
        self.of(self.first()?)
    }

    fn first(&self) -> Result<&str, Failure> {
        let first = self.functions().next().map(|(name, _)| name);
        first.ok_or_else(|| Failure::new("template.yaml has no functions"))
    }

    fn of(&self, function: &str) -> Result<&Variables, Failure> {
        self.variables(function).ok_or_else(|| Failure::new(format!("there is no function {function}")))
    }
}

fn is_read(name: &str) -> bool {
    let asked = Cell::new(false);
    // Only the questions matter here; what is missing is said when a function starts.
    let _ = Config::read(|variable| {
        asked.set(asked.get() || variable == name);
        None
    });
    asked.get()
}
