//! CPU time of this thread, and its formatting.

use std::time::Duration;

use cpu_time::ThreadTime;

/// Unmeasured runs at the start, while connections open, caches fill and the first allocations happen.
pub const WARM_UP: usize = 30;
pub const RUNS: usize = 400;

/// Sorted times.
pub struct Times(Vec<Duration>);

impl Times {
    pub fn of(mut all: Vec<Duration>) -> Times {
        all.sort_unstable();
        Times(all)
    }

    /// The percentile `of_hundred`.
    pub fn percentile(&self, of_hundred: usize) -> Duration {
        self.0[(self.0.len() * of_hundred / 100).min(self.0.len() - 1)]
    }

    pub fn median(&self) -> Duration {
        self.percentile(50)
    }
}

/// Each time is the mean of ten runs, because reading the clock takes as long as a short run.
pub fn timed<T>(mut work: impl FnMut() -> T) -> Times {
    const TOGETHER: u32 = 10;
    let mut one = || {
        let started = ThreadTime::now();
        for _ in 0..TOGETHER {
            std::hint::black_box(work());
        }
        started.elapsed() / TOGETHER
    };
    for _ in 0..WARM_UP {
        one();
    }
    Times::of((0..RUNS).map(|_| one()).collect())
}

pub fn micros(time: Duration) -> String {
    let micros = time.as_secs_f64() * 1e6;
    if micros < 10.0 { format!("{micros:.1} µs") } else { format!("{micros:.0} µs") }
}

pub fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}
