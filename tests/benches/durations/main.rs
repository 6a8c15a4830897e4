//! Do durations tell what the owner of an identifier did? `cargo bench --workspace --bench durations --profile dev` sends the same
//! request to pairs of identifiers, one of which has a history, in random order, and prints how well durations tell them apart.
//!
//! Calls to AWS take a random time, on a clock that only calls and waits move. So the table shows what the protocol does, without
//! noise of the machine: what is left is what an attacker with a perfect clock would see. It never fails because of its figures.

#![recursion_limit = "256"]

mod auc;
mod cases;
mod latency;

use std::collections::VecDeque;
use std::fs;
use std::sync::Arc;

use clap::Parser;
use tests::costs::Table;
use tests::orders::Draw;
use tests::{Client, Deployment};
use tokio::time::Instant;

use crate::auc::Auc;
use crate::cases::{CASES, Case, Sent, leaked};
use crate::latency::{Latency, SCALE};

/// The distance from one half that is still no sign.
const BAR: f64 = 0.03;
/// Requests before the first pair, so that the instance has waits to draw from.
const WARM_UP: usize = 40;
/// How many sends an instance remembers.
const REMEMBERED: usize = 32;

/// AUC of durations. Without options, every case.
#[derive(Parser)]
struct Options {
    /// Only cases with this text in their names.
    #[arg(default_value = "")]
    named: String,
    /// Pairs per case.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(20..=100_000))]
    samples: u32,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Put the table into docs/benchmarks.md.
    #[arg(long)]
    write: bool,
    /// Added by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let options = Options::parse();
    let mut table = Table::new(&[
        "request, and the history of one of the two identifiers",
        "pairs",
        "p50 with the history",
        "without",
        "AUC",
        "AUC of the distance to the last sends",
        "within 0.5 ± 0.03",
    ]);
    for case in CASES.iter().filter(|case| case.name.contains(&options.named)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let samples = runtime.block_on(measure(*case, options.samples as usize, options.seed));
        table.row(&row(case, &samples));
        eprintln!("{}: {}", case.name, Auc::of(&samples.with, &samples.without).text());
    }
    let text = format!("{} pairs each, seed {}:\n\n{}", options.samples, options.seed, table.text());
    println!("{text}");
    if options.write {
        write(&text);
    }
}

/// Durations in simulated milliseconds.
#[derive(Default)]
struct Samples {
    with: Vec<f64>,
    without: Vec<f64>,
    /// The distance of each to the nearest of the last sends that the attacker has seen.
    near: Vec<f64>,
    near_without: Vec<f64>,
}

async fn measure(case: Case, samples: usize, seed: u64) -> Samples {
    let latency = Latency::default();
    let settings = cases::settings().await;
    let auth = leaked(Deployment::simulated(&settings, Arc::new(|_| {}), latency.on_call()).await);
    let gate = auth.stack.services().gate();
    tokio::spawn(latency.delay(auth.stack.services().clone(), seed));
    let others: &'static _ = Box::leak(Box::new(auth.stack.another_api("others").await.unwrap()));
    let other = |network: usize| auth.client_at(&format!("203.0.113.{network}")).by(others);
    let stranger = |run: usize, side: usize| auth.client_at(&format!("10.{}.{}.{side}", run / 250, run % 250));

    // Everything that happens before is done by other instances and takes no time.
    for early in [true, false] {
        for run in 0..case.prepared(samples) {
            case.prepare(other, &case.identifier(run, true), early).await;
        }
        if early {
            auth.wait(3_600);
        }
    }
    let mut pairs = Vec::new();
    for run in 0..samples {
        let mut pair = Vec::new();
        for (side, has_history) in [(0, false), (1, true)] {
            let to = case.identifier(run, has_history);
            let challenge = case.challenge(stranger(run, side).by(others), &to).await;
            pair.push((side, case.request(&to, challenge.as_deref())));
        }
        pairs.push(pair);
    }
    auth.stack.inbox().clear();
    auth.wait(if case.sent == Sent::Resend { 31 } else { 0 });

    let mut draw = Draw::of(seed);
    gate.close();
    for run in 0..WARM_UP {
        ask(stranger(samples + run, 0), &case.identifier(samples + run, false)).await;
        if case.is_mixed {
            ask(stranger(samples + run, 0), &case.somebody(samples + run)).await;
        }
    }
    let (mut found, mut sends) = (Samples::default(), VecDeque::from(vec![0.0; REMEMBERED]));
    for (run, mut pair) in pairs.into_iter().enumerate() {
        if draw.below(2) == 0 {
            pair.reverse();
        }
        for (side, request) in pair {
            let client = stranger(run, side);
            let started = Instant::now();
            let answer = client.send(request).await;
            let took = started.elapsed().as_secs_f64() * 1e3 / SCALE;
            assert_ne!(answer.status.as_u16() / 100, 5, "{}: {}", case.name, answer.body);
            let near = sends.iter().map(|send: &f64| (send - took).abs()).fold(f64::MAX, f64::min);
            if side == 1 {
                found.with.push(took);
                found.near.push(near);
            } else {
                found.without.push(took);
                found.near_without.push(near);
                sends.pop_front();
                sends.push_back(took);
            }
        }
        if case.is_mixed {
            ask(stranger(run, 2), &case.somebody(run)).await;
        }
        auth.stack.inbox().clear();
    }
    gate.open();
    found
}

async fn ask(client: Client<'_>, to: &str) {
    client.post(tests::client::REQUEST, serde_json::json!({ "identifier": to })).await.ok();
}

fn row(case: &Case, samples: &Samples) -> Vec<String> {
    let median = |values: &[f64]| {
        let mut values = values.to_vec();
        values.sort_unstable_by(f64::total_cmp);
        format!("{:.1} ms", values[values.len() / 2])
    };
    let auc = Auc::of(&samples.with, &samples.without);
    let near = Auc::of(&samples.near, &samples.near_without);
    let is_within = (auc.value - 0.5).abs() <= BAR;
    vec![
        case.name.to_owned(),
        samples.with.len().to_string(),
        median(&samples.with),
        median(&samples.without),
        auc.text(),
        near.text(),
        if is_within { "yes" } else { "no" }.to_owned(),
    ]
}

/// Puts the table between its two marks in `docs/benchmarks.md`.
fn write(text: &str) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/benchmarks.md");
    let page = fs::read_to_string(path).unwrap();
    let (before, rest) = page.split_once("<!-- begin durations -->\n").expect("the page has a place for durations");
    let (_, after) = rest.split_once("<!-- end durations -->").expect("the place for durations ends");
    fs::write(path, format!("{before}<!-- begin durations -->\n\n{text}\n<!-- end durations -->{after}")).unwrap();
}
