//! How many instructions an operation takes: valgrind counts them, the same whatever else the machine does.

use std::process::Command;

/// Runs that are not counted.
pub const UNSEEN: usize = 5;

/// The mean of that many runs, in thousands, all of the thread that answers; where there is no valgrind, a dash.
pub fn of(operation: &str, seen: usize) -> String {
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=*Bench*counted*"])
        .arg(std::env::current_exe().unwrap())
        .args(["--watched", operation, "--seen", &seen.to_string()])
        .output();
    let Ok(run) = run else { return "–".to_owned() };
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{said}");
    let collected = said.lines().find_map(|line| line.split_once("Collected : ")).expect("valgrind counts").1;
    let all: u64 = collected.trim().parse().unwrap();
    assert!(all > 0, "valgrind has not seen what it should count");
    format!("{} k", all / seen as u64 / 1_000)
}
