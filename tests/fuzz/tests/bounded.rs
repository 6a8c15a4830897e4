//! Every target for a moment, so that `cargo test` finds what a change has broken; `--executions` in the runner is for more.

use fuzz::{TARGETS, Target, run, target};

/// Enough for each target to come to all its words.
const EXECUTIONS: u64 = 3_000;

#[test]
fn no_parser_fails_and_each_is_reached_to_its_end() {
    for target in TARGETS {
        let campaign = run(target, EXECUTIONS, 1);
        for word in target.reaches {
            assert!(campaign.words.contains_key(word), "{} never came to `{word}`: {:?}", target.name, campaign.words);
        }
    }
}

/// The parsers that the outside reaches.
#[test]
fn every_parser_has_a_target() {
    for name in [
        "event",
        "body",
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
fn a_fault_is_found_and_told() {
    fn faulty(input: &[u8]) -> fuzz::Word {
        let depth = input.iter().zip(b"key").take_while(|(given, wanted)| given == wanted).count();
        assert!(depth < 3, "found");
        ["none", "one", "two"][depth]
    }
    let planted =
        Target { name: "planted", run: faulty, seeds: || vec![b"aaaaaa".to_vec()], dictionary: &[], reaches: &[] };
    run(&planted, 2_000_000, 1);
}
