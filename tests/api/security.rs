//! Checks `docs/security.md`: every number has its row, and every test named there exists.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::workspace::{files, read};

/// All tests of the workspace as `file::name`. Tests in `x/tests.rs` belong to `x`.
fn tests() -> BTreeSet<String> {
    let all = ["functions", "local", "shared", "tests", "tools"].map(|folder| files(folder, ".rs"));
    all.iter().flatten().flat_map(|file| tests_in(file)).collect()
}

fn tests_in(file: &Path) -> Vec<String> {
    let of = if file.ends_with("tests.rs") { file.parent().unwrap() } else { file };
    let of = of.file_stem().unwrap().to_str().unwrap();
    let (text, mut is_test, mut found) = (read(file), false, Vec::new());
    for line in text.lines().map(str::trim) {
        let name = line.split_once("fn ").and_then(|(_, rest)| rest.split_once('(')).map(|(name, _)| name);
        match name {
            _ if line.starts_with("#[") => is_test |= line == "#[test]" || line.starts_with("#[tokio::test"),
            Some(name) if is_test => {
                found.push(format!("{of}::{name}"));
                is_test = false;
            }
            _ => is_test = false,
        }
    }
    found
}

/// The rows of the tables of rules: number, rule, proof.
fn rows(page: &str) -> Vec<[&str; 3]> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let rows = rows.filter_map(|row| row.split(" | ").collect::<Vec<_>>().try_into().ok());
    rows.filter(|[number, ..]: &[&str; 3]| is_number(number)).collect()
}

fn is_number(text: &str) -> bool {
    let is_rule = (3..=4).contains(&text.len()) && text.starts_with(['S', 'V']) && text.as_bytes()[1].is_ascii_digit();
    is_rule || (text.contains('.') && text.split('.').all(|part| part.parse::<u8>().is_ok()))
}

/// The numbers listed on the page: single ones, and ranges over the last part.
fn numbers(page: &str) -> Vec<String> {
    let (_, rest) = page.split_once("\nNumbers: ").unwrap();
    let (list, _) = rest.split_once(".\n\n").unwrap();
    let split = |text: &str| {
        let end = text.rfind(|char: char| !char.is_ascii_digit()).unwrap() + 1;
        (text[..end].to_owned(), text[end..].parse::<u32>().unwrap())
    };
    let mut numbers = Vec::new();
    for range in list.split(',').map(str::trim) {
        match range.split_once('–') {
            None => numbers.push(range.to_owned()),
            Some((first, last)) => {
                let ((start, first), (same, last)) = (split(first), split(last));
                assert_eq!(start, same, "{range}");
                let width = if start.ends_with('.') { 1 } else { 2 };
                numbers.extend((first..=last).map(|number| format!("{start}{number:0width$}")));
            }
        }
    }
    numbers
}

/// The names of tests in backticks, as `file::name`.
fn named(text: &str) -> impl Iterator<Item = &str> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter(|name| name.contains("::") && !name.starts_with(char::is_uppercase) && !name.contains(' '))
}

#[test]
fn every_number_has_exactly_one_row() {
    let page = read("docs/security.md");
    let rows: Vec<_> = rows(&page).into_iter().map(|[number, ..]| number.to_owned()).collect();
    let numbers = numbers(&page);
    assert!(numbers.len() > 190, "{}", numbers.len());
    let mut times = BTreeMap::<&String, i32>::new();
    numbers.iter().for_each(|number| *times.entry(number).or_default() += 1);
    rows.iter().for_each(|row| *times.entry(row).or_default() -= 1);
    times.retain(|_, times| *times != 0);
    assert!(times.is_empty(), "missing (1) or duplicate (-1): {times:?}");
}

#[test]
fn every_rule_has_a_proof_or_a_reason() {
    let page = read("docs/security.md");
    for [number, _, proof] in rows(&page) {
        let is_excused =
            ["Does not apply: ", "Not met: "].iter().any(|start| proof.starts_with(start) && proof.len() > 20);
        assert!(is_excused || named(proof).next().is_some(), "{number} has no proof: {proof}");
    }
}

#[test]
fn the_readme_counts_the_rules_and_their_tests() {
    let page = read("docs/security.md");
    let rows = rows(&page);
    let count = |start: char| rows.iter().filter(|[number, ..]| number.starts_with(start)).count();
    let is_excused = |[number, _, proof]: &&[&str; 3]| {
        number.starts_with(['S', 'V']) && (proof.starts_with("Does not apply: ") || proof.starts_with("Not met: "))
    };
    let (rules, attacks, excused) = (count('S'), count('V'), rows.iter().filter(is_excused).count());
    let tested = rules + attacks - excused;
    let sentence = format!(
        "Of [{rules} rules and {attacks} attacks](docs/security.md), {tested} name their tests. The other {excused} "
    );
    assert!(read("README.md").contains(&sentence), "README.md lacks: {sentence}");
}

#[test]
fn every_named_test_exists() {
    let (page, tests) = (read("docs/security.md"), tests());
    let missing: Vec<_> = named(&page).filter(|name| !tests.contains(*name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    // Assumptions of this test.
    assert!(tests.len() > 400 && tests.contains("verify_otp::a_code_works_once") && !tests.contains("security::tests"));
}
