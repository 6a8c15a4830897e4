//! The rules of the build for the texts of messages. Each rule refuses one changed file.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by a panic")]

#[expect(unreachable_pub, reason = "the crate exports its items")]
#[path = "../src/messages/alphabet.rs"]
mod alphabet;
#[path = "../build/file.rs"]
mod file;
#[path = "../build/rules.rs"]
mod rules;

use std::fs;
use std::path::Path;

use file::File;

/// The files of all languages, with `change` made to the one of `tag`.
fn check(tag: &str, change: impl Fn(&str) -> String) -> Result<(), String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("messages");
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let (name, text) = (path.file_stem().unwrap().to_str().unwrap(), fs::read_to_string(&path).unwrap());
        let text = if name == tag { change(&text) } else { text };
        files.push(File::parse(name.to_owned(), &text)?);
    }
    rules::check(&files)
}

#[test]
fn the_files_follow_the_rules() {
    assert_eq!(check("", str::to_owned), Ok(()));
}

#[test]
fn each_rule_refuses_a_file() {
    for (tag, from, to, told) in [
        (
            "de",
            "{code} ist Ihr Code für {product}",
            "{code} ist Ihr Code",
            "[mail] subject must have exactly the placeholders",
        ),
        ("de", "Ihr Anmeldecode", "Ihr {code}", "[mail] heading must have exactly the placeholders"),
        ("de", "Ihr Anmeldecode", "Ihr {Anmeldecode", "[mail] heading has a brace without a placeholder"),
        ("de", "Ihr Anmeldecode", "Ihr <b>Code</b>", "[mail] heading must be one line of plain text"),
        ("de", "Ihr Anmeldecode", "", "[mail] heading must be one line of plain text"),
        ("de", "heading =", "headline =", "[mail] headline is unknown"),
        ("de", "heading = \"Ihr Anmeldecode\"", "", "[mail] heading is missing"),
        (
            "de",
            "Er gilt {life}.",
            "Dieser Code gilt ab jetzt nur {life}.",
            "characters of GSM-7 with the longest product and host, and so 2 parts",
        ),
        ("de", "Er gilt {life}.", "Gültig, ça va {life}.", "characters of UCS-2 with the longest product"),
        ("de", "-Code. Er gilt", ". Er gilt", "[sms] text must contain \"Code\""),
        ("de", "-Code. Er gilt", "-Code @ gilt", "[sms] text must not contain @ or #"),
        ("de", "parts = 1", "parts = 3", "[sms] `parts` must be 1 or 2"),
        ("ar", "parts = 2", "parts = 1", "and so 2 parts"),
        ("ar", "\"rtl\"", "\"ltr\"", "`direction` is not the direction of its letters"),
        ("de", "\"ltr\"", "\"rtl\"", "`direction` is not the direction of its letters"),
        ("de", "except = []", "except = [\"d\"]", "d in `except` is not a language tag"),
        ("de", "also = []", "also = [\"fr\"]", "is not a language tag, or another language has it too"),
        ("de", "\"sms\", ", "\"smss\", ", "`unreviewed` names the table smss"),
        ("de", "name = \"Deutsch\"", "name = \"\"", "`name` must be the language's own name"),
    ] {
        let problem = check(tag, |text| {
            assert!(text.contains(from), "{tag} does not say {from}");
            text.replacen(from, to, 1)
        });
        let problem = problem.expect_err(to);
        assert!(problem.contains(told), "{to}: {problem}");
    }
}
