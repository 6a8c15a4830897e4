//! Counts an operation's instructions with valgrind. The count is independent of other load on the machine.

use std::process::Command;

/// Uncounted runs at the start.
pub const UNSEEN: usize = 5;

/// The mean of `seen` runs in thousands, only of the answering thread. Returns a dash if valgrind is missing.
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
    assert!(all > 0, "valgrind did not see the counted function");
    format!("{} k", all / seen as u64 / 1_000)
}
