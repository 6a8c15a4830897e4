//! CPU time and memory of a process, according to Linux.

use std::fs;
use std::time::Duration;

/// The CPU time of each running thread, in user and kernel mode, with the thread's name.
pub fn threads(process: &str) -> impl Iterator<Item = (String, Duration)> {
    fs::read_dir(format!("/proc/{process}/task")).unwrap().filter_map(|thread| {
        let folder = thread.unwrap().path();
        // A thread may end in the meantime. The measured threads keep running.
        let (name, account) =
            (fs::read_to_string(folder.join("comm")).ok()?, fs::read_to_string(folder.join("schedstat")).ok()?);
        let nanos = account.split(' ').next().unwrap().parse().unwrap();
        Some((name.trim().to_owned(), Duration::from_nanos(nanos)))
    })
}

/// Resets the peak memory of this process to its current memory.
pub fn forget_peak() {
    fs::write("/proc/self/clear_refs", "5").unwrap();
}

/// The memory of a process in bytes: current and peak.
pub fn memory(process: &str) -> (u64, u64) {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let read = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    };
    (read("VmRSS:"), read("VmHWM:"))
}
