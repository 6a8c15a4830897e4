//! Every target for a moment, so that `cargo test` finds what a change has broken; `--executions` in the runner is for more.

use fuzz::{TARGETS, Target, run, target};

/// Enough for each target to come to all its words; those that ask whole functions take longer over each.
const EXECUTIONS: u64 = 3_000;
const REQUESTS: u64 = 600;

#[test]
fn no_parser_fails_and_every_expected_outcome_occurs() {
    let missed = TARGETS.iter().filter_map(|target| {
        let executions = if target.asks_functions { REQUESTS } else { EXECUTIONS };
        let campaign = run(target, executions, 1);
        let missed = target.reaches.iter().find(|word| !campaign.words.contains_key(*word))?;
        Some(format!("{} never came to `{missed}`: {:?}", target.name, campaign.words))
    });
    assert_eq!(missed.collect::<Vec<_>>(), Vec::<String>::new());
}

/// The parsers that the outside reaches.
#[test]
fn every_parser_has_a_target() {
    for name in [
        "event",
        "request-body",
        "verify-body",
        "refresh-body",
        "logout-body",
        "session-id",
        "alias-body",
        "email",
        "phone",
        "code",
        "refresh-token",
        "jwt",
        "cookies",
        "origin",
        "proxies",
        "source-url",
        "settings",
        "keyring",
        "template",
        "samconfig",
        "message",
    ] {
        assert!(target(name).is_some(), "{name}");
    }
}

#[test]
fn the_same_seed_gives_the_same_inputs() {
    let email = target("email").unwrap();
    let (first, again, other) = (run(email, 500, 7), run(email, 500, 7), run(email, 500, 8));
    assert_eq!(first.words, again.words);
    assert_ne!(first.words, other.words);
}

/// What a fault three characters deep looks like: the search comes to it, and does not swallow it.
#[test]
#[should_panic(expected = "found")]
fn a_fault_is_found_and_reported() {
    fn faulty(input: &[u8]) -> fuzz::Word {
        let depth = input.iter().zip(b"key").take_while(|(given, wanted)| given == wanted).count();
        assert!(depth < 3, "found");
        ["none", "one", "two"][depth]
    }
    let planted = Target {
        name: "planted",
        run: faulty,
        asks_functions: false,
        seeds: || vec![b"aaaaaa".to_vec()],
        dictionary: &[],
        reaches: &[],
    };
    run(&planted, 2_000_000, 1);
}
