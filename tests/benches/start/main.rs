//! What it takes a function's real binary to start and to answer, beside one that does nothing.
//!
//! `cargo bench -p tests --bench start -- --binaries FOLDER`, where FOLDER is `target/lambda/` or `target/release/`, built
//! before; `.ci/package` does both. All of AWS is this machine's, behind TLS. It prints figures with their bars and fails on
//! none of them; it does fail where a function answers otherwise than it should, or holds a client that it should not. `docs/benchmarks.md` says what is in a figure.

mod measure;
mod subject;
mod table;

use std::path::PathBuf;

use clap::Parser;
use tests::operations::SETTINGS;
use tests::runtime_api::deployment;
use tests::tls::TlsEndpoint;

use crate::measure::{Bench, Start};
use crate::subject::Subject;

#[derive(Parser)]
struct Options {
    /// Where the binaries are, as cargo lambda or cargo lays them.
    #[arg(long)]
    binaries: PathBuf,
    /// How often each is started.
    #[arg(long, default_value_t = 200)]
    starts: usize,
    /// How many calls the longest-lived one answers.
    #[arg(long, default_value_t = 1_000)]
    calls: usize,
    /// Only these functions, beside the one that does nothing.
    only: Vec<String>,
    /// What cargo adds.
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() {
    let options = Options::parse();
    let auth = deployment(&SETTINGS).await;
    let tls = TlsEndpoint::start(auth.stack.addresses().aws).await;
    let bench = Bench { auth, tls };
    let subjects = Subject::all(&options.binaries, &options.only);

    let mut starts: Vec<Vec<Start>> = subjects.iter().map(|_| Vec::new()).collect();
    // In turns, so that what else the machine does falls on all alike.
    for run in 0..options.starts {
        for (subject, starts) in subjects.iter().zip(&mut starts) {
            starts.push(bench.start(subject, run).await);
        }
    }
    let mut rows = Vec::new();
    for (subject, starts) in subjects.iter().zip(starts) {
        let life = bench.live(subject, options.starts, options.calls).await;
        rows.push(table::Row::of(subject, starts, life));
    }
    table::print(&rows, options.calls);
}
