//! `local config` as a user runs it: its output and its exit code.

use std::borrow::Cow;
use std::io;
use std::process::{Command, Output};

fn config(arguments: &[&str]) -> io::Result<Output> {
    Command::new(env!("CARGO_BIN_EXE_local")).arg("config").args(arguments).output()
}

fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

#[test]
fn a_profile_is_printed_in_words() {
    let told = config(&["--profile", "testing", "--env", "OTP_LENGTH=8"]).unwrap();
    let words = text(&told.stdout);
    assert!(told.status.success(), "{}", text(&told.stderr));
    for line in ["access token: 1 hour, rotation off", "length: 8 digits", "Warnings", "REFRESH_ROTATION: without"] {
        assert!(words.contains(line), "{line} is not in:\n{words}");
    }
}

#[test]
fn json_is_the_whole_output() {
    let told = config(&["--json"]).unwrap();
    assert!(told.status.success() && told.stderr.is_empty());
    let variables: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(variables["JWT_ACCESS_SECONDS"], "3600");
}

#[test]
fn wrong_settings_fail_with_all_their_names() {
    let told = config(&["--env", "JWT_ALGORITHM=none", "--env", "OTP_LENGTH=5"]).unwrap();
    assert_eq!(told.status.code(), Some(1));
    assert!(told.stdout.is_empty());
    let problem = text(&told.stderr);
    for part in ["invalid settings: ", "OTP_LENGTH", "JWT_ALGORITHM"] {
        assert!(problem.contains(part), "{problem}");
    }
}
