//! One call to AWS, and the test whether two calls commute.

use local_aws::Service;
use local_aws::gate::Held;
use serde_json::Value;

/// A call at the gate, with its actor.
#[derive(Clone, Debug)]
pub struct Waiting {
    pub actor: usize,
    /// The index of the call among the actor's calls.
    pub index: usize,
    pub held: Held,
}

/// A released call.
#[derive(Clone, Debug)]
pub struct Step {
    pub name: &'static str,
    pub waiting: Waiting,
    /// `ok`, or the error's name.
    pub outcome: String,
    /// The identifier's failures after this step.
    pub failures: u32,
    /// The messages delivered since the start of the scene.
    pub delivered: usize,
}

impl Waiting {
    /// Identifies the call among all others. The id is the same in every order.
    pub fn id(&self) -> (usize, usize) {
        (self.actor, self.index)
    }

    /// The operation and the kind of its keys, without random parts, such as `UpdateItem I#`.
    pub fn label(&self) -> String {
        let kind = |key: &String| match key.split_once('#') {
            Some((kind, _)) => format!("{kind}#"),
            None => key.rsplit(':').next().unwrap_or_default().to_owned(),
        };
        let kinds: Vec<_> = self.held.keys.iter().map(kind).collect();
        format!("{} {}", self.held.operation, kinds.join(" ")).trim_end().to_owned()
    }

    /// Returns true if the order of the two calls makes no difference.
    pub fn commutes_with(&self, other: &Waiting) -> bool {
        let shares = |key: &String| other.held.keys.contains(key);
        !(self.writes() || other.writes()) || !self.held.keys.iter().any(shares)
    }

    fn writes(&self) -> bool {
        match self.held.service {
            Service::DynamoDb => !matches!(self.held.operation.as_str(), "GetItem" | "BatchGetItem" | "Query"),
            Service::SecretsManager => self.held.operation != "GetSecretValue",
            // The invariants are independent of the order of messages.
            Service::Events
            | Service::Ses
            | Service::SmsVoice
            | Service::Sns
            | Service::Sqs
            | Service::Twilio
            | Service::SendGrid => false,
        }
    }
}

impl Step {
    /// A line for people: the actor, the call and its outcome.
    pub fn report(&self) -> String {
        let says = ["UpdateExpression", "VersionStage", "VersionStages"].map(|member| &self.waiting.held.body[member]);
        let says = says.into_iter().find(|said| !said.is_null()).map(short).unwrap_or_default();
        format!("{:<22} {:<40} {:<42} {}", self.name, self.waiting.label(), says, self.outcome)
    }
}

fn short(said: &Value) -> String {
    let said = said.as_str().map_or_else(|| said.to_string(), str::to_owned);
    if said.chars().count() <= 40 { said } else { format!("{}…", said.chars().take(39).collect::<String>()) }
}
