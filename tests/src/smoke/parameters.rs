//! Checks the parameters of a production stack. Each has a value for an emergency or for the first deployment, and CloudFormation
//! keeps that value until another deployment names the parameter.

use std::collections::BTreeMap;

use super::Finding;
use super::signed::{CLOUDFORMATION, Signed};
use super::stack::{element, failed};

/// A parameter, the value that should not stay, its consequence, and the usual value.
const TEMPORARY: [(&str, &str, &str, &str); 4] = [
    ("Metrics", "off", "there are no alarms, and none takes a bad version back", "on"),
    ("Rollout", "at-once", "a new version gets all requests at once, and no alarm takes it back", "canary"),
    ("AlarmTopicArn", "", "nobody is told about an alarm", "arn:aws:sns:…"),
    ("ProtectTables", "off", "DynamoDB deletes the users' table on request", "on"),
];

pub(super) async fn look(signed: &Signed, stack: &str) -> Vec<Finding> {
    const NAME: &str = "parameters";
    let asked = [("Action", "DescribeStacks"), ("Version", "2010-05-15"), ("StackName", stack)];
    let page = match signed.form(CLOUDFORMATION, &asked).await {
        Ok(page) => page,
        Err(problem) => return vec![failed(NAME, problem, "cloudformation:DescribeStacks")],
    };
    let members = page.split("<member>");
    let given: BTreeMap<String, String> =
        members.map(|member| (element(member, "ParameterKey"), element(member, "ParameterValue"))).collect();
    let stage = given.get("Stage").map_or("unknown", String::as_str);
    if stage != "production" {
        return vec![Finding::good(NAME, format!("the stage is {stage}, so none is expected to differ"))];
    }
    let temporary = TEMPORARY.iter().filter(|(name, value, ..)| given.get(*name).is_some_and(|given| given == value));
    let findings: Vec<Finding> = temporary
        .map(|(name, value, means, usual)| {
            // Parameters that a deployment does not name keep their values.
            let fix = format!("sam deploy --config-env production --parameter-overrides {name}={usual}");
            Finding::doubtful(NAME, format!("{name} is `{value}`: {means}"), fix)
        })
        .collect();
    if findings.is_empty() { vec![Finding::good(NAME, "none has a value for an emergency")] } else { findings }
}
