//! The figures as a table, with their limits.

use std::time::Duration;

use crate::measure::{Cost, Life, Start};
use crate::subject::Subject;

/// The figures of one function. Repeated measurements are medians.
pub struct Row {
    name: &'static str,
    sizes: (usize, usize),
    next: Cost,
    first: Cost,
    connections: usize,
    /// How many starts left a connection for the first request to open.
    late: usize,
    life: Life,
    zip_bar: f64,
}

/// Additional CPU time compared with the empty function, in milliseconds.
const NEXT_BAR: f64 = 5.0;
/// The same up to the first answer, with one connection and for each further one.
const FIRST_BAR: (f64, f64) = (10.0, 3.0);
const MEMORY_BAR: f64 = 25.0;

impl Row {
    pub fn of(subject: &Subject, starts: Vec<Start>, life: Life) -> Row {
        Row {
            name: subject.name,
            sizes: subject.sizes(),
            next: median(&starts, |start| start.next),
            first: median(&starts, |start| start.first),
            connections: starts.iter().map(|start| start.at_start + start.later).max().unwrap(),
            late: starts.iter().filter(|start| start.later > 0).count(),
            life,
            zip_bar: subject.zip_bar,
        }
    }

    /// The exceeded limits.
    fn misses(&self, hello: &Row) -> String {
        let further = self.connections.saturating_sub(1) as f64;
        let bars = [
            ("zip", megabytes(self.sizes.1 as u64), self.zip_bar),
            ("CPU to next", millis(self.next.cpu) - millis(hello.next.cpu), NEXT_BAR),
            ("CPU to answer", millis(self.first.cpu) - millis(hello.first.cpu), FIRST_BAR.0 + further * FIRST_BAR.1),
            ("memory", megabytes(self.life.memory[1]), MEMORY_BAR),
        ];
        let missed: Vec<_> = bars.iter().filter(|(_, value, bar)| value > bar).map(|(name, _, _)| *name).collect();
        if missed.is_empty() { "met".to_owned() } else { format!("not met: {}", missed.join(", ")) }
    }
}

pub fn print(rows: &[Row], calls: usize) {
    println!(
        "| function | stripped | zip | CPU to `next` | time | connections | late | CPU to the first answer | time | CPU per call | memory, 1 call | {calls} calls | limits |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |");
    for row in rows {
        println!(
            "| {} | {:.2} MB | {:.2} MB | {:.1} ms | {:.1} ms | {} | {} | {:.1} ms | {:.1} ms | {:.2} ms | {:.1} MB | {:.1} MB | {} |",
            row.name,
            megabytes(row.sizes.0 as u64),
            megabytes(row.sizes.1 as u64),
            millis(row.next.cpu),
            millis(row.next.time),
            row.connections,
            row.late,
            millis(row.first.cpu),
            millis(row.first.time),
            millis(row.life.call),
            megabytes(row.life.memory[0]),
            megabytes(row.life.memory[1]),
            row.misses(&rows[0]),
        );
    }
}

fn median(starts: &[Start], of: impl Fn(&Start) -> Cost) -> Cost {
    let middle = |figure: &dyn Fn(Cost) -> Duration| {
        let mut all: Vec<_> = starts.iter().map(|start| figure(of(start))).collect();
        all.sort_unstable();
        all[all.len() / 2]
    };
    Cost { cpu: middle(&|cost| cost.cpu), time: middle(&|cost| cost.time) }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1_000_000.0
}
