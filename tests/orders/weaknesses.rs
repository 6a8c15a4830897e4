//! What each condition is good for: without it some order breaks the invariant that it guards, and the search finds that order.

use tests::orders::invariants::INVARIANTS;
use tests::orders::{Scenario, Weakness, explore};

use crate::scenarios::{codes, rotations, sessions};

/// A condition, what it guards, and where its absence shows.
struct Guard {
    invariant: &'static str,
    weakness: Weakness,
    scenario: Scenario,
}

const fn guard(
    invariant: &'static str,
    scenario: Scenario,
    key: &'static str,
    find: &'static str,
    put: &'static str,
) -> Guard {
    Guard { invariant, weakness: Weakness { key, find, put }, scenario }
}

/// Where a code is used up, alone or in the transaction that makes a user; and what lets it be used again.
const USED_UP: &str = "ch.#c.h = :h AND ch.#c.e > :now";
const USED_AGAIN: &str = "(ch.#c.h = :h OR attribute_exists(pk)) AND (ch.#c.e > :now OR attribute_exists(pk))";

const GUARDS: [Guard; 17] = [
    guard("one session a code", codes::TWO_ANSWERS, "I#", USED_UP, USED_AGAIN),
    guard("one session a code", codes::TWO_FIRST_ANSWERS, "I#", USED_UP, USED_AGAIN),
    guard("bounded compares", codes::LAST_BOUND_TRY, "I#", "ch.#c.t = ch.#c.t - :one", "ch.#c.t = ch.#c.t"),
    guard("no fault of ours", codes::LAST_BOUND_TRY, "I#", "ch.#c.t >= :one", "ch.#c.t <= :one"),
    guard("bounded compares", codes::LAST_UNBOUND_TRY, "I#", "u < ux", "attribute_exists(ux)"),
    guard("failures stay", codes::ASK_LATER, "I#", "f = if_not_exists(f, :zero)", "f = :zero"),
    guard(
        "guessable codes end",
        codes::LAST_SHORT_CODE,
        "I#",
        "ch.#c.c < :sends AND f < :long_from",
        "ch.#c.c < :sends AND (f < :long_from OR attribute_exists(pk))",
    ),
    guard(
        "one user an identifier",
        codes::TWO_SIGN_UPS,
        "ID#",
        "attribute_not_exists(pk)",
        "attribute_not_exists(nothing)",
    ),
    guard("one chain a session", sessions::REFRESHES, "S#", "g = :g", "g >= :g"),
    guard(
        "nothing after logout",
        sessions::END_OTHERS,
        "U#",
        "ss.#sid = :opened",
        "(ss.#sid = :opened OR attribute_exists(pk))",
    ),
    guard("honest clients stay", sessions::REFRESHES, "S#", "pat = :now", "nothing = :now"),
    guard("owners get in", codes::ANSWER_AND_STRANGER, "I#", "attribute_not_exists(pk)", "attribute_exists(pk)"),
    guard("owners get in", codes::LOCKOUT, "I#", "ch.#c.t >= :one", "ch.#c.t >= :one AND f < :one"),
    guard("budget holds", codes::LAST_SMS, "SMS#", "#n < :most", "(#n < :most OR attribute_exists(pk))"),
    guard(
        "session limit holds",
        sessions::LAST_PLACE,
        "U#",
        "size(ss) < :room",
        "(size(ss) < :room OR attribute_exists(pk))",
    ),
    guard("session limit holds", sessions::SESSION_LIMIT, "U#", "attribute_exists(ss.#old0)", "attribute_exists(pk)"),
    guard(
        "withdrawn keys stay out",
        rotations::WITHDRAWAL_AND_FINISH,
        "JWKS",
        "attribute_not_exists(v) OR v = :new OR v = :over",
        "attribute_exists(pk)",
    ),
];

#[tokio::test(start_paused = true)]
async fn without_its_guard_each_invariant_breaks() {
    for Guard { invariant, weakness, scenario } in &GUARDS {
        let search = explore(scenario, Some(weakness)).await;
        let told = search.broken.as_ref().map(|broken| broken.tell()).unwrap_or_default();
        println!("{}: {} without `{}`, after {} runs:{told}", scenario.name, invariant, weakness.find, search.runs);
        assert!(search.weakened > 0, "{}: nothing has `{}`", scenario.name, weakness.find);
        let broken = search.broken.expect("no order shows that it is missing").broken;
        assert!(broken.iter().any(|broken| broken.invariant == *invariant), "{broken:?}");
    }
}

#[test]
fn each_invariant_has_a_guard() {
    for invariant in INVARIANTS {
        assert!(GUARDS.iter().any(|guard| guard.invariant == invariant), "{invariant}");
    }
}

/// `ARCHITECTURE.md` has each invariant with all of its guards, and the scenarios that show them.
#[test]
fn the_invariants_are_written_down() {
    let page = std::fs::read_to_string(local_aws::template::find_root().unwrap().join("ARCHITECTURE.md")).unwrap();
    let row = |invariant: &str| page.lines().find(|line| line.starts_with(&format!("| {invariant} |")));
    for Guard { invariant, weakness, scenario } in &GUARDS {
        let row = row(invariant).unwrap_or_else(|| panic!("{invariant} is not there"));
        assert!(row.contains(&format!("`{}`", weakness.find)), "{invariant} is guarded by `{}`", weakness.find);
        assert!(row.contains(scenario.name), "{invariant} shows in {}", scenario.name);
    }
    let table = page.lines().skip_while(|line| !line.starts_with("| invariant |")).skip(2);
    assert_eq!(table.take_while(|line| line.starts_with('|')).count(), INVARIANTS.len());
}
