//! Each scenario in its orders, and in random orders with a fault.

use std::io::Write;

use shared::words::Entropy;
use tests::orders::{FaultPlan, Scenario, Search, World, explore, play, sample};

use crate::scenarios::{codes, factors, rotations, sessions};

/// The number of orders per scenario in each test run, or all if there are fewer.
const DRAWN: usize = 500;
/// The number of random orders with a fault.
const FAULTS_PER_SCENARIO: usize = 50;

/// A new seed for each run. It goes to standard error past the test harness, which captures printed output, so that CI's log
/// contains it.
fn seed(name: &str, what: &str) -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a developer may choose the seed of a test run")]
    let set = std::env::var("ORDERS_SEED").ok().map(|seed| seed.parse().unwrap());
    let seed = set.unwrap_or_else(|| u32::from_be_bytes(Entropy.bytes().unwrap()).into());
    let line = format!("{name}: {what}, ORDERS_SEED={seed}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
    seed
}

fn holds(scenario: &Scenario, search: &Search) {
    if let Some(broken) = &search.broken {
        panic!("{}: {}", scenario.name, broken.report());
    }
}

async fn some(scenario: Scenario) {
    if scenario.orders <= DRAWN {
        return every(scenario).await;
    }
    let seed = seed(scenario.name, &format!("{DRAWN} of {} orders", scenario.orders));
    let search = sample(&scenario, DRAWN, 10 * DRAWN, seed).await;
    holds(&scenario, &search);
    assert_eq!(search.orders.len(), DRAWN, "{}", scenario.name);
}

async fn every(scenario: Scenario) {
    let search = explore(&scenario, None).await;
    println!("{}: {} orders in {} runs", scenario.name, search.orders.len(), search.runs);
    holds(&scenario, &search);
    assert_eq!(search.orders.len(), scenario.orders, "{}", scenario.name);
}

/// A fault in one actor's call must not affect the others. Afterwards everything works again.
async fn with_faults(scenario: Scenario) {
    let seed = seed(scenario.name, &format!("{FAULTS_PER_SCENARIO} faults"));
    let world = World::start(scenario.settings, 3).await;
    for number in 0..FAULTS_PER_SCENARIO as u64 {
        let mut faults = FaultPlan::drawn(seed.wrapping_add(number));
        let played = play(&world, &scenario, &mut faults).await.expect("the director never stops early");
        assert!(played.broken.is_empty(), "{}: {:?}{}", scenario.name, faults.met, played.report());
        if played.scene.messages_left.is_none() {
            world.auth.wait(3_601);
            let tokens = world.sign_in_after(&played.scene).await;
            world.client(252).refresh(&tokens.refresh).await.ok();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_during_an_erasure() {
    some(codes::ERASED_MEANWHILE).await;
}

macro_rules! scenarios {
    ($($test:ident: $scenario:expr;)*) => {
        mod in_every_order {
            use super::*;
            $(#[tokio::test(start_paused = true)]
            async fn $test() {
                some($scenario).await;
            })*
        }

        mod with_a_fault {
            use super::*;
            $(#[tokio::test(start_paused = true)]
            async fn $test() {
                with_faults($scenario).await;
            })*
        }
    };
}

scenarios! {
    two_answers: codes::TWO_ANSWERS;
    two_first_answers: codes::TWO_FIRST_ANSWERS;
    two_same_answers: codes::TWO_SAME_ANSWERS;
    answer_and_resend: codes::ANSWER_AND_RESEND;
    bound_and_unbound: codes::BOUND_AND_UNBOUND;
    last_bound_try: codes::LAST_BOUND_TRY;
    last_unbound_try: codes::LAST_UNBOUND_TRY;
    answer_and_stranger: codes::ANSWER_AND_STRANGER;
    ask_later: codes::ASK_LATER;
    two_sign_ups: codes::TWO_SIGN_UPS;
    two_after_deletion: codes::TWO_AFTER_DELETION;
    last_try_of_a_network: codes::LAST_TRY_OF_A_NETWORK;
    shared_code: codes::SHARED_CODE;
    last_token: codes::LAST_TOKEN;
    last_tagged: codes::LAST_TAGGED;
    shared_and_used: codes::SHARED_AND_USED;
    first_requests: codes::FIRST_REQUESTS;
    last_short_code: codes::LAST_SHORT_CODE;
    last_sms: codes::LAST_SMS;
    last_cent: codes::LAST_CENT;
    two_lanes: codes::TWO_LANES;
    refreshes: sessions::REFRESHES;
    reuse: sessions::REUSE;
    retries: sessions::RETRIES;
    thief: sessions::THIEF;
    refresh_and_logout: sessions::REFRESH_AND_LOGOUT;
    refresh_and_everywhere: sessions::REFRESH_AND_EVERYWHERE;
    end_others: sessions::END_OTHERS;
    end_each_other: sessions::END_EACH_OTHER;
    session_limit: sessions::SESSION_LIMIT;
    last_place: sessions::LAST_PLACE;
    one_app_code: factors::ONE_APP_CODE;
    one_app_code_thrice: factors::ONE_APP_CODE_THRICE;
    one_backup_code: factors::ONE_BACKUP_CODE;
    one_backup_code_thrice: factors::ONE_BACKUP_CODE_THRICE;
    one_pending: factors::ONE_PENDING;
    factor_and_everywhere: factors::FACTOR_AND_EVERYWHERE;
    sign_in_and_confirmation: factors::SIGN_IN_AND_CONFIRMATION;
    step_up_and_logout: factors::STEP_UP_AND_LOGOUT;
    two_confirmations: factors::TWO_CONFIRMATIONS;
    factor_and_removal: factors::FACTOR_AND_REMOVAL;
    rotation_and_request: rotations::ROTATION_AND_REQUEST;
    rotation_and_resend: rotations::ROTATION_AND_RESEND;
    rotation_and_sms: rotations::ROTATION_AND_SMS;
    rotation_and_answer: rotations::ROTATION_AND_ANSWER;
    rotation_and_unbound: rotations::ROTATION_AND_UNBOUND;
    rotation_and_first_answer: rotations::ROTATION_AND_FIRST_ANSWER;
    rotation_at_the_limit: rotations::ROTATION_AT_THE_LIMIT;
    rotation_and_refresh: rotations::ROTATION_AND_REFRESH;
    rotation_and_logout: rotations::ROTATION_AND_LOGOUT;
    rotation_and_everywhere: rotations::ROTATION_AND_EVERYWHERE;
    rotation_and_end: rotations::ROTATION_AND_END;
    create_twice: rotations::CREATE_TWICE;
    set_twice: rotations::SET_TWICE;
    finish_twice: rotations::FINISH_TWICE;
    withdrawal_and_create: rotations::WITHDRAWAL_AND_CREATE;
    withdrawal_and_set: rotations::WITHDRAWAL_AND_SET;
    withdrawal_and_finish: rotations::WITHDRAWAL_AND_FINISH;
}

/// All orders of scenarios with too many orders for each test run.
mod all {
    use super::*;

    #[tokio::test(start_paused = true)]
    #[ignore = "slow: run it by name"]
    async fn last_place() {
        every(sessions::LAST_PLACE).await;
    }

    #[tokio::test(start_paused = true)]
    #[ignore = "slow: run it by name"]
    async fn two_sign_ups() {
        every(codes::TWO_SIGN_UPS).await;
    }
}

/// The search is complete: it has found every random order.
#[tokio::test(start_paused = true)]
async fn the_search_finds_every_random_order() {
    for scenario in [codes::ANSWER_AND_STRANGER, codes::ANSWER_AND_RESEND] {
        let all = explore(&scenario, None).await;
        let drawn = sample(&scenario, usize::MAX, 150, 1).await;
        assert!(drawn.orders.is_subset(&all.orders) && drawn.orders.len() * 2 > all.orders.len(), "{}", scenario.name);
    }
}
