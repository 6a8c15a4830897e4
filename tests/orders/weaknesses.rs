//! Proves that each condition is needed: without it some order breaks the invariant behind it, and the search finds that order.

use tests::orders::invariants::INVARIANTS;
use tests::orders::{Scenario, Weakness, explore};

use crate::scenarios::{codes, factors, rotations, sessions};

/// A condition, its invariant, and the scenario to show it.
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

/// The condition of using up a code, alone or in the transaction that creates a user, and a version that allows a second use.
const USED_UP: &str =
    "#CODES.#code.#DIGEST = :digest AND #CODES.#code.#ENDS > :now AND #CHARGED_IN_A_ROW = :seen_in_a_row";
const USED_AGAIN: &str = "(#CODES.#code.#DIGEST = :digest OR attribute_exists(pk)) \
     AND (#CODES.#code.#ENDS > :now OR attribute_exists(pk)) \
     AND (#CHARGED_IN_A_ROW = :seen_in_a_row OR attribute_exists(pk))";
/// The same for a long code.
const LONG_USED_UP: &str =
    "#LONG_CODES.#code.#DIGEST = :digest AND #LONG_CODES.#code.#ENDS > :now AND #CHARGED_IN_A_ROW = :seen_in_a_row";
const LONG_USED_AGAIN: &str = "(#LONG_CODES.#code.#DIGEST = :digest OR attribute_exists(pk)) \
     AND (#LONG_CODES.#code.#ENDS > :now OR attribute_exists(pk)) \
     AND (#CHARGED_IN_A_ROW = :seen_in_a_row OR attribute_exists(pk))";
/// The attempts that a challenge has left.
const ONE_LEFT: &str = "#CODES.#code.#ATTEMPTS_LEFT >= :1";
/// The charges that a write relies on.
const SEEN_IN_A_ROW: &str = "#CHARGED_IN_A_ROW = :seen_in_a_row";
const ANY_IN_A_ROW: &str = "(#CHARGED_IN_A_ROW = :seen_in_a_row OR attribute_exists(pk))";
/// The count of proven factors that a sign-in or step-up was begun with, and a version that allows a second use of it.
const COUNT: &str = "#PROVEN = :proven";
const ANY_COUNT: &str = "(#PROVEN = :proven OR attribute_exists(pk))";
/// The conditions of using up a code of an app and a backup code. Of two parallel uses, the count alone refuses one already.
const APP_CODE: &str = "#PROVEN = :proven AND #APPS.#app.#LAST_STEP < :step";
const ANY_APP_CODE: &str =
    "(#PROVEN = :proven OR attribute_exists(pk)) AND (#APPS.#app.#LAST_STEP < :step OR attribute_exists(pk))";
const BACKUP_CODE: &str = "#PROVEN = :proven AND attribute_exists(#BACKUP_CODES.#code)";
const ANY_BACKUP_CODE: &str = "(#PROVEN = :proven OR attribute_exists(pk)) \
     AND (attribute_exists(#BACKUP_CODES.#code) OR attribute_exists(pk))";
/// The epoch of a user who has signed out everywhere before, or has changed factors.
const EPOCH: &str = "#EPOCH = :epoch";
const ANY_EPOCH: &str = "(#EPOCH = :epoch OR attribute_exists(pk))";
/// The same for the first epoch.
const FIRST_EPOCH: &str = "attribute_not_exists(#EPOCH)";
const NOT_ONLY_FIRST_EPOCH: &str = "(attribute_not_exists(#EPOCH) OR attribute_exists(pk))";

const GUARDS: [Guard; 30] = [
    guard("one session a code", codes::TWO_ANSWERS, "I#", USED_UP, USED_AGAIN),
    guard("one session a code", codes::TWO_FIRST_ANSWERS, "I#", USED_UP, USED_AGAIN),
    guard("one session a code", codes::SHARED_CODE, "I#", LONG_USED_UP, LONG_USED_AGAIN),
    guard("one use a factor", factors::ONE_PENDING, "F#", COUNT, ANY_COUNT),
    guard("one use a factor", factors::ONE_APP_CODE, "F#", APP_CODE, ANY_APP_CODE),
    guard("one use a factor", factors::ONE_BACKUP_CODE, "F#", BACKUP_CODE, ANY_BACKUP_CODE),
    guard("no way past a factor", factors::SIGN_IN_AND_CONFIRMATION, "U#", FIRST_EPOCH, NOT_ONLY_FIRST_EPOCH),
    guard("no way past a factor", factors::FACTOR_AND_REMOVAL, "U#", EPOCH, ANY_EPOCH),
    guard(
        "bounded compares",
        codes::LAST_BOUND_TRY,
        "I#",
        "#CODES.#code.#ATTEMPTS_LEFT = #CODES.#code.#ATTEMPTS_LEFT - :1",
        "#CODES.#code.#ATTEMPTS_LEFT = #CODES.#code.#ATTEMPTS_LEFT",
    ),
    guard("no fault of ours", codes::LAST_BOUND_TRY, "I#", ONE_LEFT, "#CODES.#code.#ATTEMPTS_LEFT <= :1"),
    guard(
        "bounded compares",
        codes::LAST_UNBOUND_TRY,
        "I#",
        "#ELSEWHERE < :most_elsewhere",
        "(#ELSEWHERE < :most_elsewhere OR attribute_exists(pk))",
    ),
    guard("failures stay", codes::ANSWER_AND_STRANGER, "I#", SEEN_IN_A_ROW, ANY_IN_A_ROW),
    guard(
        "failures stay",
        codes::FIRST_REQUESTS,
        "I#",
        "attribute_not_exists(#FULL_AT)",
        "(attribute_not_exists(#FULL_AT) OR attribute_exists(pk))",
    ),
    guard("guessable codes end", codes::LAST_SHORT_CODE, "I#", SEEN_IN_A_ROW, ANY_IN_A_ROW),
    guard(
        "bucket holds",
        codes::LAST_TOKEN,
        "I#",
        "#FULL_AT = :seen_full_at",
        "(#FULL_AT = :seen_full_at OR attribute_exists(pk))",
    ),
    guard(
        "bucket holds",
        codes::LAST_TAGGED,
        "TAG#",
        "#FULL_AT = :seen_full_at",
        "(#FULL_AT = :seen_full_at OR attribute_exists(pk))",
    ),
    guard(
        "one user an identifier",
        codes::TWO_SIGN_UPS,
        "ID#",
        "attribute_not_exists(pk)",
        "attribute_not_exists(nothing)",
    ),
    guard(
        "one user an identifier",
        codes::TWO_AFTER_DELETION,
        "ID#",
        "#USER = :deleted",
        "(#USER = :deleted OR attribute_exists(pk))",
    ),
    guard("one chain a session", sessions::REFRESHES, "S#", "#GENERATION = :generation", "#GENERATION >= :generation"),
    guard(
        "nothing after logout",
        sessions::END_OTHERS,
        "U#",
        "#SESSIONS.#session = :opened",
        "(#SESSIONS.#session = :opened OR attribute_exists(pk))",
    ),
    guard("nothing after logout", sessions::REFRESH_AND_EVERYWHERE, "U#", FIRST_EPOCH, NOT_ONLY_FIRST_EPOCH),
    guard("nothing after logout", factors::FACTOR_AND_EVERYWHERE, "U#", EPOCH, ANY_EPOCH),
    guard("honest clients stay", sessions::REFRESHES, "S#", "#ROTATED = :now", "#ROTATED = #ROTATED"),
    guard(
        "honest clients stay",
        sessions::RETRIES,
        "S#",
        "#ROTATED_BY = :rotated_by",
        "#ROTATED_BY = if_not_exists(#ROTATED_BY, :rotated_by)",
    ),
    guard("owners get in", codes::ANSWER_AND_STRANGER, "I#", ONE_LEFT, "#CODES.#code.#ATTEMPTS_LEFT < :1"),
    guard(
        "budget holds",
        codes::LAST_SMS,
        "SMS#",
        "#TOTAL <= :most_total",
        "(#TOTAL <= :most_total OR attribute_exists(pk))",
    ),
    guard(
        "budget holds",
        codes::LAST_CENT,
        "SMS#",
        "#MONEY <= :most_money",
        "(#MONEY <= :most_money OR attribute_exists(pk))",
    ),
    guard(
        "session limit holds",
        sessions::LAST_PLACE,
        "U#",
        "size(#SESSIONS) < :room",
        "(size(#SESSIONS) < :room OR attribute_exists(pk))",
    ),
    guard(
        "session limit holds",
        sessions::SESSION_LIMIT,
        "U#",
        "attribute_exists(#SESSIONS.#oldest)",
        "attribute_exists(pk)",
    ),
    guard(
        "withdrawn keys stay out",
        rotations::WITHDRAWAL_AND_FINISH,
        "JWKS",
        "attribute_not_exists(#VERSION) OR #VERSION = :new OR #VERSION = :over",
        "attribute_not_exists(#VERSION) OR #VERSION = :new OR #VERSION = :over OR attribute_exists(pk)",
    ),
];

#[tokio::test(start_paused = true)]
async fn without_its_guard_each_invariant_breaks() {
    for Guard { invariant, weakness, scenario } in &GUARDS {
        let search = explore(scenario, Some(weakness)).await;
        let told = search.broken.as_ref().map(|broken| broken.report()).unwrap_or_default();
        println!("{}: {} without `{}`, after {} runs:{told}", scenario.name, invariant, weakness.find, search.runs);
        // An invalid call is always refused, so it would break something in any order.
        assert!(
            !told.contains("ValidationException"),
            "{}: `{}` is not a valid expression",
            scenario.name,
            weakness.put
        );
        assert!(search.weakened > 0, "{}: nothing has `{}`", scenario.name, weakness.find);
        let broken = search.broken.expect("no order breaks without it").broken;
        assert!(broken.iter().any(|broken| broken.invariant == *invariant), "{broken:?}");
    }
}

#[test]
fn each_invariant_has_a_guard() {
    for invariant in INVARIANTS {
        assert!(GUARDS.iter().any(|guard| guard.invariant == invariant), "{invariant}");
    }
}

/// `ARCHITECTURE.md` lists each invariant with all of its conditions and scenarios. It omits the signs of placeholders.
#[test]
fn the_invariants_are_written_down() {
    let page = std::fs::read_to_string(local_aws::template::find_root().unwrap().join("ARCHITECTURE.md")).unwrap();
    let row = |invariant: &str| page.lines().find(|line| line.starts_with(&format!("| {invariant} |")));
    for Guard { invariant, weakness, scenario } in &GUARDS {
        let row = row(invariant).unwrap_or_else(|| panic!("{invariant} is not there"));
        let condition = weakness.find.replace(['#', ':'], "");
        assert!(row.contains(&format!("`{condition}`")), "{invariant} is guarded by `{condition}`");
        assert!(row.contains(scenario.name), "{invariant} shows in {}", scenario.name);
    }
    let table = page.lines().skip_while(|line| !line.starts_with("| invariant |")).skip(2);
    assert_eq!(table.take_while(|line| line.starts_with('|')).count(), INVARIANTS.len());
}
