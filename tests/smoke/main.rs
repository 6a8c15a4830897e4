//! Checks a deployment: `cargo test -p tests --test smoke -- --url https://… --origin https://… --sender …`.
//!
//! It prints one line per check, with a fix for each problem, or all as JSON with `--json`. The exit code is 1 if a check has failed.

use std::process::ExitCode;

use clap::Parser;
use tests::smoke::{Look, Verdict, look};

#[derive(Parser)]
#[command(
    name = "smoke",
    about = "Checks a deployment and says how to fix problems. Read-only, except for --test-address and --deliver-to."
)]
struct Arguments {
    /// Print one JSON object with all findings.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    look: Look,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Arguments { json, look: wanted } = Arguments::parse();
    let findings = look(&wanted, |name| std::env::var(name).ok()).await;
    let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    let (doubtful, bad) = (count(Verdict::Doubtful), count(Verdict::Bad));
    if json {
        println!(
            "{}",
            serde_json::json!({ "checks": findings.len(), "warnings": doubtful, "failures": bad, "findings": findings })
        );
    } else {
        findings.iter().for_each(|finding| println!("{finding}"));
        println!("\n{} checks, {doubtful} warnings, {bad} failures", findings.len());
    }
    if bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
