//! Runs every target for a short time, so that `cargo test` finds broken parsers. For more executions use the runner.

use fuzz::{TARGETS, Target, run, target};

/// Enough for each target to reach all its words. Targets that call whole functions take longer.
const EXECUTIONS: u64 = 3_000;
const REQUESTS: u64 = 600;

#[test]
fn no_parser_fails_and_every_expected_outcome_occurs() {
    let missed = TARGETS.iter().filter_map(|target| {
        let executions = if target.asks_functions { REQUESTS } else { EXECUTIONS };
        let campaign = run(target, executions, 1);
        let missed = target.reaches.iter().find(|word| !campaign.words.contains_key(*word))?;
        Some(format!("{} never reached `{missed}`: {:?}", target.name, campaign.words))
    });
    assert_eq!(missed.collect::<Vec<_>>(), Vec::<String>::new());
}

/// Every parser of outside input is listed here.
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
        "mail-event",
        "text-event",
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

/// A bug behind three characters: the search must find it and report it.
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
