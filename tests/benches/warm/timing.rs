//! CPU time of this thread, and how it is told.

use std::time::Duration;

use cpu_time::ThreadTime;

use crate::{RUNS, WARM_UP};

pub struct Times {
    pub median: Duration,
    pub p90: Duration,
}

pub fn times(mut all: Vec<Duration>) -> Times {
    all.sort_unstable();
    Times { median: all[all.len() / 2], p90: all[all.len() * 9 / 10] }
}

/// Each time is of ten: asking for the time costs as much as a short one does.
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
    times((0..RUNS).map(|_| one()).collect())
}

pub fn micros(time: Duration) -> String {
    let micros = time.as_secs_f64() * 1e6;
    if micros < 10.0 { format!("{micros:.1} µs") } else { format!("{micros:.0} µs") }
}
