//! The environment variables of each function: those in the template, its identity and the AWS endpoint.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use local_aws::template::{STACK, Template, unanswered, waits_for};
use local_aws::{Failure, REGION};
use serde_json::Value;

pub(crate) type Variables = BTreeMap<String, String>;

/// The variables of all functions, by resource name.
pub(crate) struct Environments(BTreeMap<String, (String, Variables)>);

impl Environments {
    /// The environments from `template`. With `aws` the functions call that address, otherwise AWS itself. `issuer` fills
    /// an empty `JWT_ISSUER`. `overrides` win over everything else.
    pub(crate) fn new(
        template: &Template,
        aws: Option<SocketAddr>,
        issuer: Option<String>,
        overrides: &[(String, String)],
    ) -> Environments {
        let environment = |name: &str, variables: &Variables| {
            let mut all = variables.clone();
            if let (Some(issuer), Some(open)) = (&issuer, all.get_mut("JWT_ISSUER").filter(|given| given.is_empty())) {
                open.clone_from(issuer);
            }
            let given = [
                ("AWS_LAMBDA_FUNCTION_NAME", format!("{STACK}-{name}")),
                ("AWS_REGION", REGION.to_owned()),
                // The services recognize the calling function by its access key id.
                ("AWS_ACCESS_KEY_ID", name.to_owned()),
                ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
            ];
            all.extend(given.map(|(name, value)| (name.to_owned(), value)));
            // The stand-in serves Twilio and SendGrid at the same address.
            let endpoints = ["AWS_ENDPOINT_URL", "TWILIO_ENDPOINT_URL", "SENDGRID_ENDPOINT_URL"];
            let endpoint = |name: &str| aws.map(|aws| (name.to_owned(), format!("http://{aws}")));
            all.extend(endpoints.into_iter().filter_map(endpoint));
            all.extend(overrides.iter().cloned());
            all
        };
        let all = template.functions.iter().map(|(name, function)| {
            (name.clone(), (function.binary.clone(), environment(name, &function.environment)))
        });
        Environments(all.collect())
    }

    /// Puts the answer of the custom resource `resource` where the template uses it.
    ///
    /// # Errors
    /// The answer lacks an attribute.
    pub(crate) fn fill(&mut self, resource: &str, data: &Value) -> Result<(), Failure> {
        for (_, variables) in self.0.values_mut() {
            for value in variables.values_mut() {
                while let Some((_, attribute)) = waits_for(value).filter(|(from, _)| *from == resource) {
                    let answered = data.get(attribute).and_then(Value::as_str);
                    let answered = answered.ok_or_else(|| {
                        Failure::new(format!(
                            "template.yaml uses {resource}.{attribute}, but the resource does not answer it"
                        ))
                    })?;
                    *value = value.replace(&unanswered(resource, attribute), answered);
                }
            }
        }
        Ok(())
    }

    /// Splits off the functions in `names`; returns them first and all others second.
    pub(crate) fn split(&self, names: &BTreeSet<String>) -> (Environments, Environments) {
        let all = self.0.clone().into_iter();
        let (these, others) = all.partition(|(name, _)| names.contains(name));
        (Environments(these), Environments(others))
    }

    /// The resource name, binary and variables of each function.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str, &Variables)> {
        self.0.iter().map(|(name, (binary, variables))| (name.as_str(), binary.as_str(), variables))
    }

    /// The resource name of the function with this binary.
    pub(crate) fn named_by(&self, binary: &str) -> Option<&str> {
        self.iter().find_map(|(name, its, _)| (its == binary).then_some(name))
    }

    /// The deployed name of the function with this binary.
    pub(crate) fn deployed(&self, binary: &str) -> Option<String> {
        self.variables(self.named_by(binary)?)?.get("AWS_LAMBDA_FUNCTION_NAME").cloned()
    }

    pub(crate) fn variables(&self, function: &str) -> Option<&Variables> {
        self.0.get(function).map(|(_, variables)| variables)
    }

    /// The variables of all functions in one map. Apart from their identities, functions share one value for each variable.
    pub(crate) fn all(&self) -> Variables {
        self.0.values().flat_map(|(_, variables)| variables.clone()).collect()
    }
}
