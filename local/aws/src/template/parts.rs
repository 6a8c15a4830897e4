//! Converts the resources of an evaluated template to the parts of a stack.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::custom::CustomResource;
use super::evaluate::{Scope, text};
use super::mapping::{self, Subscription};
use super::model::{Cors, DEFAULT_ROUTE, Function, Route, Schedule, Table, Template};
use super::names::{CUSTOM, Names};
use super::yaml::{Node, failure};
use crate::failure::Failure;

/// The folder in which `cargo lambda build` makes a folder for each binary.
const BUILT: &str = "target/lambda/";

struct Resource<'a> {
    name: &'a str,
    line: usize,
    /// Properties and metadata.
    value: Value,
}

pub(super) fn read(template: &Node, scope: &Scope) -> Result<Template, Failure> {
    let globals = match template.get("Globals") {
        Some(node) => scope.value(node)?,
        None => Value::Null,
    };
    let mut parts = Template {
        functions: BTreeMap::new(),
        routes: Vec::new(),
        cors: None,
        tables: Vec::new(),
        mappings: Vec::new(),
        schedules: Vec::new(),
        destinations: Vec::new(),
        subscriptions: Vec::new(),
        queues: Vec::new(),
        buses: Vec::new(),
        rules: Vec::new(),
        secrets: Vec::new(),
        senders: Vec::new(),
        custom: BTreeMap::new(),
        watching: BTreeMap::new(),
        api: Value::Null,
        log_days: BTreeMap::new(),
    };
    let mut open_to_ses = Vec::new();
    for (name, node) in template.get("Resources").map(Node::entries).unwrap_or_default() {
        if !scope.has(node)? {
            continue;
        }
        let kind = node.get("Type").and_then(Node::text).unwrap_or_default();
        let resource = Resource { name, line: node.line, value: scope.value(node)? };
        match kind.as_str() {
            "AWS::Serverless::Function" => {
                parts.routes.extend(resource.routes()?);
                parts.schedules.extend(resource.schedules()?);
                parts.subscriptions.extend(resource.subscriptions()?);
                parts.functions.insert(name.clone(), resource.function(&globals)?);
            }
            "AWS::Serverless::HttpApi" => {
                parts.cors = resource.cors();
                parts.api = resource.at("/Properties").cloned().unwrap_or_default();
            }
            "AWS::Logs::LogGroup" => {
                let days = resource.at("/Properties/RetentionInDays").and_then(number);
                parts.log_days.extend(days.map(|days| (name.clone(), days)));
            }
            "AWS::DynamoDB::Table" => parts.tables.push(resource.table(scope)?),
            "AWS::Lambda::EventSourceMapping" => {
                let mapping = mapping::mapping(resource.at("/Properties"));
                parts.mappings.push(mapping.map_err(|problem| resource.failure(&problem))?);
            }
            "AWS::SES::ConfigurationSetEventDestination" => {
                let destination = mapping::destination(resource.at("/Properties"));
                parts.destinations.push(destination.map_err(|problem| resource.failure(&problem))?);
            }
            "AWS::SNS::TopicPolicy" => open_to_ses.extend(mapping::open_to_ses(resource.at("/Properties"))),
            "AWS::SQS::Queue" => parts.queues.push(scope.queue(name)),
            "AWS::Events::EventBus" => parts.buses.push(resource.reference(scope)?),
            "AWS::Events::Rule" => {
                let rule = mapping::rule(name, resource.at("/Properties"));
                parts.rules.push(rule.map_err(|problem| resource.failure(&problem))?);
            }
            "AWS::SecretsManager::Secret" => parts.secrets.push(resource.reference(scope)?),
            "AWS::SES::EmailIdentity" => parts.senders.push(resource.text("/Properties/EmailIdentity")?),
            "AWS::CloudWatch::Alarm" | "AWS::CloudWatch::Dashboard" => {
                parts.watching.insert(name.clone(), resource.at("/Properties").cloned().unwrap_or_default());
            }
            custom if custom.starts_with(CUSTOM) => {
                parts.custom.insert(name.clone(), resource.custom()?);
            }
            // Roles, domains and similar resources have effects only in AWS.
            _ => {}
        }
    }
    for destination in &mut parts.destinations {
        destination.is_permitted = open_to_ses.contains(&destination.topic);
    }
    Ok(parts)
}

/// A number, which a parameter may give as a text.
fn number(value: &Value) -> Option<u64> {
    text(value)?.parse().ok()
}

fn is_a(kind: &str, event: &Value) -> bool {
    event.get("Type").and_then(Value::as_str) == Some(kind)
}

/// The time between two invocations: `rate(5 minutes)`.
fn every(expression: &str) -> Option<Duration> {
    let (count, unit) = expression.strip_prefix("rate(")?.strip_suffix(')')?.split_once(' ')?;
    let count: u32 = count.parse().ok().filter(|count| *count > 0)?;
    let seconds = match (count, unit) {
        (1, "minute") | (2.., "minutes") => 60,
        (1, "hour") | (2.., "hours") => 60 * 60,
        (1, "day") | (2.., "days") => 24 * 60 * 60,
        _ => return None,
    };
    Some(Duration::from_secs(seconds) * count)
}

impl Resource<'_> {
    fn at(&self, path: &str) -> Option<&Value> {
        self.value.pointer(path)
    }

    fn text(&self, path: &str) -> Result<String, Failure> {
        let found = self.at(path).and_then(text);
        found.ok_or_else(|| failure(self.line, format!("{} has no {}", self.name, path.replace('/', "."))))
    }

    fn failure(&self, problem: &str) -> Failure {
        failure(self.line, format!("{}: {problem}", self.name))
    }

    /// The value of `!Ref` for this resource.
    fn reference(&self, scope: &Scope) -> Result<String, Failure> {
        let name = scope.resource(self.name);
        name.ok_or_else(|| failure(self.line, format!("{} has no type", self.name)))
    }

    fn function(&self, globals: &Value) -> Result<Function, Failure> {
        let mut environment = BTreeMap::new();
        let all = globals.pointer("/Function/Environment/Variables");
        let own = self.at("/Properties/Environment/Variables");
        for (name, value) in [all, own].into_iter().flatten().filter_map(Value::as_object).flatten() {
            let problem = || failure(self.line, format!("{name} of {} is not a string", self.name));
            environment.insert(name.clone(), text(value).ok_or_else(problem)?);
        }
        // SAM would use this role and ignore the policies.
        let of_all = globals.pointer("/Function/Role");
        if of_all.or(self.at("/Properties/Role")).is_some() {
            return Err(failure(self.line, format!("Role of {} is not supported. Use Policies instead", self.name)));
        }
        let policies = self.at("/Properties/Policies").cloned().unwrap_or_default();
        let property = |path: &str| {
            let own = self.value.pointer(&format!("/Properties/{path}"));
            own.or_else(|| globals.pointer(&format!("/Function/{path}")))
        };
        Ok(Function {
            binary: self.binary()?,
            environment,
            policies,
            timeout: property("Timeout").and_then(number),
            failed: property("EventInvokeConfig/DestinationConfig/OnFailure/Destination").and_then(text),
            memory: property("MemorySize").and_then(number),
            tracing: property("Tracing").and_then(text),
            system_log_level: property("LoggingConfig/SystemLogLevel").and_then(text),
        })
    }

    /// The last part of `target/lambda/<binary>`, where `cargo lambda build` puts the program.
    fn binary(&self) -> Result<String, Failure> {
        let folder = self.text("/Properties/CodeUri")?;
        let name = folder.strip_prefix(BUILT).filter(|name| !name.is_empty() && !name.contains('/'));
        let problem = || failure(self.line, format!("CodeUri of {} must be {BUILT}<binary>", self.name));
        name.map(str::to_owned).ok_or_else(problem)
    }

    fn custom(&self) -> Result<CustomResource, Failure> {
        let arn = self.text("/Properties/ServiceToken")?;
        let function =
            Names::function_of(&arn).ok_or_else(|| failure(self.line, format!("{arn} names no function")))?;
        let mut properties = self.at("/Properties").and_then(Value::as_object).cloned().unwrap_or_default();
        properties.retain(|name, _| !["ServiceToken", "ServiceTimeout"].contains(&name.as_str()));
        // CloudFormation passes every value as a string.
        let properties = properties.into_iter().map(|(name, value)| {
            let text = text(&value).map(Value::String);
            (name, text.unwrap_or(value))
        });
        Ok(CustomResource { function: function.to_owned(), properties: Value::Object(properties.collect()) })
    }

    fn routes(&self) -> Result<Vec<Route>, Failure> {
        let routes = self.events().filter(|(_, event)| !is_a("Schedule", event) && !is_a("SNS", event));
        routes.map(|(name, event)| self.route(name, event)).collect()
    }

    fn schedules(&self) -> Result<Vec<Schedule>, Failure> {
        let schedules = self.events().filter(|(_, event)| is_a("Schedule", event));
        schedules.map(|(name, event)| self.schedule(name, event)).collect()
    }

    fn subscriptions(&self) -> Result<Vec<Subscription>, Failure> {
        let subscription = |(name, event): (&String, &Value)| {
            let properties = event.get("Properties").and_then(Value::as_object);
            let topic =
                properties.filter(|all| all.len() == 1).and_then(|all| all.get("Topic")).and_then(Value::as_str);
            let problem = || failure(self.line, format!("event {name} of {}: expected only a Topic", self.name));
            Ok(Subscription { topic: topic.ok_or_else(problem)?.to_owned(), function: self.name.to_owned() })
        };
        self.events().filter(|(_, event)| is_a("SNS", event)).map(subscription).collect()
    }

    fn events(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.at("/Properties/Events").and_then(Value::as_object).into_iter().flatten()
    }

    fn schedule(&self, name: &str, event: &Value) -> Result<Schedule, Failure> {
        let properties = event.get("Properties").and_then(Value::as_object);
        let rate = properties.filter(|all| all.len() == 1).and_then(|all| all.get("Schedule")).and_then(Value::as_str);
        let expected = "expected only a Schedule such as rate(1 day), in minutes, hours or days";
        let every = rate
            .and_then(every)
            .ok_or_else(|| failure(self.line, format!("event {name} of {}: {expected}", self.name)))?;
        Ok(Schedule { name: name.to_owned(), function: self.name.to_owned(), every })
    }

    fn route(&self, name: &str, event: &Value) -> Result<Route, Failure> {
        let problem = |what: &str| failure(self.line, format!("event {name} of {}: {what}", self.name));
        if event.get("Type").and_then(Value::as_str) != Some("HttpApi") {
            return Err(problem("only HttpApi, Schedule and SNS are supported"));
        }
        let property = |name: &str| event.get("Properties")?.get(name)?.as_str();
        let (method, path) = match (property("Method"), property("Path")) {
            // Without both, SAM creates the API's default route.
            (None, None) => ("ANY", DEFAULT_ROUTE),
            (Some(method), Some(path)) if path.starts_with('/') && !path.ends_with('/') => (method, path),
            _ => return Err(problem("expected a method, and a path without a trailing slash")),
        };
        Ok(Route { method: method.to_uppercase(), path: path.to_owned(), function: self.name.to_owned() })
    }

    fn cors(&self) -> Option<Cors> {
        let cors = self.at("/Properties/CorsConfiguration")?;
        let list = |name: &str| {
            let items = cors.get(name).and_then(Value::as_array).into_iter().flatten();
            items.filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
        };
        Some(Cors {
            origins: list("AllowOrigins"),
            methods: list("AllowMethods"),
            headers: list("AllowHeaders"),
            exposed: list("ExposeHeaders"),
            credentials: cors.get("AllowCredentials").and_then(Value::as_bool).unwrap_or_default(),
            max_age: cors.get("MaxAge").and_then(Value::as_u64),
        })
    }

    /// The request for `CreateTable`: the properties of the resource that matter on one machine. TTL is left out, because
    /// another request sets it.
    fn table(&self, scope: &Scope) -> Result<Table, Failure> {
        const SHARED: [&str; 5] =
            ["AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes", "StreamSpecification"];
        let properties =
            SHARED.iter().filter_map(|&name| Some((name.to_owned(), self.at("/Properties")?.get(name)?.clone())));
        let mut definition: Map<String, Value> = properties.collect();
        if let Some(stream) = definition.get_mut("StreamSpecification").and_then(Value::as_object_mut) {
            // A template only names the images.
            stream.insert("StreamEnabled".to_owned(), json!(true));
        }
        definition.insert("TableName".to_owned(), json!(self.reference(scope)?));
        let ttl = self.at("/Properties/TimeToLiveSpecification");
        let is_on = ttl.and_then(|ttl| ttl.get("Enabled")).and_then(Value::as_bool).unwrap_or_default();
        let ttl = ttl.filter(|_| is_on).and_then(|ttl| ttl.get("AttributeName")).and_then(text);
        Ok(Table { definition: Value::Object(definition), ttl })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_of_minutes_hours_or_days() {
        for (expression, minutes) in [
            ("rate(1 minute)", 1),
            ("rate(5 minutes)", 5),
            ("rate(1 hour)", 60),
            ("rate(12 hours)", 720),
            ("rate(1 day)", 1_440),
            ("rate(2 days)", 2_880),
        ] {
            assert_eq!(every(expression), Some(Duration::from_secs(60 * minutes)), "{expression}");
        }
        for wrong in [
            "rate(0 days)",
            "rate(1 days)",
            "rate(2 day)",
            "rate(1 week)",
            "rate(-1 day)",
            "cron(0 4 * * ? *)",
            "1 day",
            "",
        ] {
            assert_eq!(every(wrong), None, "{wrong}");
        }
    }
}
