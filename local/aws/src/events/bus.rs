//! `PutEvents`, and the rules that an event matches.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::{Value, json};
use shared::words::{Clock, Timestamp};

use super::pattern::Pattern;
use crate::ids::{ACCOUNT, REGION, new_id};
use crate::lock::locked;
use crate::wire::{Call, Refusal};

/// The longest entry in bytes, with its source, type and detail.
const LONGEST_ENTRY: usize = 256 * 1024;

/// How many events of a bus are kept. Older ones are dropped.
const KEPT: usize = 10_000;

/// The bus of the account. Events of AWS services come here.
const DEFAULT: &str = "default";

/// An event on a bus.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The event as rules and their targets see it.
    pub event: Value,
    /// The names of the rules that it matches.
    pub rules: Vec<String>,
}

/// The buses of the template.
pub(crate) struct Buses {
    buses: Mutex<BTreeMap<String, Bus>>,
    clock: Clock,
}

#[derive(Default)]
struct Bus {
    rules: Vec<(String, Pattern)>,
    events: Vec<Event>,
    /// Each rule with an event that it matches, for its targets.
    matched: Vec<(String, Value)>,
}

impl Buses {
    pub(crate) fn new(clock: Clock) -> Buses {
        Buses { buses: Mutex::new(BTreeMap::from([(DEFAULT.to_owned(), Bus::default())])), clock }
    }

    /// Creates a bus, unless it exists.
    pub(crate) fn create(&self, name: &str) {
        locked(&self.buses).entry(name.to_owned()).or_default();
    }

    /// Adds a rule to a bus.
    pub(crate) fn rule(&self, bus: &str, name: &str, pattern: Pattern) -> Result<(), String> {
        let mut buses = locked(&self.buses);
        let bus = buses.get_mut(bus).ok_or_else(|| format!("the rule {name} names a bus outside the template"))?;
        bus.rules.push((name.to_owned(), pattern));
        Ok(())
    }

    pub(crate) fn names(&self) -> Vec<String> {
        locked(&self.buses).keys().cloned().collect()
    }

    /// The events of a bus, oldest first.
    pub(crate) fn events(&self, bus: &str) -> Vec<Event> {
        locked(&self.buses).get(bus).map(|bus| bus.events.clone()).unwrap_or_default()
    }

    /// The events that rules have matched since the last call, oldest first.
    pub(crate) fn take_matched(&self) -> Vec<(String, Value)> {
        locked(&self.buses).values_mut().flat_map(|bus| std::mem::take(&mut bus.matched)).collect()
    }

    /// Answers `PutEvents`. As in AWS, an unusable entry fails alone.
    pub(crate) fn answer(&self, call: &Call) -> Result<Value, Refusal> {
        let entries = call.body.get("Entries").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let results: Vec<Value> = entries.iter().map(|entry| self.put(entry)).collect();
        let failed = results.iter().filter(|result| result.get("ErrorCode").is_some()).count();
        Ok(json!({ "FailedEntryCount": failed, "Entries": results }))
    }

    fn put(&self, entry: &Value) -> Value {
        match self.keep(entry) {
            Ok(id) => json!({ "EventId": id }),
            Err((code, message)) => json!({ "ErrorCode": code, "ErrorMessage": message }),
        }
    }

    fn keep(&self, entry: &Value) -> Result<String, (&'static str, &'static str)> {
        let text = |member: &str| entry.get(member).and_then(Value::as_str).unwrap_or_default();
        let (source, kind, detail) = (text("Source"), text("DetailType"), text("Detail"));
        if source.is_empty() || kind.is_empty() || detail.is_empty() {
            return Err(("InvalidArgument", "Parameter Source, DetailType or Detail is not valid."));
        }
        if source.starts_with("aws.") {
            return Err(("NotAuthorizedForSourceException", "Not authorized for the source."));
        }
        if source.len() + kind.len() + detail.len() > LONGEST_ENTRY {
            return Err(("InvalidArgument", "The entry is longer than 256 KB."));
        }
        let detail: Value = serde_json::from_str(detail).unwrap_or_default();
        if !detail.is_object() {
            return Err(("MalformedDetail", "Detail is malformed."));
        }
        let name = text("EventBusName");
        let name = name.rsplit('/').next().unwrap_or_default();
        let mut buses = locked(&self.buses);
        // AWS would use the default bus without a name. Every event of a function belongs to a bus of the template.
        let bus = buses.get_mut(name).ok_or(("ResourceNotFoundException", "Event bus does not exist."))?;
        let at = entry.get("Time").and_then(Value::as_f64).filter(|seconds| *seconds >= 0.0);
        let at = at.map_or_else(|| self.clock.now(), |seconds| Timestamp::from_unix(seconds as u64));
        let id = new_id();
        let resources = entry.get("Resources").cloned().unwrap_or_else(|| json!([]));
        let event = json!({ "version": "0", "id": id, "detail-type": kind, "source": source, "account": ACCOUNT,
            "time": at.to_string(), "region": REGION, "resources": resources, "detail": detail });
        bus.take(event);
        Ok(id)
    }

    /// Puts an event of an AWS service on the default bus.
    pub(crate) fn tell(&self, event: Value) {
        locked(&self.buses).entry(DEFAULT.to_owned()).or_default().take(event);
    }
}

impl Bus {
    fn take(&mut self, event: Value) {
        let rules = self.rules.iter().filter(|(_, pattern)| pattern.matches(&event));
        let rules: Vec<String> = rules.map(|(name, _)| name.clone()).collect();
        self.matched.extend(rules.iter().map(|rule| (rule.clone(), event.clone())));
        let surplus = self.matched.len().saturating_sub(KEPT);
        self.matched.drain(..surplus);
        if self.events.len() == KEPT {
            self.events.remove(0);
        }
        self.events.push(Event { event, rules });
    }
}
