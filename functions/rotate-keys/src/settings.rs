//! Checks the settings of all functions while CloudFormation waits. A function that cannot start is then never deployed.
//!
//! The settings come from the event, because this function's own environment has only a few of them.

use std::collections::BTreeMap;

use catalog::Visitor;
use serde::Deserialize;
use serde_json::Value;
use shared::config::{self, Reader};
use shared::runtime::{Function, settings};
use shared::words::{Error, Result};

use crate::RotateKeys;

/// The variables that Lambda or this function's answer sets, with valid values. No deployer can get them wrong.
const SET_ELSEWHERE: [(&str, &str); 4] = [
    ("AWS_REGION", "set-by-lambda"),
    ("AWS_ACCESS_KEY_ID", "set-by-lambda"),
    ("AWS_SECRET_ACCESS_KEY", "set-by-lambda"),
    ("ROOT_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
];

/// The variables of all functions.
type Variables = BTreeMap<String, String>;

/// Reads the settings in the properties of the stack's resource like each function reads its own.
///
/// # Errors
/// All problems, in one message.
pub(crate) fn check(properties: &Value) -> Result<()> {
    let variables = properties.get("Settings").map(Variables::deserialize);
    let Some(Ok(variables)) = variables else {
        return Err(Error::invalid("Settings: expected the environment variables of all functions, as strings"));
    };
    let lookup = |name: &str| {
        let elsewhere = || SET_ELSEWHERE.into_iter().find(|(set, _)| *set == name).map(|(_, value)| value.to_owned());
        variables.get(name).cloned().or_else(elsewhere)
    };
    config::read(lookup, read_all).map_err(|problems| {
        let problems = problems.each().join("; ");
        Error::invalid(format!(
            "Functions cannot start with these settings. Correct the parameters (OtpLength for OTP_LENGTH) and deploy \
             again. {problems}"
        ))
    })
}

fn read_all(read: &mut Reader<'_>) {
    let mut reading = Reading(read);
    catalog::visit_all(&mut reading);
    reading.visit::<RotateKeys>();
}

/// Reads and reports. The settings themselves are not needed.
struct Reading<'a, 'b>(&'a mut Reader<'b>);

impl Visitor for Reading<'_, '_> {
    fn visit<F: Function>(&mut self) {
        drop(settings::<F>(self.0));
    }
}
