//! Each scenario, in its orders.

use tests::orders::{Scenario, Search, explore, sample};

use crate::scenarios::{codes, rotations, sessions};

/// So many orders of each scenario run every time.
const DRAWN: usize = 500;

fn holds(scenario: &Scenario, search: &Search) {
    if let Some(broken) = &search.broken {
        panic!("{}: {}", scenario.name, broken.tell());
    }
}

async fn some(scenario: Scenario) {
    if scenario.orders <= DRAWN {
        return every(scenario).await;
    }
    #[expect(clippy::disallowed_methods, reason = "whoever runs a test by hand may choose what is drawn")]
    let seed = std::env::var("ORDERS_SEED").ok().map_or(1, |seed| seed.parse().unwrap());
    println!("{}: {DRAWN} of {} orders, ORDERS_SEED={seed}", scenario.name, scenario.orders);
    holds(&scenario, &sample(&scenario, DRAWN, 10 * DRAWN, seed).await);
}

async fn every(scenario: Scenario) {
    let search = explore(&scenario, None).await;
    println!("{}: {} orders in {} runs", scenario.name, search.orders.len(), search.runs);
    holds(&scenario, &search);
    assert_eq!(search.orders.len(), scenario.orders, "{}", scenario.name);
}

/// The search leaves nothing out: whatever is drawn, it has found.
#[tokio::test(start_paused = true)]
async fn what_is_drawn_is_found() {
    for scenario in [codes::ANSWER_AND_STRANGER, codes::ANSWER_AND_RESEND] {
        let all = explore(&scenario, None).await;
        let drawn = sample(&scenario, usize::MAX, 150, 1).await;
        assert!(drawn.orders.is_subset(&all.orders) && drawn.orders.len() * 2 > all.orders.len(), "{}", scenario.name);
    }
}

#[tokio::test(start_paused = true)]
async fn two_answers() {
    some(codes::TWO_ANSWERS).await;
}

#[tokio::test(start_paused = true)]
async fn two_first_answers() {
    some(codes::TWO_FIRST_ANSWERS).await;
}

#[tokio::test(start_paused = true)]
async fn answer_and_resend() {
    some(codes::ANSWER_AND_RESEND).await;
}

#[tokio::test(start_paused = true)]
async fn bound_and_unbound() {
    some(codes::BOUND_AND_UNBOUND).await;
}

#[tokio::test(start_paused = true)]
async fn last_bound_try() {
    some(codes::LAST_BOUND_TRY).await;
}

#[tokio::test(start_paused = true)]
async fn last_unbound_try() {
    some(codes::LAST_UNBOUND_TRY).await;
}

#[tokio::test(start_paused = true)]
async fn answer_and_stranger() {
    some(codes::ANSWER_AND_STRANGER).await;
}

#[tokio::test(start_paused = true)]
async fn ask_later() {
    some(codes::ASK_LATER).await;
}

#[tokio::test(start_paused = true)]
async fn two_sign_ups() {
    some(codes::TWO_SIGN_UPS).await;
}

#[tokio::test(start_paused = true)]
async fn refreshes() {
    some(sessions::REFRESHES).await;
}

#[tokio::test(start_paused = true)]
async fn refresh_and_logout() {
    some(sessions::REFRESH_AND_LOGOUT).await;
}

#[tokio::test(start_paused = true)]
async fn refresh_and_everywhere() {
    some(sessions::REFRESH_AND_EVERYWHERE).await;
}

#[tokio::test(start_paused = true)]
async fn end_others() {
    some(sessions::END_OTHERS).await;
}

#[tokio::test(start_paused = true)]
async fn session_limit() {
    some(sessions::SESSION_LIMIT).await;
}

#[tokio::test(start_paused = true)]
async fn last_place() {
    some(sessions::LAST_PLACE).await;
}

#[tokio::test(start_paused = true)]
async fn lockout() {
    some(codes::LOCKOUT).await;
}

#[tokio::test(start_paused = true)]
async fn last_sms() {
    some(codes::LAST_SMS).await;
}

#[tokio::test(start_paused = true)]
async fn rotation_and_answer() {
    some(rotations::ROTATION_AND_ANSWER).await;
}

#[tokio::test(start_paused = true)]
async fn rotation_and_refresh() {
    some(rotations::ROTATION_AND_REFRESH).await;
}

#[tokio::test(start_paused = true)]
async fn rotation_and_logout() {
    some(rotations::ROTATION_AND_LOGOUT).await;
}

#[tokio::test(start_paused = true)]
async fn rotation_and_end() {
    some(rotations::ROTATION_AND_END).await;
}

#[tokio::test(start_paused = true)]
async fn rotation_and_request() {
    some(rotations::ROTATION_AND_REQUEST).await;
}

/// All orders of those scenarios that have too many for every time.
#[tokio::test(start_paused = true)]
#[ignore = "takes long: by name"]
async fn all_of_last_place() {
    every(sessions::LAST_PLACE).await;
}

#[tokio::test(start_paused = true)]
#[ignore = "takes long: by name"]
async fn all_of_two_sign_ups() {
    every(codes::TWO_SIGN_UPS).await;
}
