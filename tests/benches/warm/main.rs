//! Each operation's own warm work: CPU time of the thread that answers, while all of AWS answers in another.
//!
//! `cargo bench -p tests --bench warm`, and a part of an operation's name for only that one. It prints figures and fails on
//! none of them; it does fail where an operation answers or calls otherwise than it should. `docs/benchmarks.md` says
//! what is in a figure.

mod signatures;
mod timing;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use cpu_time::ThreadTime;
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, Context, LambdaEvent, Service, service_fn};
use local::aws::Capacity;
use serde_json::Value;
use shared::aws::Aws;
use shared::clock::Clock;
use shared::config::Config;
use shared::entropy::Entropy;
use shared::http::{Function, Served};
use shared::ids::UserId;
use shared::store::Store;
use tests::Deployment;
use tests::operations::{ADDRESS, OPERATIONS, Operation, SETTINGS};
use tokio::runtime::{Builder, Runtime};

use crate::timing::{Times, micros, timed, times};

/// Runs that are not measured: connections open, caches fill, the first allocations are made.
pub const WARM_UP: usize = 30;
pub const RUNS: usize = 400;
/// What an operation's own work may cost beside its signature.
const BAR: Duration = Duration::from_micros(500);

fn main() {
    let wanted = std::env::args().skip(1).find(|word| !word.starts_with('-')).unwrap_or_default();
    // As `shared::lambda` has it, but that nobody reads the lines.
    let log = shared::log::subscriber(Clock::system(), std::io::sink);
    tracing::subscriber::set_global_default(log).unwrap();

    let elsewhere = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let auth = elsewhere.block_on(Deployment::with(&SETTINGS));
    let here = Builder::new_current_thread().enable_all().build().unwrap();

    let (signature, call) = (signatures::print(&elsewhere), one_call(&here, &auth));
    let mut functions = functions(&here, &auth);
    println!(
        "| operation | own work | p90 | less a signature | under {} | less its calls | rounds | WRU | RRU |",
        micros(BAR)
    );
    println!("| --- | ---: | ---: | ---: | --- | ---: | --- | ---: | ---: |");
    for operation in OPERATIONS.iter().filter(|operation| operation.name.contains(&wanted)) {
        let (times, units) = measure(operation, &elsewhere, &here, &auth, &mut functions);
        let own = times.median.saturating_sub(if operation.signs { signature } else { Duration::ZERO });
        let calls: usize = operation.rounds.iter().sum();
        println!(
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            operation.name,
            micros(times.median),
            micros(times.p90),
            micros(own),
            if own < BAR { "met" } else { "not met" },
            micros(own.saturating_sub(call * calls as u32)),
            if calls == 0 { "none".to_owned() } else { joined(operation.rounds) },
            units.write,
            units.read,
        );
    }
}

fn joined(rounds: &[usize]) -> String {
    rounds.iter().map(usize::to_string).collect::<Vec<_>>().join(" + ")
}

/// A function: from the event's text to the answer's bytes.
type Answers<'a> = Box<dyn FnMut(&str) -> Vec<u8> + 'a>;

/// All functions by their resources, running here as they run on Lambda: each from its own environment.
fn functions<'a>(here: &'a Runtime, auth: &Deployment) -> BTreeMap<&'static str, Answers<'a>> {
    BTreeMap::from([
        ("RequestOtp", function::<request_otp::RequestOtp>("RequestOtp", here, auth)),
        ("VerifyOtp", function::<verify_otp::VerifyOtp>("VerifyOtp", here, auth)),
        ("Refresh", function::<refresh::Refresh>("Refresh", here, auth)),
        ("Logout", function::<logout::Logout>("Logout", here, auth)),
        ("Jwks", function::<jwks::Jwks>("Jwks", here, auth)),
        ("Fallback", function::<fallback::Fallback>("Fallback", here, auth)),
    ])
}

fn function<'a, F: Function>(resource: &str, here: &'a Runtime, auth: &Deployment) -> Answers<'a> {
    let config = config(auth, resource);
    let served = here.block_on(Served::<F>::start(config, auth.stack.clock().handle())).unwrap();
    let served = Arc::new(served);
    let mut adapter = Adapter::from(service_fn(move |request| {
        let served = served.clone();
        async move { Ok::<_, Infallible>(served.answer(request).await) }
    }));
    Box::new(move |event| {
        here.block_on(async {
            let request: LambdaRequest = serde_json::from_str(event).unwrap();
            let Ok(answer) = adapter.call(LambdaEvent::new(request, Context::default())).await;
            let answer = serde_json::to_vec(&answer).unwrap();
            settle().await;
            answer
        })
    })
}

fn config(auth: &Deployment, resource: &str) -> Config {
    let environment: BTreeMap<_, _> = auth.stack.environment(resource).into_iter().collect();
    Config::read(|name| environment.get(name).cloned()).unwrap()
}

/// Lets the connections put themselves back: what a request leaves to do is its own work.
async fn settle() {
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
}

fn measure(
    operation: &Operation,
    elsewhere: &Runtime,
    here: &Runtime,
    auth: &Deployment,
    functions: &mut BTreeMap<&'static str, Answers<'_>>,
) -> (Times, Capacity) {
    let services = auth.stack.services();
    let (mut all, mut units) = (Vec::with_capacity(RUNS), Capacity::default());
    // Beforehand, so that a run finds the caches as the run before it left them.
    let requests: Vec<_> =
        (0..WARM_UP + RUNS).map(|run| elsewhere.block_on(operation.kind.prepare(auth, run))).collect();
    for (run, request) in requests.iter().enumerate() {
        let (resource, event) = auth.stack.api().unwrap().event(request, ADDRESS.parse().unwrap()).unwrap();
        let (function, event) = (functions.get_mut(resource.as_str()).unwrap(), event.to_string());
        here.block_on(settle());
        services.calls().take();
        // The last warm-up shows that the calls are made together as they should be. Held up, it is not measured.
        let is_proof = run + 1 == WARM_UP;
        if is_proof {
            services.rounds().expect(operation.rounds);
        }

        let started = ThreadTime::now();
        let answer = function(&event);
        let spent = started.elapsed();

        if is_proof {
            services.rounds().finish().unwrap();
        }
        assert_eq!(code(&answer), operation.answer, "{}", operation.name);
        if run >= WARM_UP {
            all.push(spent);
            let calls = services.calls().take();
            assert_eq!(calls.len(), operation.rounds.iter().sum::<usize>(), "{}", operation.name);
            units = calls.iter().map(|call| call.capacity).sum();
        }
    }
    (times(all), units)
}

/// The code of an answer as Lambda takes it.
fn code(answer: &[u8]) -> String {
    let answer: Value = serde_json::from_slice(answer).unwrap();
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    if answer["statusCode"] == 200 { "ok".to_owned() } else { body["error"].as_str().unwrap().to_owned() }
}

/// Prints what the least call of the database costs its caller, and gives it: a read of an item that is not there.
fn one_call(here: &Runtime, auth: &Deployment) -> Duration {
    let config = config(auth, "VerifyOtp");
    let users = Store::new(&Aws::new(&config.aws).unwrap()).user_table(config.user_table);
    let nobody = UserId::draw(&Entropy, auth.stack.clock().now()).unwrap();
    let call = timed(|| here.block_on(users.user(&nobody)).unwrap());
    println!("The least call of the database: {} (p90 {}).\n", micros(call.median), micros(call.p90));
    call.median
}
