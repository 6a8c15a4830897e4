//! The figures of `docs/benchmarks.md`: each operation by itself, whole logins under load, and the cost of a million logins.
//!
//! `cargo bench -p tests --bench figures` prints them, and `--write` also puts them into the page. It fails only if an
//! operation's answer or calls are wrong, regardless of the figures. `docs/benchmarks.md` explains each figure.

mod document;
mod functions;
mod instructions;
mod load;
mod operations;
mod oracle;
mod signatures;
mod timing;
mod wire;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clap::{Parser, ValueEnum};
use shared::observe::log::Log;
use shared::words::Clock;

use tests::costs::{Costs, Followed, Login, Table, custom_metrics};

use crate::document::show;
use crate::load::{Load, Run, STEPS};
use crate::operations::Bench;
use crate::signatures::Signatures;
use crate::timing::{Times, micros, millis};

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Part {
    /// Each operation by itself.
    Operations,
    /// Pairs of requests with indistinguishable answers.
    Oracle,
    /// Whole logins and their cost.
    Load,
    /// The cost of a month and of logins, from the last measured units.
    Bill,
}

#[derive(Parser)]
struct Options {
    /// Only this part.
    part: Option<Part>,
    /// Only operations with this text in their names.
    #[arg(long, default_value = "")]
    named: String,
    /// Numbers of parallel clients.
    #[arg(long, value_delimiter = ',', default_value = "1,16,64")]
    clients: Vec<usize>,
    /// Numbers of users.
    #[arg(long, value_delimiter = ',', default_value = "1000,100000,1000000")]
    users: Vec<usize>,
    /// Logins per figure.
    #[arg(long, default_value_t = 2_000)]
    logins: usize,
    /// Samples per request of each pair.
    #[arg(long, default_value_t = 2_000)]
    samples: usize,
    /// Answers per request of each pair with counted instructions.
    #[arg(long, default_value_t = 200)]
    seen: usize,
    /// Write the figures into docs/benchmarks.md and docs/security.md.
    #[arg(long)]
    write: bool,
    /// Run only this operation, for counting instructions.
    #[arg(long, hide = true)]
    watched: Option<String>,
    /// Added by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

/// The bytes logged so far.
static WRITTEN: AtomicU64 = AtomicU64::new(0);

fn log() -> Log {
    Log::new(Clock::system(), |line| {
        WRITTEN.fetch_add(line.len() as u64 + 1, Ordering::SeqCst);
    })
}

fn main() {
    let options = Options::parse();
    // As in `shared::runtime::lambda`, but the lines are only counted.
    tracing::subscriber::set_global_default(log().subscriber()).unwrap();

    let is_meant = |part| options.part.is_none_or(|only| only == part);
    if options.part == Some(Part::Bill) {
        return bill(Login::measured(), options.write);
    }
    let bench = Bench::start();
    if let Some(name) = &options.watched {
        if !oracle::watched(&bench, name, options.seen) {
            bench.watched(name, options.seen);
        }
        return;
    }
    let (signatures, call) = (Signatures::measure(&bench.elsewhere), bench.one_call());
    if is_meant(Part::Operations) {
        show("signatures", &signatures.table(), options.write);
        let table = bench.table(&options.named, signatures.one("RS256"), call);
        show("operations", &format!("The cheapest database call takes {}.\n\n{table}", micros(call)), options.write);
    }
    if is_meant(Part::Oracle) {
        show("oracle", &oracle::table(&bench, options.samples, options.seen), options.write);
    }
    drop(bench);
    if is_meant(Part::Load) {
        loads(&options, &signatures, call);
    }
}

/// Shows the monthly bill and the cost of logins.
fn bill(login: Login, is_kept: bool) {
    let (metrics, followed) =
        tokio::runtime::Runtime::new().unwrap().block_on(async { (custom_metrics().await, Followed::count().await) });
    let costs = Costs::new(login, metrics, followed);
    show("bill", &costs.stack.bill(metrics), is_kept);
    show("costs", &costs.tables(), is_kept);
    show("stream", &costs.followed.tables(), is_kept);
}

/// Each algorithm with few users and some clients, then the last algorithm with growing numbers of users. The largest comes last,
/// because its memory stays in use.
fn loads(options: &Options, signatures: &Signatures, call: Duration) {
    let (mut rates, mut waits, mut login) = (rates_table(), waits_table(), None);
    for algorithm in ["RS256", "ES256"] {
        let mut load = Load::start(algorithm);
        for (users, clients) in plan(options, algorithm) {
            load.grow(users);
            load.run(clients, options.logins / 10);
            let before = WRITTEN.load(Ordering::SeqCst);
            let run = load.run(clients, options.logins);
            let of_log = WRITTEN.load(Ordering::SeqCst) - before;
            let label = format!("{algorithm}, {users} users, {clients} at once");
            rates.row(&rate(&label, &run, signatures.one(algorithm), call));
            waits.row(&wait(&label, &run));
            if algorithm == "ES256" && login.is_none() {
                login = Some(run.login(of_log));
            }
            eprintln!("{label}: {:.0} logins per second", run.logins as f64 / run.time.as_secs_f64());
        }
        load.stop();
    }
    show("load", &format!("{}\n{}", rates.text(), waits.text()), options.write);
    let login = login.expect("each algorithm has a run");
    if options.write {
        document::keep_login(&login);
    }
    bill(login, options.write);
}

/// The middle number of clients is used to show the growth with users.
fn plan(options: &Options, algorithm: &str) -> Vec<(usize, usize)> {
    let few = options.users.first().copied().unwrap_or(1_000);
    let middle = options.clients.get(options.clients.len() / 2).copied().unwrap_or(16);
    let by_clients = options.clients.iter().map(|clients| (few, *clients));
    let by_users = options.users.iter().skip(1).map(|users| (*users, middle)).filter(|_| algorithm == "ES256");
    by_clients.chain(by_users).collect()
}

fn rates_table() -> Table {
    Table::new(&[
        "load",
        "logins per second",
        "CPU per 1,000 logins",
        "functions",
        "for signatures",
        "for calls",
        "endpoint",
        "database, policies, email",
        "clients",
        "memory per 1,000 logins",
        "peak",
    ])
}

fn rate(label: &str, run: &Run, signature: Duration, call: Duration) -> Vec<String> {
    let thousands = run.logins as f64 / 1e3;
    let seconds = |time: Duration| format!("{:.2} s", time.as_secs_f64() / thousands);
    let megabytes = |bytes: f64| format!("{:.1} MB", bytes / 1e6);
    // The first sign-in and each refresh sign a token.
    let signed = signature * u32::try_from(3 * run.logins).unwrap();
    vec![
        label.to_owned(),
        format!("{:.0}", run.logins as f64 / run.time.as_secs_f64()),
        seconds(run.all),
        seconds(run.functions),
        seconds(signed),
        seconds(call * u32::try_from(run.totals.calls).unwrap()),
        seconds(run.endpoint),
        seconds(run.services),
        seconds(run.clients),
        megabytes(run.grown as f64 / thousands),
        megabytes(run.peak as f64),
    ]
}

fn waits_table() -> Table {
    let steps = STEPS.iter().map(|(name, _)| format!("{name}: p50 / p95 / p99"));
    Table::new(&[vec!["load".to_owned()], steps.collect()].concat())
}

fn wait(label: &str, run: &Run) -> Vec<String> {
    let told = |times: &Times| [50, 95, 99].map(|share| millis(times.percentile(share))).join(" / ");
    [vec![label.to_owned()], run.steps.iter().map(told).collect()].concat()
}
