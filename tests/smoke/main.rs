//! Looks at a deployment: `cargo test -p tests --test smoke -- --url https://… --origin https://… --sender …`.
//!
//! It prints what it sees, one line each, with what mends it, and fails where something is bad.

use std::process::ExitCode;

use clap::Parser;
use tests::smoke::{Look, Verdict, look};

#[derive(Parser)]
#[command(name = "smoke", about = "Looks at a deployment, and says what to mend. Nothing is changed.")]
struct Arguments {
    #[command(flatten)]
    look: Look,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Arguments { look: wanted } = Arguments::parse();
    let findings = look(&wanted, |name| std::env::var(name).ok()).await;
    findings.iter().for_each(|finding| println!("{finding}"));
    let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    let (doubtful, bad) = (count(Verdict::Doubtful), count(Verdict::Bad));
    println!("\n{} looked at, {doubtful} doubtful, {bad} to mend", findings.len());
    if bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
