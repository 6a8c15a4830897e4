//! The cost of starting a function's real binary and of its answers, compared with an empty function.
//!
//! `cargo bench -p tests --bench start -- --binaries FOLDER`. FOLDER is `target/lambda/` or `target/release/` with finished
//! builds, and `.ci/package` does both steps. All of AWS runs on this machine, behind TLS. The benchmark prints figures with
//! their limits. It fails only if an answer is wrong or a binary contains an unexpected client. `docs/benchmarks.md` explains
//! each figure.

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
    /// Folder of the binaries, in the layout of cargo lambda or cargo.
    #[arg(long)]
    binaries: PathBuf,
    /// Starts per function.
    #[arg(long, default_value_t = 200)]
    starts: usize,
    /// Calls answered by the longest-running process.
    #[arg(long, default_value_t = 1_000)]
    calls: usize,
    /// Only these functions, in addition to the empty one.
    only: Vec<String>,
    /// Added by cargo.
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
    // In turn, so that other load on the machine affects all functions equally.
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
