//! A deployment for one scenario, made anew for each order.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use local_aws::gateway::Api;
use serde_json::{Value, json};

use super::{Scenario, Scene};
use crate::{Client, Deployment};

/// Codes as long as they can be, so that none is guessed by chance; and the timeouts of production.
const OWN: [(&str, &str); 3] =
    [("OTP_LENGTH", "10"), ("AWS_ATTEMPT_TIMEOUT_MS", "1000"), ("AWS_OPERATION_TIMEOUT_MS", "3000")];

/// The instances' names, by the number of their actor.
const INSTANCES: [&str; 3] = ["0", "1", "2"];

/// After so many orders the witness has seen enough to keep.
const SETTLED: usize = 500;

/// How long an instance keeps keys at most, in seconds.
const KEPT_FOR: u64 = 900;

/// The deployment, with an instance of the functions for each parallel request.
pub struct World {
    pub auth: Deployment,
    instances: Vec<Api>,
    tries: Arc<Mutex<Vec<Value>>>,
    keyrings: Vec<(String, String)>,
    order: AtomicUsize,
}

impl World {
    /// With so many instances.
    pub async fn start(settings: &[(&str, &str)], instances: usize) -> World {
        let tries = Arc::new(Mutex::new(Vec::new()));
        let settings: Vec<_> = OWN.iter().chain(settings).copied().collect();
        let auth = Deployment::in_process(&settings, Arc::new(listener(tries.clone()))).await;
        let mut started = Vec::new();
        for name in INSTANCES.into_iter().take(instances) {
            started.push(auth.stack.another_api(name).await.unwrap());
        }
        let keyrings = auth.secrets().map(|arn| (auth.stack.services().secret(&arn).unwrap(), arn)).into();
        World { auth, instances: started, tries, keyrings, order: AtomicUsize::new(0) }
    }

    /// Takes everything away that the last order has left: items, messages, keys. Networks are others from now on, because
    /// instances remember those that were refused.
    async fn renew(&self) {
        let order = self.order.fetch_add(1, Relaxed);
        if order % SETTLED == SETTLED - 1 {
            self.auth.witness.settle();
        }
        let services = self.auth.stack.services();
        services.gate().open();
        for table in ["OTP_TABLE", "USER_TABLE"] {
            self.auth.empty(table, "JWKS");
        }
        let is_changed = |(text, arn): &&(String, String)| services.secret(arn).as_ref() != Some(text);
        let changed: Vec<_> = self.keyrings.iter().filter(is_changed).collect();
        changed.iter().for_each(|(text, arn)| services.put_secret(arn, text.clone()).unwrap());
        if !changed.is_empty() {
            // Longer than instances keep what they have read.
            self.auth.wait(KEPT_FOR);
            self.auth.stack.ask_for_keys(&json!({ "mode": "ensure" })).await.unwrap();
        }
    }

    /// The scene of a scenario, in a world in which nothing else has been.
    pub async fn set(&self, scenario: &Scenario) -> Scene {
        self.renew().await;
        let scene = (scenario.prepare)(self).await;
        self.forget();
        Scene { rotates: scenario.rotates, ..scene }
    }

    /// Forgets what has been sent, called and tried so far.
    fn forget(&self) {
        self.auth.stack.inbox().clear();
        self.auth.stack.services().calls().take();
        self.tries();
    }

    /// A client at one of this order's networks, of which there are 256.
    pub fn client(&self, network: u8) -> Client<'_> {
        let order = self.order.load(Relaxed);
        self.auth.client_at(&format!("10.{}.{}.{network}", order / 256 % 256, order % 256))
    }

    /// The actor whose instance has that name.
    pub fn actor(instance: &str) -> Option<usize> {
        INSTANCES.iter().position(|name| *name == instance)
    }

    /// The same, answered by an instance that answers nobody else.
    pub fn client_of(&self, instance: usize, network: u8) -> Client<'_> {
        self.client(network).by(&self.instances[instance])
    }

    /// The id of a version that this order makes of a keyring.
    pub fn version(&self) -> String {
        format!("{:032}", self.order.load(Relaxed))
    }

    /// The tries at codes since this was asked last, as the functions' log has them.
    pub fn tries(&self) -> Vec<Value> {
        std::mem::take(&mut self.tries.lock().unwrap())
    }
}

fn listener(tries: Arc<Mutex<Vec<Value>>>) -> impl Fn(&str) + Send + Sync {
    move |line: &str| {
        if line.contains(r#""step":"try""#) {
            let line: Value = serde_json::from_str(line).unwrap();
            let steps = line["steps"].as_array().unwrap().iter();
            let found = steps.filter(|step| step["step"] == "try" && step["spent"] == true).cloned();
            tries.lock().unwrap().extend(found);
        }
    }
}
