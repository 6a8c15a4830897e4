//! `cargo run --profile fuzz -p fuzz -- --executions 1000000 [TARGET]…` fuzzes the named targets.

use clap::Parser;
use fuzz::{TARGETS, Target, run, target};

/// Feeds parsers with unexpected input, and stops at the first panic with its input.
#[derive(Parser)]
struct Arguments {
    /// Executions per target.
    #[arg(long, default_value_t = 100_000)]
    executions: u64,
    /// The same seed gives the same inputs.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Targets; all if none is named.
    #[arg(value_parser = find)]
    targets: Vec<&'static Target>,
}

fn find(name: &str) -> Result<&'static Target, String> {
    let names = || TARGETS.iter().map(|target| target.name).collect::<Vec<_>>().join(", ");
    target(name).ok_or_else(|| format!("unknown target; the targets are {}", names()))
}

fn main() {
    let Arguments { executions, seed, targets, .. } = Arguments::parse();
    let targets = if targets.is_empty() { TARGETS.iter().collect() } else { targets };
    println!(
        "seed {seed}\n\n| target | executions | per second | slowest | results |\n| --- | --: | --: | --: | --- |"
    );
    let mut all = 0;
    for target in targets {
        let campaign = run(target, executions, seed);
        let words = campaign.words.iter().map(|(word, times)| format!("{word} {times}")).collect::<Vec<_>>().join(", ");
        let (name, done, rate) = (target.name, campaign.executions, campaign.rate());
        println!("| {name} | {done} | {rate:.0} | {:.1?} | {words} |", campaign.slowest);
        all += campaign.executions;
    }
    println!("\n{all} executions, no findings");
}
