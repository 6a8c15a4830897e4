//! CPU time by part: each part has its own threads, and the scheduler counts the time of each thread.

use std::collections::BTreeMap;
use std::ops::Sub;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tests::usage::threads;
use tokio::runtime::{Builder, Runtime};

/// The number of threads each for the functions, the endpoint and the clients.
const WORKERS: usize = 2;

/// A runtime with named threads: its workers as `name`, its blocking threads as `blocking`.
pub fn runtime(name: &'static str, blocking: &'static str) -> Runtime {
    let started = AtomicUsize::new(0);
    Builder::new_multi_thread()
        .worker_threads(WORKERS)
        // Workers start first. Other threads must not end before their time was read.
        .thread_name_fn(move || {
            let is_worker = started.fetch_add(1, Ordering::SeqCst) < WORKERS;
            if is_worker { name } else { blocking }.to_owned()
        })
        .thread_keep_alive(Duration::from_secs(3_600))
        .enable_all()
        .build()
        .unwrap()
}

/// The time of all threads until now, by name.
#[derive(Clone)]
pub struct Spent(BTreeMap<String, Duration>);

impl Spent {
    pub fn now() -> Spent {
        let mut spent = BTreeMap::<String, Duration>::new();
        for (name, time) in threads("self") {
            *spent.entry(name).or_default() += time;
        }
        Spent(spent)
    }

    pub fn of(&self, name: &str) -> Duration {
        self.0.get(name).copied().unwrap_or_default()
    }

    pub fn all(&self) -> Duration {
        self.0.values().sum()
    }
}

impl Sub for Spent {
    type Output = Spent;

    fn sub(self, before: Spent) -> Spent {
        Spent(self.0.into_iter().map(|(name, time)| (name.clone(), time.saturating_sub(before.of(&name)))).collect())
    }
}
