//! Tests for timing differences: both requests of a pair are sent in turn, thousands of times.

use cpu_time::ThreadTime;
use tests::pairs::{PAIRS, Side};

use crate::instructions::{self, UNSEEN};
use crate::operations::Bench;
use crate::timing::{Times, WARM_UP, micros};
use tests::costs::Table;

/// Welch's t stays below this if two samples differ only by chance (security.md, V09).
const BAR: f64 = 4.5;

pub fn table(bench: &Bench, samples: usize, seen: usize) -> String {
    let mut table = Table::new(&[
        "pair of requests",
        "p50 of the first",
        "of the second",
        "Welch's t",
        &format!("below {BAR}"),
        "instructions of the first",
        "of the second",
    ]);
    // Times come first, because counting takes long and is independent of other load on the machine.
    let all: Vec<_> = PAIRS.iter().map(|pair| times(bench, pair.sides, samples)).collect();
    for (pair, sides) in PAIRS.iter().zip(all) {
        let t = welch(&sides);
        let [left, right] = sides.map(|times| micros(Times::of(times).median()));
        let verdict = match (pair.is_same_work, t.abs() < BAR) {
            (true, true) => "yes",
            (true, false) => "no",
            (false, _) => "not required",
        };
        let [counted, other] = [0, 1].map(|side| instructions::of(&watched_name(pair.name, side), seen));
        table.row(&[pair.name.to_owned(), left, right, format!("{t:.1}"), verdict.to_owned(), counted, other]);
    }
    table.text()
}

/// The name for the counting process.
fn watched_name(pair: &str, side: usize) -> String {
    format!("{pair}#{side}")
}

/// Runs only one request of a pair, if `name` is its name.
pub fn watched(bench: &Bench, name: &str, seen: usize) -> bool {
    let found = PAIRS.iter().find_map(|pair| {
        let side = [0, 1].into_iter().find(|side| watched_name(pair.name, *side) == name)?;
        Some((pair.sides, pair.sides[side]))
    });
    let Some((sides, side)) = found else { return false };
    // Prepares both requests, so that the heap is the same for either. Allocation takes instructions too.
    for side in sides {
        bench.elsewhere.block_on(side.settle(&bench.auth, UNSEEN + seen));
    }
    for run in 0..UNSEEN + seen {
        let (resource, event) = bench.event(side.request(&bench.auth, run));
        bench.run(run >= UNSEEN, &resource, event);
    }
    true
}

fn times(bench: &Bench, sides: [Side; 2], samples: usize) -> [Vec<std::time::Duration>; 2] {
    for side in sides {
        bench.elsewhere.block_on(side.settle(&bench.auth, WARM_UP + samples));
    }
    let mut all = [Vec::with_capacity(samples), Vec::with_capacity(samples)];
    for run in 0..WARM_UP + samples {
        // The order alternates, so that neither request always comes first.
        for at in if run % 2 == 0 { [0, 1] } else { [1, 0] } {
            let (resource, event) = bench.event(sides[at].request(&bench.auth, run));
            let started = ThreadTime::now();
            bench.run(false, &resource, event);
            if run >= WARM_UP {
                all[at].push(started.elapsed());
            }
        }
    }
    all
}

/// The distance of the means in standard errors. The slowest hundredth of each sample is excluded, because the machine causes it.
fn welch(sides: &[Vec<std::time::Duration>; 2]) -> f64 {
    let [left, right] = sides.each_ref().map(|times| {
        let mut nanos: Vec<f64> = times.iter().map(|time| time.as_nanos() as f64).collect();
        nanos.sort_unstable_by(f64::total_cmp);
        nanos.truncate(nanos.len() * 99 / 100);
        let count = nanos.len() as f64;
        let mean = nanos.iter().sum::<f64>() / count;
        let variance = nanos.iter().map(|nanos| (nanos - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (mean, variance / count)
    });
    (left.0 - right.0) / (left.1 + right.1).sqrt()
}
