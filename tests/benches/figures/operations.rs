//! Each operation by itself: its round trips, units, bytes, allocations and instructions, and the CPU time of the answering
//! thread.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::Request;
use cpu_time::ThreadTime;
use local_aws::{CallRecord, Capacity};
use serde_json::Value;
use shared::aws::{Aws, Settings};
use shared::store::Store;
use shared::words::{Entropy, Tenant, UserId};
use tests::Deployment;
use tests::operations::{ADDRESS, OPERATIONS, Operation, SETTINGS};
use tokio::runtime::{Builder, Runtime};

use crate::functions::Functions;
use crate::instructions;
use crate::timing::{RUNS, Times, WARM_UP, micros, timed};
use crate::wire::Wire;
use tests::costs::Table;

/// The limit for an operation's own work besides its signature.
const BAR: Duration = Duration::from_micros(500);
/// The number of counted runs for bytes, allocations and instructions.
const COUNTED: usize = 20;

/// The functions run here, in this thread. All of AWS runs elsewhere.
pub struct Bench {
    pub elsewhere: Runtime,
    pub here: Runtime,
    pub auth: Deployment,
    functions: Functions,
    through: Functions,
    wire: Wire,
}

/// The figures of one operation.
struct Figures {
    times: Times,
    units: Capacity,
    bytes: u64,
    allocations: u64,
}

impl Bench {
    pub fn start() -> Bench {
        let elsewhere = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let here = Builder::new_current_thread().enable_all().build().unwrap();
        let auth = elsewhere.block_on(Deployment::measured(&SETTINGS));
        let wire = elsewhere.block_on(Wire::start(auth.stack.addresses().aws));
        let functions = here.block_on(Functions::start(&auth, &[]));
        let through = here.block_on(Functions::start(&auth, &wire.settings()));
        Bench { elsewhere, here, auth, functions, through, wire }
    }

    /// The event for a request, with the resource of its function. The request is made elsewhere.
    pub fn event(&self, request: impl Future<Output = Request<Bytes>>) -> (String, String) {
        let request = self.elsewhere.block_on(request);
        let (resource, event) = self.auth.stack.api().unwrap().event(&request, ADDRESS.parse().unwrap()).unwrap();
        (resource, event.to_string())
    }

    /// The measured work: from the event's text to the answer's bytes.
    #[inline(never)]
    fn answered(&self, functions: &Functions, resource: &str, event: String) -> Vec<u8> {
        self.here.block_on(async {
            let answer = functions.answer(resource, event).await;
            settle().await;
            answer
        })
    }

    /// `answered` under another name, so that the instruction counter can find it.
    #[inline(never)]
    fn counted(&self, resource: &str, event: String) -> Vec<u8> {
        std::hint::black_box(self.answered(&self.functions, resource, event))
    }

    fn figures(&self, operation: &Operation) -> Figures {
        let (times, units) = self.times(operation);
        let (mut bytes, mut allocations) = (0, 0);
        for run in 0..WARM_UP + COUNTED {
            let (resource, event) = self.event(operation.kind.prepare(&self.auth, WARM_UP + RUNS + run));
            let before = self.wire.carried();
            let counted = allocation_counter::measure(|| {
                self.answered(&self.through, &resource, event);
            });
            if run >= WARM_UP {
                bytes += self.wire.carried() - before;
                allocations += counted.count_total;
            }
        }
        Figures { times, units, bytes: bytes / COUNTED as u64, allocations: allocations / COUNTED as u64 }
    }

    fn times(&self, operation: &Operation) -> (Times, Capacity) {
        let services = self.auth.stack.services();
        let (mut all, mut units) = (Vec::with_capacity(RUNS), Capacity::default());
        // Prepared in advance, so that each run finds the caches as the previous run left them.
        let events: Vec<_> =
            (0..WARM_UP + RUNS).map(|run| self.event(operation.kind.prepare(&self.auth, run))).collect();
        for (run, (resource, event)) in events.into_iter().enumerate() {
            self.here.block_on(settle());
            services.calls().take();
            // The last warm-up run checks that calls are made in parallel as expected. It delays calls, so it is not measured.
            let is_proof = run + 1 == WARM_UP;
            if is_proof {
                services.rounds().expect(operation.rounds);
            }

            let started = ThreadTime::now();
            let answer = self.answered(&self.functions, &resource, event);
            let spent = started.elapsed();

            if is_proof {
                let proof = services.rounds().finish();
                let leases = services.calls().take().iter().any(counts_mail);
                assert!(leases || proof.is_ok(), "{}: {proof:?}", operation.name);
            }
            assert_eq!(code(&answer), operation.answer, "{}", operation.name);
            if run >= WARM_UP {
                all.push(spent);
                // One mail in 16 leases the next ones.
                let calls: Vec<_> = services.calls().take().into_iter().filter(|call| !counts_mail(call)).collect();
                assert_eq!(calls.len(), operation.rounds.iter().sum::<usize>(), "{}", operation.name);
                units = calls.iter().map(|call| call.capacity).sum();
            }
        }
        (Times::of(all), units)
    }

    /// Answers once. `is_seen` makes the run visible to the instruction counter.
    pub fn run(&self, is_seen: bool, resource: &str, event: String) -> Vec<u8> {
        if is_seen { self.counted(resource, event) } else { self.answered(&self.functions, resource, event) }
    }

    /// Runs only the operation, for the instruction counter, after some uncounted runs.
    pub fn watched(&self, name: &str, seen: usize) {
        let operation = OPERATIONS.iter().find(|operation| operation.name == name).unwrap();
        for run in 0..instructions::UNSEEN + seen {
            let (resource, event) = self.event(operation.kind.prepare(&self.auth, run));
            let answer = self.run(run >= instructions::UNSEEN, &resource, event);
            assert_eq!(code(&answer), operation.answer, "{name}");
        }
    }

    /// The cheapest database call: reading a missing item.
    pub fn one_call(&self) -> Duration {
        let aws = Aws::new(&self.auth.read(Settings::read), &self.auth.stack.clock().handle()).unwrap();
        let users = Store::new(&aws).user_table(self.auth.setting("USER_TABLE"));
        let tenant = Tenant::default();
        let nobody = UserId::draw(&Entropy, self.auth.stack.clock().now()).unwrap();
        timed(|| self.here.block_on(users.of(&tenant).user(&nobody)).unwrap()).median()
    }

    /// The table of the operations with `wanted` in their names.
    pub fn table(&self, wanted: &str, signature: Duration, call: Duration) -> String {
        let mut table = Table::new(&[
            "operation",
            "round trips",
            "WRU",
            "RRU",
            "bytes",
            "allocations",
            "instructions",
            "own time, p50",
            "p99",
            "without signature",
            "without calls",
            &format!("under {}", micros(BAR)),
        ]);
        for operation in OPERATIONS.iter().filter(|operation| operation.name.contains(wanted)) {
            let Figures { times, units, bytes, allocations } = self.figures(operation);
            let own = times.median().saturating_sub(if operation.signs { signature } else { Duration::ZERO });
            let calls = u32::try_from(operation.rounds.iter().sum::<usize>()).unwrap();
            table.row(&[
                operation.name.to_owned(),
                trips(operation.rounds),
                units.write.to_string(),
                units.read.to_string(),
                bytes.to_string(),
                allocations.to_string(),
                instructions::of(operation.name, COUNTED),
                micros(times.median()),
                micros(times.percentile(99)),
                micros(own),
                micros(own.saturating_sub(call * calls)),
                if own < BAR { "met" } else { "not met" }.to_owned(),
            ]);
        }
        table.text()
    }
}

/// Lets connections return to their pool, because this work belongs to the request.
async fn settle() {
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
}

/// The number of sequential round trips, and the parallel calls in each.
fn counts_mail(call: &CallRecord) -> bool {
    call.keys.iter().any(|key| key.starts_with("MAIL#"))
}

fn trips(rounds: &[usize]) -> String {
    let together = rounds.iter().map(usize::to_string).collect::<Vec<_>>().join(" + ");
    if rounds.is_empty() { "0".to_owned() } else { format!("{} ({together})", rounds.len()) }
}

/// The code of an answer in Lambda's format.
pub fn code(answer: &[u8]) -> String {
    let answer: Value = serde_json::from_slice(answer).unwrap();
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    if answer["statusCode"] == 200 { "ok".to_owned() } else { body["error"].as_str().unwrap().to_owned() }
}
