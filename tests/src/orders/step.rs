//! One call that is carried out, and whether another one may change places with it.

use local_aws::Service;
use local_aws::gate::Held;
use serde_json::Value;

/// A call at the gate, with whose it is.
#[derive(Clone, Debug)]
pub struct Waiting {
    pub actor: usize,
    /// Which of the actor's calls it is, in the order in which they came.
    pub index: usize,
    pub held: Held,
}

/// A call that was let go.
#[derive(Clone, Debug)]
pub struct Step {
    pub name: &'static str,
    pub waiting: Waiting,
    /// `ok`, or the error that its caller got.
    pub outcome: String,
    /// The identifier's failures afterwards.
    pub failures: u32,
}

impl Waiting {
    /// Tells it from the actor's other calls, in every order alike.
    pub fn id(&self) -> (usize, usize) {
        (self.actor, self.index)
    }

    /// What it does, without anything that is drawn: `UpdateItem I#`.
    pub fn label(&self) -> String {
        let kind = |key: &String| match key.split_once('#') {
            Some((kind, _)) => format!("{kind}#"),
            None => key.rsplit(':').next().unwrap_or_default().to_owned(),
        };
        let kinds: Vec<_> = self.held.keys.iter().map(kind).collect();
        format!("{} {}", self.held.operation, kinds.join(" ")).trim_end().to_owned()
    }

    /// Whether it makes no difference which of the two is first.
    pub fn commutes_with(&self, other: &Waiting) -> bool {
        let shares = |key: &String| other.held.keys.contains(key);
        !(self.writes() || other.writes()) || !self.held.keys.iter().any(shares)
    }

    fn writes(&self) -> bool {
        match self.held.service {
            Service::DynamoDb => !matches!(self.held.operation.as_str(), "GetItem" | "BatchGetItem" | "Query"),
            Service::SecretsManager => self.held.operation != "GetSecretValue",
            // Nothing that is decided here depends on which message is first.
            Service::Ses | Service::Sns => false,
        }
    }
}

impl Step {
    /// For people: who did what, and what became of it.
    pub fn tell(&self) -> String {
        let says = ["UpdateExpression", "VersionStage", "VersionStages"].map(|member| &self.waiting.held.body[member]);
        let says = says.into_iter().find(|said| !said.is_null()).map(short).unwrap_or_default();
        format!("{:<22} {:<40} {:<42} {}", self.name, self.waiting.label(), says, self.outcome)
    }
}

fn short(said: &Value) -> String {
    let said = said.as_str().map_or_else(|| said.to_string(), str::to_owned);
    if said.chars().count() <= 40 { said } else { format!("{}…", said.chars().take(39).collect::<String>()) }
}
