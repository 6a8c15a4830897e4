//! One process from its start to its answers, with its CPU time and memory.

use std::time::{Duration, Instant};

use tests::Deployment;
use tests::runtime_api::RuntimeApi;
use tests::tls::TlsEndpoint;
use tests::usage;
use tokio::process::{Child, Command};

use crate::subject::Subject;

/// Shared by all processes.
pub struct Bench {
    pub auth: Deployment,
    pub tls: TlsEndpoint,
}

/// The cost from the start of a process to a certain moment.
#[derive(Clone, Copy)]
pub struct Cost {
    /// CPU time of all its threads, in user and kernel mode.
    pub cpu: Duration,
    pub time: Duration,
}

/// One start.
pub struct Start {
    /// To the first request for an event.
    pub next: Cost,
    /// To the first answer.
    pub first: Cost,
    /// Open connections at the first request for an event.
    pub at_start: usize,
    /// Connections opened later.
    pub later: usize,
}

/// One long-running process.
pub struct Life {
    /// Peak memory in bytes: after one call, and after all.
    pub memory: [u64; 2],
    /// CPU time per call, excluding the first.
    pub call: Duration,
}

struct Running {
    api: RuntimeApi,
    child: Child,
    started: Instant,
}

impl Bench {
    /// Starts the process and lets it answer once.
    pub async fn start(&self, subject: &Subject, run: usize) -> Start {
        let event = subject.event(&self.auth, run).await;
        let before = self.tls.handshakes();
        let mut running = self.run(subject).await;
        running.api.asked_for(1).await;
        let (next, at_next) = (running.cost(running.started.elapsed()), self.tls.handshakes());
        let answer = running.api.invoke(event).await;
        let time = running.started.elapsed();
        running.api.asked_for(2).await;
        let (first, after) = (running.cost(time), self.tls.handshakes());
        subject.check(&answer);
        running.end().await;
        Start { next, first, at_start: at_next - before, later: after - at_next }
    }

    /// Starts the process and lets it answer `calls` times. `first` is an unused number for its events.
    pub async fn live(&self, subject: &Subject, first: usize, calls: usize) -> Life {
        let mut events = Vec::new();
        for run in first..first + calls {
            events.push(subject.event(&self.auth, run).await);
        }
        let mut running = self.run(subject).await;
        let mut after_one = (0, Duration::ZERO);
        for (calls, event) in events.into_iter().enumerate() {
            subject.check(&running.api.invoke(event).await);
            running.api.asked_for(calls + 2).await;
            if calls == 0 {
                after_one = (running.memory(), running.cpu());
            }
        }
        let call = (running.cpu() - after_one.1) / u32::try_from(calls - 1).unwrap();
        let memory = [after_one.0, running.memory()];
        running.end().await;
        Life { memory, call }
    }

    async fn run(&self, subject: &Subject) -> Running {
        let mut environment = subject.resource.map(|name| self.auth.stack.environment(name)).unwrap_or_default();
        // If a variable occurs twice, the later value counts.
        environment.extend(self.tls.settings());
        let api = RuntimeApi::start().await;
        let mut command: Command = api.command(subject.path.to_str().unwrap(), environment);
        command.stdout(std::process::Stdio::null());
        let started = Instant::now();
        let child = command.spawn().unwrap();
        Running { api, child, started }
    }
}

impl Running {
    fn cost(&self, time: Duration) -> Cost {
        Cost { cpu: self.cpu(), time }
    }

    /// The time of all its threads. All of them are still running.
    fn cpu(&self) -> Duration {
        usage::threads(&self.process()).map(|(_, time)| time).sum()
    }

    /// Peak memory in bytes.
    fn memory(&self) -> u64 {
        usage::memory(&self.process()).1
    }

    fn process(&self) -> String {
        self.child.id().unwrap().to_string()
    }

    async fn end(&mut self) {
        self.child.kill().await.unwrap();
    }
}
