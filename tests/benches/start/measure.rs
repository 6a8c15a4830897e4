//! One process: from its start to its answers, with the processor's time and the memory that it takes.

use std::time::{Duration, Instant};

use tests::Deployment;
use tests::runtime_api::RuntimeApi;
use tests::tls::TlsEndpoint;
use tests::usage;
use tokio::process::{Child, Command};

use crate::subject::Subject;

/// What all processes share.
pub struct Bench {
    pub auth: Deployment,
    pub tls: TlsEndpoint,
}

/// From the start of a process to some moment.
#[derive(Clone, Copy)]
pub struct Cost {
    /// Of all its threads, in user and kernel mode.
    pub cpu: Duration,
    pub time: Duration,
}

/// One start.
pub struct Start {
    /// To the first question for an event.
    pub next: Cost,
    /// To the first answer.
    pub first: Cost,
    /// Connections that were open when it asked for an event.
    pub at_start: usize,
    /// Those that were opened after.
    pub later: usize,
}

/// One process that goes on.
pub struct Life {
    /// The most memory at once, in bytes: after one call, and after all.
    pub memory: [u64; 2],
    /// A call's part of the processor's time, but for the first.
    pub call: Duration,
}

struct Running {
    api: RuntimeApi,
    child: Child,
    started: Instant,
}

impl Bench {
    /// Starts it and has it answer once.
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

    /// Starts it and has it answer that many times; `first` is a number that no event had.
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
        // The later of two values counts.
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

    /// Of all its threads, none of which ends while we look.
    fn cpu(&self) -> Duration {
        usage::threads(&self.process()).map(|(_, time)| time).sum()
    }

    /// The most that it ever had.
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
