//! Event source mappings and EventBridge's rules. A property or value that this module does not understand is an error.

use serde_json::{Map, Value};

use super::names::Names;
use crate::events::{Pattern, Transformer};

/// A mapping: Lambda reads the stream of a table and invokes a function with batches of its records.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapping {
    /// The resource name of the function.
    pub function: String,
    /// The physical name of the table.
    pub table: String,
    /// The ARN of its stream.
    pub stream: String,
    /// The most records of a batch, at least 1.
    pub batch_size: usize,
    /// The length of a tumbling window in seconds, at least 1.
    pub window_seconds: u64,
    /// A record passes if one of these matches, or if there are none.
    pub filters: Vec<Pattern>,
}

/// A rule of a bus.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The resource name of the rule.
    pub name: String,
    /// The name of the bus.
    pub bus: String,
    /// The events that match.
    pub pattern: Pattern,
    /// The receivers of the events.
    pub targets: Vec<Target>,
}

impl Rule {
    /// Puts `to` in the place of `from` in what functions get.
    pub fn replace(&mut self, from: &str, to: &str) {
        for target in &mut self.targets {
            if let Target::Function { transformer: Some(transformer), .. } = target {
                transformer.replace(from, to);
            }
        }
    }
}

/// A target of a rule.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// A function.
    Function {
        /// Its resource name.
        name: String,
        /// Makes what it gets. Without it, it gets the whole event.
        transformer: Option<Transformer>,
    },
    /// An SNS topic outside the template. It gets a message that the rule makes.
    Topic {
        /// The topic.
        arn: String,
        /// Makes the message.
        transformer: Transformer,
    },
}

/// An event destination of a configuration set of SES.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventDestination {
    /// The configuration set.
    pub configuration_set: String,
    /// The kinds of events, such as `BOUNCE`.
    pub events: Vec<String>,
    /// The ARN of the topic.
    pub topic: String,
    /// Whether a policy of the topic lets SES publish there.
    pub is_permitted: bool,
}

/// A topic that invokes a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The ARN of the topic.
    pub topic: String,
    /// The resource name of the function.
    pub function: String,
}

/// The kinds of events that the stand-in makes.
const MAIL_EVENTS: [&str; 5] = ["BOUNCE", "COMPLAINT", "DELIVERY", "DELIVERY_DELAY", "REJECT"];

/// The members of a record that a filter may name.
const FILTERED: [&str; 3] = ["dynamodb", "eventName", "userIdentity"];

/// At most this many filters in a mapping.
const MOST_FILTERS: usize = 5;

/// A resource's properties, minus those already read.
struct Properties(Map<String, Value>);

impl Properties {
    fn of(properties: Option<&Value>) -> Properties {
        Properties(properties.and_then(Value::as_object).cloned().unwrap_or_default())
    }

    fn text(&mut self, name: &str) -> Result<String, String> {
        match self.0.remove(name) {
            Some(Value::String(text)) => Ok(text),
            _ => Err(format!("{name}: expected a text")),
        }
    }

    /// A number, which a parameter may give as a text.
    fn number(&mut self, name: &str) -> Result<u64, String> {
        let number = match self.0.remove(name) {
            Some(Value::Number(number)) => number.as_u64(),
            Some(Value::String(text)) => text.parse().ok(),
            _ => None,
        };
        number.ok_or_else(|| format!("{name}: expected a number of 0 or more"))
    }

    /// A property that must have this value, because the stand-in behaves as if it had.
    fn must_be(&mut self, name: &str, value: &Value) -> Result<(), String> {
        match self.0.remove(name) {
            Some(found) if found == *value => Ok(()),
            _ => Err(format!("{name}: the local stack supports {value} only")),
        }
    }

    fn nothing_else<T>(self, read: T) -> Result<T, String> {
        match self.0.keys().next() {
            None => Ok(read),
            Some(other) => Err(format!("{other}: the local stack does not support this property")),
        }
    }
}

/// Reads the properties of an `AWS::Lambda::EventSourceMapping`.
pub(super) fn mapping(properties: Option<&Value>) -> Result<Mapping, String> {
    let mut properties = Properties::of(properties);
    properties.must_be("StartingPosition", &Value::from("TRIM_HORIZON"))?;
    properties.must_be("ParallelizationFactor", &Value::from(1))?;
    properties.must_be("BisectBatchOnFunctionError", &Value::from(true))?;
    properties.must_be("MaximumRetryAttempts", &Value::from(-1))?;
    properties.must_be("MaximumRecordAgeInSeconds", &Value::from(-1))?;
    // The stand-in delivers when it is asked to.
    properties.number("MaximumBatchingWindowInSeconds")?;
    let function = properties.text("FunctionName")?;
    let stream = properties.text("EventSourceArn")?;
    let mapping = Mapping {
        function: Names::function_of(&function).ok_or_else(|| format!("{function} names no function"))?.to_owned(),
        table: Names::table_of(&stream).ok_or_else(|| format!("{stream} is no stream of a table"))?.to_owned(),
        stream,
        batch_size: usize::try_from(properties.number("BatchSize")?).unwrap_or(usize::MAX),
        window_seconds: properties.number("TumblingWindowInSeconds")?,
        filters: filters(properties.0.remove("FilterCriteria"))?,
    };
    if mapping.batch_size == 0 || mapping.window_seconds == 0 {
        return Err("BatchSize and TumblingWindowInSeconds: expected at least 1".to_owned());
    }
    properties.nothing_else(mapping)
}

fn filters(criteria: Option<Value>) -> Result<Vec<Pattern>, String> {
    let criteria = criteria.unwrap_or_default();
    let filters = criteria.get("Filters").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if filters.len() > MOST_FILTERS {
        return Err(format!("FilterCriteria: at most {MOST_FILTERS} filters"));
    }
    let read = |filter: &Value| {
        let pattern = filter.get("Pattern").ok_or("a filter has no Pattern")?;
        let pattern = Pattern::read(pattern)?;
        let other = pattern.names().find(|name| !FILTERED.contains(name)).map(str::to_owned);
        other.map_or(Ok(pattern), |other| Err(format!("{other} is no member that a filter may name")))
    };
    filters.iter().map(read).collect::<Result<_, String>>().map_err(|problem| format!("FilterCriteria: {problem}"))
}

/// Reads the properties of an `AWS::SES::ConfigurationSetEventDestination`. Its topic's policy is read later.
pub(super) fn destination(properties: Option<&Value>) -> Result<EventDestination, String> {
    let mut properties = Properties::of(properties);
    let configuration_set = properties.text("ConfigurationSetName")?;
    let mut own = Properties::of(properties.0.remove("EventDestination").as_ref());
    own.must_be("Enabled", &Value::from(true))?;
    own.0.remove("Name");
    let events = own.0.remove("MatchingEventTypes").unwrap_or_default();
    let events = events.as_array().into_iter().flatten().filter_map(Value::as_str);
    let events: Vec<String> = events.map(str::to_owned).collect();
    if let Some(other) = events.iter().find(|event| !MAIL_EVENTS.contains(&event.as_str())) {
        return Err(format!("MatchingEventTypes: the local stack does not support {other}"));
    }
    let mut topic = Properties::of(own.0.remove("SnsDestination").as_ref());
    let arn = topic.text("TopicARN").map_err(|_| "only an SnsDestination with a TopicARN is supported".to_owned())?;
    let arn = own.nothing_else(topic.nothing_else(arn)?)?;
    properties.nothing_else(EventDestination { configuration_set, events, topic: arn, is_permitted: false })
}

/// The topics in which the policy of an `AWS::SNS::TopicPolicy` lets SES publish.
pub(super) fn open_to_ses(properties: Option<&Value>) -> Vec<String> {
    let at = |path: &str| properties.and_then(|all| all.pointer(path)).and_then(Value::as_array).into_iter().flatten();
    let lets = |statement: &&Value| {
        statement.get("Effect").and_then(Value::as_str) == Some("Allow")
            && statement.pointer("/Principal/Service").and_then(Value::as_str) == Some("ses.amazonaws.com")
            && statement.get("Action").and_then(Value::as_str) == Some("sns:Publish")
    };
    let topics: Vec<&str> = at("/Topics").filter_map(Value::as_str).collect();
    let named = at("/PolicyDocument/Statement").filter(lets).filter_map(|lets| lets.get("Resource")?.as_str());
    named.filter(|topic| topics.contains(topic)).map(str::to_owned).collect()
}

/// Reads the properties of the `AWS::Events::Rule` with this name.
pub(super) fn rule(name: &str, properties: Option<&Value>) -> Result<Rule, String> {
    let mut properties = Properties::of(properties);
    let bus = properties.text("EventBusName")?;
    let pattern = properties.0.remove("EventPattern").unwrap_or_default();
    let pattern = Pattern::read(&pattern).map_err(|problem| format!("EventPattern: {problem}"))?;
    let targets = properties.0.remove("Targets").unwrap_or_default();
    let targets = targets.as_array().map_or(&[][..], Vec::as_slice).iter().map(target).collect::<Result<_, _>>();
    let targets = targets.map_err(|problem| format!("Targets: {problem}"))?;
    properties.0.remove("Description");
    properties.nothing_else(Rule { name: name.to_owned(), bus, pattern, targets })
}

fn target(target: &Value) -> Result<Target, String> {
    let mut properties = Properties::of(Some(target));
    properties.text("Id")?;
    let arn = properties.text("Arn")?;
    let transformer = properties.0.remove("InputTransformer").as_ref().map(Transformer::read).transpose()?;
    let target = match (Names::function_of(&arn), transformer) {
        (Some(name), transformer) => Target::Function { name: name.to_owned(), transformer },
        (None, Some(transformer)) if arn.contains(":sns:") => Target::Topic { arn, transformer },
        _ => return Err("the local stack supports a function, or a topic with an InputTransformer".to_owned()),
    };
    properties.nothing_else(target)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn properties() -> Value {
        let prefix = |kind: &str| json!({ "Pattern": format!(r##"{{"dynamodb": {{"Keys": {{"pk": {{"S": [{{"prefix": "{kind}"}}]}}}}}}}}"##) });
        json!({ "EventSourceArn": "arn:aws:dynamodb:us-east-1:000000000000:table/latchkey-Box/stream/2026-01-01T00:00:00.000",
            "FunctionName": "arn:aws:lambda:us-east-1:000000000000:function:latchkey-Worker:live",
            "StartingPosition": "TRIM_HORIZON", "ParallelizationFactor": 1, "BisectBatchOnFunctionError": true,
            "BatchSize": "100", "MaximumBatchingWindowInSeconds": 60, "TumblingWindowInSeconds": 60,
            "MaximumRetryAttempts": -1, "MaximumRecordAgeInSeconds": -1,
            "FilterCriteria": { "Filters": [prefix("S#"), prefix("U#")] } })
    }

    #[test]
    fn a_mapping_is_read_whole() {
        let mapping = mapping(Some(&properties())).unwrap();
        assert_eq!((mapping.function.as_str(), mapping.table.as_str()), ("Worker", "latchkey-Box"));
        assert_eq!((mapping.batch_size, mapping.window_seconds), (100, 60));
        assert_eq!(mapping.filters.len(), 2);
    }

    #[test]
    fn a_mapping_that_is_not_understood_is_refused() {
        for (name, value, problem) in [
            ("ParallelizationFactor", json!(2), "ParallelizationFactor: the local stack supports 1 only"),
            ("StartingPosition", json!("LATEST"), "StartingPosition: the local stack supports \"TRIM_HORIZON\" only"),
            ("BatchSize", json!(0), "BatchSize and TumblingWindowInSeconds: expected at least 1"),
            ("MaximumRetryAttempts", json!(20), "MaximumRetryAttempts: the local stack supports -1 only"),
            ("MaximumRecordAgeInSeconds", json!(86_400), "MaximumRecordAgeInSeconds: the local stack supports -1 only"),
            ("EventSourceArn", json!("arn:aws:kinesis:x"), "arn:aws:kinesis:x is no stream of a table"),
            ("DestinationConfig", json!({}), "DestinationConfig: the local stack does not support"),
            ("FilterCriteria", json!({ "Filters": [{ "Pattern": "{\"body\": [1]}" }] }), "FilterCriteria: body is no"),
            (
                "FilterCriteria",
                json!({ "Filters": [{ "Pattern": "{\"eventName\": [{\"suffix\": \"T\"}]}" }] }),
                "FilterCriteria: eventName: the",
            ),
            ("StartingPositionTimestamp", json!(1), "StartingPositionTimestamp: the local stack does not support"),
        ] {
            let mut properties = properties();
            properties[name] = value;
            let refused = mapping(Some(&properties)).unwrap_err();
            assert!(refused.starts_with(problem), "{name}: {refused}");
        }
    }

    #[test]
    fn an_event_destination_has_a_topic_that_is_open_to_ses() {
        let topic = "arn:aws:sns:us-east-1:000000000000:latchkey-Mail";
        let whole = json!({ "ConfigurationSetName": "set", "EventDestination": { "Name": "x", "Enabled": true,
            "MatchingEventTypes": ["BOUNCE", "DELIVERY"], "SnsDestination": { "TopicARN": topic } } });
        let read = destination(Some(&whole)).unwrap();
        assert_eq!((read.configuration_set.as_str(), read.topic.as_str(), read.is_permitted), ("set", topic, false));
        assert_eq!(read.events, ["BOUNCE", "DELIVERY"]);
        for (path, value, problem) in [
            ("/EventDestination/Enabled", json!(false), "Enabled: the local stack supports true only"),
            ("/EventDestination/MatchingEventTypes", json!(["OPEN"]), "MatchingEventTypes: the local stack does not"),
            ("/EventDestination/SnsDestination", json!({}), "only an SnsDestination"),
        ] {
            let mut changed = whole.clone();
            *changed.pointer_mut(path).unwrap() = value;
            assert!(destination(Some(&changed)).unwrap_err().starts_with(problem), "{path}");
        }
        let policy = |principal: &str, effect: &str| {
            json!({ "Topics": [topic], "PolicyDocument": { "Statement": [{ "Effect": effect, "Action": "sns:Publish",
                "Principal": { "Service": principal }, "Resource": topic }] } })
        };
        assert_eq!(open_to_ses(Some(&policy("ses.amazonaws.com", "Allow"))), [topic]);
        assert!(open_to_ses(Some(&policy("ses.amazonaws.com", "Deny"))).is_empty());
        assert!(open_to_ses(Some(&policy("events.amazonaws.com", "Allow"))).is_empty());
    }

    #[test]
    fn a_rule_has_a_bus_a_pattern_and_targets() {
        let pattern = json!({ "detail-type": ["session.opened"] });
        let read = rule("Watch", Some(&json!({ "EventBusName": "bus", "EventPattern": pattern }))).unwrap();
        assert_eq!((read.name.as_str(), read.bus.as_str()), ("Watch", "bus"));
        assert_eq!(read.targets, []);
        let with = |target: Value| {
            rule("Watch", Some(&json!({ "EventBusName": "bus", "EventPattern": pattern, "Targets": [target] })))
        };
        let function = "arn:aws:lambda:us-east-1:000000000000:function:latchkey-Worker:live";
        let read = with(json!({ "Id": "a", "Arn": function })).unwrap();
        assert_eq!(read.targets, [Target::Function { name: "Worker".to_owned(), transformer: None }]);
        let transformer = json!({ "InputPathsMap": { "user": "$.detail.user" }, "InputTemplate": "<user>" });
        let topic = "arn:aws:sns:us-east-1:000000000000:operators";
        assert!(with(json!({ "Id": "a", "Arn": topic, "InputTransformer": transformer })).is_ok());
        for wrong in [
            json!({ "Id": "a", "Arn": topic }),
            json!({ "Id": "a", "Arn": function, "InputTransformer": {} }),
            json!({ "Id": "a", "Arn": function, "Input": "{}" }),
            json!({ "Arn": function }),
        ] {
            assert!(with(wrong.clone()).unwrap_err().starts_with("Targets: "), "{wrong}");
        }
        let unknown = json!({ "EventBusName": "bus", "EventPattern": { "a": [{ "cidr": "::/0" }] } });
        assert!(rule("Watch", Some(&unknown)).unwrap_err().starts_with("EventPattern: a: "));
    }
}
