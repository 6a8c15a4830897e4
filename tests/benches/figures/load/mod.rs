//! A closed loop of whole logins: each client requests a code, reads it, answers, refreshes twice, signs out and starts again.
//!
//! Everything runs in this process. Functions, endpoint and clients have their own threads, so their CPU time can be separated.

mod cpu;
mod people;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use local_aws::calls::Totals;
use serde_json::{Value, json};
use tests::Deployment;
use tests::client::{LOGOUT, REFRESH, REQUEST, VERIFY, posting};
use tests::costs::Login;
use tests::operations::SETTINGS;
use tests::usage::{forget_peak, memory};
use tokio::runtime::Runtime;

use self::cpu::{Spent, runtime};
use self::people::{Pattern, address};
use crate::functions::Functions;
use crate::timing::Times;

/// The steps of a login, with their numbers of requests.
pub const STEPS: [(&str, usize); 4] = [("request", 1), ("verify", 1), ("refresh", 2), ("logout", 1)];

/// A deployment under load. All its users have signed in before.
pub struct Load {
    endpoint: Runtime,
    functions_run: Runtime,
    clients_run: Runtime,
    shared: Arc<Shared>,
    pattern: Pattern,
    users: usize,
}

struct Shared {
    auth: Deployment,
    functions: Functions,
    functions_run: tokio::runtime::Handle,
}

/// The result of a number of logins.
pub struct Run {
    pub logins: usize,
    pub time: Duration,
    /// The CPU time of the functions' threads, of the endpoint's, of the services behind it, of the clients', and of all.
    pub functions: Duration,
    pub endpoint: Duration,
    pub services: Duration,
    pub clients: Duration,
    pub all: Duration,
    /// The times of each step.
    pub steps: [Times; STEPS.len()],
    /// The growth of memory during the run, and its peak, in bytes.
    pub grown: u64,
    pub peak: u64,
    pub totals: Totals,
}

impl Run {
    /// The units of one login.
    pub fn login(&self, log_bytes: u64) -> Login {
        let logins = self.logins as f64;
        Login {
            write: self.totals.capacity.write / logins,
            read: self.totals.capacity.read / logins,
            log_bytes: log_bytes as f64 / logins,
            cpu: self.functions.as_secs_f64() / logins,
        }
    }
}

impl Load {
    pub fn start(algorithm: &str) -> Load {
        let endpoint = runtime("endpoint", "services");
        let functions_run = runtime("functions", "functions");
        let clients_run = runtime("clients", "clients");
        let settings = [&SETTINGS[..], &[("JWT_ALGORITHM", algorithm)]].concat();
        let auth = endpoint.block_on(Deployment::measured(&settings));
        let pattern = endpoint.block_on(Pattern::of(&auth));
        let functions = functions_run.block_on(Functions::start(&auth, &[]));
        let shared = Arc::new(Shared { auth, functions, functions_run: functions_run.handle().clone() });
        Load { endpoint, functions_run, clients_run, shared, pattern, users: 0 }
    }

    /// Adds users up to this number.
    pub fn grow(&mut self, users: usize) {
        self.pattern.write(&self.shared.auth, self.users, users);
        self.users = users;
    }

    /// Lets this number of `clients` log in until `logins` are complete.
    pub fn run(&self, clients: usize, logins: usize) -> Run {
        let auth = &self.shared.auth;
        forget_peak();
        let (before, memory_before, totals) = (Spent::now(), memory("self").0, auth.stack.services().calls().totals());
        let started = Instant::now();
        let mut steps: [Vec<Duration>; STEPS.len()] = Default::default();
        for first in (0..logins).step_by(self.users) {
            // No user requests two codes in a row. When all have logged in, an hour passes.
            auth.wait(3_600);
            let last = logins.min(first + self.users);
            for (all, these) in steps.iter_mut().zip(self.clients_run.block_on(self.round(clients, last - first))) {
                all.extend(these);
            }
        }
        let (time, spent, after) = (started.elapsed(), Spent::now() - before, memory("self"));
        let now = auth.stack.services().calls().totals();
        let [functions, endpoint, services, clients] =
            ["functions", "endpoint", "services", "clients"].map(|name| spent.of(name));
        Run {
            logins,
            time,
            functions,
            endpoint,
            services,
            clients,
            all: spent.all(),
            steps: steps.map(Times::of),
            grown: after.0.saturating_sub(memory_before),
            peak: after.1,
            totals: now - totals,
        }
    }

    /// Different users log in, spread over all users.
    async fn round(&self, clients: usize, logins: usize) -> [Vec<Duration>; STEPS.len()] {
        let (next, apart) = (Arc::new(AtomicUsize::new(0)), self.users / logins);
        let clients: Vec<_> = (0..clients)
            .map(|_| {
                let (shared, next) = (self.shared.clone(), next.clone());
                tokio::spawn(async move {
                    let mut steps: [Vec<Duration>; STEPS.len()] = Default::default();
                    loop {
                        let login = next.fetch_add(1, Ordering::SeqCst);
                        if login >= logins {
                            break steps;
                        }
                        shared.login(login * apart, &mut steps).await;
                    }
                })
            })
            .collect();
        let mut steps: [Vec<Duration>; STEPS.len()] = Default::default();
        for client in clients {
            for (all, these) in steps.iter_mut().zip(client.await.unwrap()) {
                all.extend(these);
            }
        }
        steps
    }

    /// Ends the runtimes one after the other.
    pub fn stop(self) {
        drop(self.clients_run);
        drop(self.shared);
        self.functions_run.shutdown_background();
        self.endpoint.shutdown_background();
    }
}

impl Shared {
    async fn login(&self, person: usize, steps: &mut [Vec<Duration>; STEPS.len()]) {
        let (identifier, source) = (address(person), Ipv4Addr::from_bits(0x0a00_0000 + person as u32));
        let [requests, verifies, refreshes, logouts] = steps;
        let asked = self.step(REQUEST, json!({ "identifier": identifier }), source, requests).await;
        let code = self.auth.newest_code(&identifier);
        let answer = json!({ "identifier": identifier, "otp_code": code, "challenge_id": asked["challenge_id"] });
        let mut tokens = self.step(VERIFY, answer, source, verifies).await["tokens"].take();
        for _ in 0..2 {
            tokens = self.step(REFRESH, json!({ "refresh": tokens["refresh"] }), source, refreshes).await;
        }
        self.step(LOGOUT, json!({ "refresh": tokens["refresh"] }), source, logouts).await;
    }

    /// Waits like a client while other requests are running too.
    async fn step(&self, path: &str, body: Value, source: Ipv4Addr, times: &mut Vec<Duration>) -> Value {
        let request = posting(path, body);
        let (resource, event) = self.auth.stack.api().unwrap().event(&request, source.into()).unwrap();
        let started = Instant::now();
        let answer = self.functions_run.spawn(self.functions.answer(&resource, event.to_string())).await.unwrap();
        times.push(started.elapsed());
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(answer["statusCode"], 200, "{path}: {answer}");
        serde_json::from_str(answer["body"].as_str().unwrap()).unwrap()
    }
}
