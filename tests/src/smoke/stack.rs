//! Checks the stack and the limits of its account, as AWS itself describes them.

use serde_json::{Value, json};
use shared::words::Timestamp;

use super::signed::{API_GATEWAY, CLOUDFORMATION, LAMBDA, Problem, SECRETS, SES, Signed};
use super::{Finding, Look, logs, parameters};

/// Enough for a sign-in page that becomes popular. New accounts often have 10.
const ENOUGH_EXECUTIONS: u64 = 100;
const DAY: f64 = 86_400.0;

pub(super) async fn look(look: &Look, signed: &Signed, started: Timestamp) -> Vec<Finding> {
    let mut findings = vec![executions(signed).await];
    let Some(name) = &look.stack else {
        let fix = "pass the stack's name as --stack";
        findings.push(Finding::skipped("stack", "no --stack, so its resources, keys and logs were not checked", fix));
        return findings;
    };
    match resources(signed, name).await {
        Ok(resources) => findings.extend(of_stack(look, signed, &resources, started).await),
        Err(problem) => findings.push(failed("stack", problem, "cloudformation:ListStackResources")),
    }
    findings.extend(parameters::look(signed, name).await);
    findings
}

async fn of_stack(look: &Look, signed: &Signed, resources: &[Resource], started: Timestamp) -> Vec<Finding> {
    let mut findings = vec![complete(resources)];
    let of_type = |kind: &str| resources.iter().filter(|resource| resource.kind == kind).collect::<Vec<_>>();
    for set in of_type("AWS::SES::ConfigurationSet") {
        findings.push(suppression(signed, &set.id).await);
    }
    for api in of_type("AWS::ApiGatewayV2::Api") {
        findings.push(route_limits(signed, &api.id).await);
    }
    findings.push(live_versions(signed, &of_type("AWS::Lambda::Alias")).await);
    findings.push(stream_readers(signed, &of_type("AWS::Lambda::EventSourceMapping")).await);
    for rotation in of_type("AWS::SecretsManager::RotationSchedule") {
        findings.push(key_age(signed, &rotation.name, &rotation.id).await);
    }
    if let Some(address) = &look.test_address {
        let groups: Vec<&str> = of_type("AWS::Logs::LogGroup").iter().map(|group| group.id.as_str()).collect();
        findings.push(logs::look(signed, &groups, address, started).await);
    }
    findings
}

pub(super) fn failed(name: &'static str, problem: Problem, action: &str) -> Finding {
    match problem {
        Problem::Absent => Finding::skipped(name, "the stand-in for AWS does not have this service", ""),
        Problem::Refused(seen) => {
            let fix = format!("the credentials need the permission {action} in the region of --region");
            Finding::bad(name, seen, fix)
        }
    }
}

/// All stacks and functions of an account share its executions.
async fn executions(signed: &Signed) -> Finding {
    const NAME: &str = "executions";
    let settings = match signed.get(LAMBDA, "/2016-08-19/account-settings").await {
        Ok(settings) => settings,
        Err(problem) => return failed(NAME, problem, "lambda:GetAccountSettings"),
    };
    let free = settings["AccountLimit"]["UnreservedConcurrentExecutions"].as_u64().unwrap_or_default();
    let fix = format!(
        "aws service-quotas request-service-quota-increase --region {} --service-code lambda --quota-code L-B99A9384 \
         --desired-value 1000",
        signed.region
    );
    Finding::if_so(NAME, free >= ENOUGH_EXECUTIONS, format!("{free} functions may run at once in the account"), fix)
}

/// A resource of a stack.
struct Resource {
    /// Its name in the template.
    name: String,
    id: String,
    kind: String,
    status: String,
}

async fn resources(signed: &Signed, stack: &str) -> Result<Vec<Resource>, Problem> {
    let mut resources = Vec::new();
    let mut token = String::new();
    loop {
        let mut form = vec![("Action", "ListStackResources"), ("Version", "2010-05-15"), ("StackName", stack)];
        if !token.is_empty() {
            form.push(("NextToken", &token));
        }
        let page = signed.form(CLOUDFORMATION, &form).await?;
        resources.extend(page.split("<member>").skip(1).map(|member| Resource {
            name: element(member, "LogicalResourceId"),
            id: element(member, "PhysicalResourceId"),
            kind: element(member, "ResourceType"),
            status: element(member, "ResourceStatus"),
        }));
        let next = element(&page, "NextToken");
        if next.is_empty() || next == token {
            return Ok(resources);
        }
        token = next;
    }
}

/// The text of the first element with this name. Names, ids and tokens contain no markup.
pub(super) fn element(xml: &str, name: &str) -> String {
    let rest = xml.split_once(&format!("<{name}>")).map_or("", |(_, rest)| rest);
    rest.split_once('<').map_or("", |(text, _)| text).to_owned()
}

fn complete(resources: &[Resource]) -> Finding {
    let unfinished: Vec<String> = resources
        .iter()
        .filter(|resource| !resource.status.ends_with("_COMPLETE") || resource.status.contains("ROLLBACK"))
        .map(|resource| format!("{} is {}", resource.name, resource.status))
        .collect();
    let fix = "read the stack's events in CloudFormation, fix their first failure, and deploy again";
    if unfinished.is_empty() {
        Finding::good("stack", format!("{} resources", resources.len()))
    } else {
        Finding::bad("stack", unfinished.join(", "), fix)
    }
}

/// A list that suppresses would let SES accept a code and send nothing.
async fn suppression(signed: &Signed, set: &str) -> Finding {
    const NAME: &str = "suppression";
    let found = match signed.get(SES, &format!("/v2/email/configuration-sets/{set}")).await {
        Ok(found) => found,
        Err(problem) => return failed(NAME, problem, "ses:GetConfigurationSet"),
    };
    let fix = format!(
        "aws sesv2 put-configuration-set-suppression-options --region {} --cli-input-json \
         '{{\"ConfigurationSetName\":\"{set}\",\"SuppressedReasons\":[]}}'",
        signed.region
    );
    match found["SuppressionOptions"]["SuppressedReasons"].as_array() {
        Some(reasons) if reasons.is_empty() => Finding::good(NAME, "SES suppresses nothing"),
        Some(reasons) => Finding::bad(NAME, format!("SES drops mail to addresses that had {}", json!(reasons)), fix),
        None => Finding::doubtful(NAME, "the set has no list of its own, so the account's may apply", fix),
    }
}

/// Whether the limits of the template arrived as numbers.
async fn route_limits(signed: &Signed, api: &str) -> Finding {
    const NAME: &str = "route limits";
    let stage = match signed.get(API_GATEWAY, &format!("/v2/apis/{api}/stages/%24default")).await {
        Ok(stage) => stage,
        Err(problem) => return failed(NAME, problem, "apigateway:GET"),
    };
    let routes = stage["routeSettings"].as_object().cloned().unwrap_or_default();
    let limited: Vec<f64> = routes.values().filter_map(|settings| settings["throttlingRateLimit"].as_f64()).collect();
    let seen = format!("{} routes for codes have {limited:?} requests a second", limited.len());
    let fix = "deploy with fixed numbers in RouteSettings of template.yaml instead of !Ref, and report it as an issue";
    Finding::if_so(NAME, limited.len() == 8 && limited.iter().all(|rate| *rate > 0.0), seen, fix)
}

/// The API calls the alias `live`. A deployment that publishes no version leaves it with old code or settings.
async fn live_versions(signed: &Signed, aliases: &[&Resource]) -> Finding {
    const NAME: &str = "live versions";
    let mut stale = Vec::new();
    for alias in aliases {
        let function = alias.id.rsplit(':').nth(1).unwrap_or_default();
        let path = format!("/2015-03-31/functions/{function}/configuration");
        let newest = signed.get(LAMBDA, &path).await;
        let live = signed.get(LAMBDA, &format!("{path}?Qualifier=live")).await;
        match (newest, live) {
            (Ok(newest), Ok(live)) if is_same(&newest, &live) => {}
            (Ok(_), Ok(_)) => stale.push(function.to_owned()),
            (Err(problem), _) | (_, Err(problem)) => return failed(NAME, problem, "lambda:GetFunctionConfiguration"),
        }
    }
    let fix = "deploy again with another value of the parameter Again; during a canary, wait until it ends";
    let seen = match stale.is_empty() {
        true => format!("{} functions run their newest code and settings", aliases.len()),
        false => format!("{} run older code or settings than the newest", stale.join(", ")),
    };
    Finding::if_so(NAME, stale.is_empty() && !aliases.is_empty(), seen, fix)
}

/// A mapping that does not read the stream raises no alarm, because its records have no age.
async fn stream_readers(signed: &Signed, mappings: &[&Resource]) -> Finding {
    const NAME: &str = "stream readers";
    let (mut idle, mut ids) = (Vec::new(), Vec::new());
    for mapping in mappings {
        let found = match signed.get(LAMBDA, &format!("/2015-03-31/event-source-mappings/{}", mapping.id)).await {
            Ok(found) => found,
            Err(Problem::Refused(seen)) if seen.starts_with("AWS answered 404 ") => {
                let fix = "after a restore, a copy reads the new table: see docs/operations.md, Restore from a backup";
                return Finding::doubtful(NAME, format!("{} is gone", mapping.name), fix);
            }
            Err(problem) => return failed(NAME, problem, "lambda:GetEventSourceMapping"),
        };
        let text = |name: &str| found[name].as_str().unwrap_or("unknown").to_owned();
        let (state, result) = (text("State"), text("LastProcessingResult"));
        if state != "Enabled" || result.starts_with("PROBLEM") {
            idle.push(format!("{} is {state}: {result}", mapping.name));
            ids.push(mapping.id.as_str());
        }
    }
    let enable =
        |id: &&str| format!("aws lambda update-event-source-mapping --region {} --uuid {id} --enabled", signed.region);
    let fix = format!(
        "{}; for a problem, see RecordDelay in docs/operations.md",
        ids.iter().map(enable).collect::<Vec<_>>().join(" && ")
    );
    let seen = match idle.is_empty() {
        true => format!("{} mappings read their stream", mappings.len()),
        false => idle.join(", "),
    };
    Finding::if_so(NAME, idle.is_empty() && !mappings.is_empty(), seen, fix)
}

fn is_same(one: &Value, other: &Value) -> bool {
    ["CodeSha256", "Environment", "MemorySize", "Timeout"].iter().all(|part| one[part] == other[part])
}

/// The age of a keyring that rotates.
async fn key_age(signed: &Signed, rotation: &str, secret: &str) -> Finding {
    const NAME: &str = "key age";
    let asked = json!({ "SecretId": secret });
    let found = match signed.json(SECRETS, "secretsmanager.DescribeSecret", &asked).await {
        Ok(found) => found,
        Err(problem) => return failed(NAME, problem, "secretsmanager:DescribeSecret"),
    };
    let date = |name: &str| found[name].as_f64();
    let now = shared::words::Clock::system().now().unix() as f64;
    let age = date("LastRotatedDate").or(date("CreatedDate")).map_or(0.0, |changed| (now - changed) / DAY);
    let overdue = date("NextRotationDate").map_or(0.0, |next| (now - next) / DAY);
    let is_on = found["RotationEnabled"].as_bool().unwrap_or_default();
    let seen = format!("{rotation}: {age:.0} days, rotation is {}", if is_on { "on" } else { "off" });
    let fix = format!(
        "aws secretsmanager rotate-secret --region {} --secret-id {secret}; if it fails, see Rotating \
         in docs/operations.md",
        signed.region
    );
    Finding::if_so(NAME, is_on && overdue < 2.0, seen, fix)
}
