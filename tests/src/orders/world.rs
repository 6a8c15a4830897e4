//! A deployment for one scenario, reset before each order.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use local_aws::gateway::Api;
use serde_json::{Value, json};

use super::{Scenario, Scene};
use crate::{Client, Deployment, Tokens};

/// The longest codes, so that none is guessed by chance. The timeouts are those of production.
const OWN: [(&str, &str); 3] =
    [("OTP_LENGTH", "10"), ("AWS_ATTEMPT_TIMEOUT_MS", "1000"), ("AWS_OPERATION_TIMEOUT_MS", "3000")];

/// The instances' names, by the number of their actor.
const INSTANCES: [&str; 3] = ["0", "1", "2"];

/// The witness checks and clears its texts after this number of orders.
const SETTLED: usize = 500;

/// The longest time for which an instance caches keys, in seconds.
const KEPT_FOR: u64 = 900;

/// A deployment with an instance of the functions for each parallel request.
pub struct World {
    pub auth: Deployment,
    instances: Vec<Api>,
    tries: Arc<Mutex<Vec<Value>>>,
    keyrings: Vec<(String, String)>,
    order: AtomicUsize,
}

impl World {
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

    /// Removes the items, messages and keys of the last order. Clients get new addresses, because instances remember refused
    /// networks.
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
            // Longer than instances cache keys.
            self.auth.wait(KEPT_FOR);
            self.auth.stack.ask_for_keys(&json!({ "mode": "ensure" })).await.unwrap();
        }
    }

    /// Resets the deployment and prepares the scene of a scenario.
    pub async fn set(&self, scenario: &Scenario) -> Scene {
        self.renew().await;
        let scene = (scenario.prepare)(self).await;
        self.forget();
        Scene { rotates: scenario.rotates, ..scene }
    }

    /// Clears messages, calls and attempts.
    fn forget(&self) {
        self.auth.stack.inbox().clear();
        self.auth.stack.services().calls().take();
        self.tries();
    }

    /// A client in one of this order's 256 networks.
    pub fn client(&self, network: u8) -> Client<'_> {
        let order = self.order.load(Relaxed);
        self.auth.client_at(&format!("10.{}.{}.{network}", order / 256 % 256, order % 256))
    }

    /// Signs in after a scene, with the scene's app if the user has a second factor.
    pub async fn sign_in_after(&self, scene: &Scene) -> Tokens {
        let client = self.client(252);
        let asked = client.ask(&scene.who).await;
        let answer = client.answer(&scene.who, &asked).await;
        match (answer.body["challenge_id"].as_str(), &scene.app) {
            (Some(challenge), Some(app)) => client.second_step(challenge, "totp", &app.code(&self.auth)).await.tokens(),
            _ => answer.tokens(),
        }
    }

    /// The actor of the instance with that name.
    pub fn actor(instance: &str) -> Option<usize> {
        INSTANCES.iter().position(|name| *name == instance)
    }

    /// The same client, answered only by its own instance.
    pub fn client_of(&self, instance: usize, network: u8) -> Client<'_> {
        self.client(network).by(&self.instances[instance])
    }

    /// The id of this order's new version of a keyring.
    pub fn version(&self) -> String {
        format!("{:032}", self.order.load(Relaxed))
    }

    /// The attempts of one code.
    pub fn attempts(&self) -> u32 {
        let environment = self.auth.stack.environment("RequestOtp");
        let set = environment.into_iter().find(|(name, _)| name == "OTP_MAX_ATTEMPTS");
        set.and_then(|(_, value)| value.parse().ok()).unwrap_or(3)
    }

    /// The attempts left at all codes of `who` that have not expired.
    pub fn under_way(&self, who: &str) -> u32 {
        let now = self.auth.stack.clock().now().unix() as i64;
        let number = |code: &Value, name: &str| code["M"][name]["N"].as_str().unwrap().parse::<i64>().unwrap();
        let item = self.auth.identifier(who).unwrap_or_default();
        let codes = ["co", "ck"].into_iter().filter_map(|map| item[map]["M"].as_object().cloned()).flatten();
        let live = codes.map(|(_, code)| code).filter(|code| number(code, "e") > now);
        live.map(|code| u32::try_from(number(&code, "t")).unwrap_or(0)).sum()
    }

    /// The attempts at codes since the last call, according to the functions' log.
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
