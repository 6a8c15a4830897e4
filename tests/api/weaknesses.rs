//! Promises that do not hold yet, each with the shortest sequence that shows it. `oracle.rs` has two more. Each runs with
//! `--ignored`, and loses its mark with the fix.

use serde_json::json;
use tests::Deployment;
use tests::client::REQUEST;
use tests::deployment::wrong;

const ADA: &str = "ada@example.com";

/// V50: the code that a request shares is in the newest message. Otherwise the owner types the code of a message that came later.
#[tokio::test]
#[ignore = "fails: with a token left, a request shares a long code although a newer message has digits"]
async fn a_request_that_shares_a_code_finds_it_in_the_newest_message() {
    let auth = Deployment::start().await;
    // The third request of a network gets a long code, and the bucket keeps two tokens for the next one.
    for network in ["203.0.113.1", "203.0.113.1", "203.0.113.1", "203.0.113.2"] {
        auth.client_at(network).post(REQUEST, json!({ "identifier": ADA })).await.ok();
    }
    let asked = auth.client().ask(ADA).await;
    assert_eq!(auth.messages_to(ADA), 4, "the owner's request shares a code");
    auth.client().answer(ADA, &asked).await.ok();
}

/// S141: at most 20 comparisons with six digits a day. Attempts that were charged before midnight are still spent after it.
#[tokio::test]
#[ignore = "fails: 24 comparisons on one date, because codes of the day before are still under way"]
async fn at_most_twenty_comparisons_with_six_digits_are_made_on_one_date() {
    let auth = Deployment::start().await;
    let attackers: Vec<_> = (0..4).map(|number| auth.client_at(&format!("203.0.113.{number}"))).collect();
    auth.wait(86_400 - 120);
    let mut before_midnight = Vec::new();
    for attacker in &attackers {
        before_midnight.push(attacker.ask(ADA).await);
    }
    auth.wait(120);
    let mut compared = 0;
    for (number, asked) in before_midnight.iter().enumerate() {
        compared += guesses(&auth, number, asked).await;
    }
    for (number, attacker) in attackers.iter().enumerate() {
        // Two tokens again, so the code has digits.
        auth.wait(240);
        let asked = attacker.ask(ADA).await;
        compared += guesses(&auth, number, &asked).await;
    }
    assert!(compared <= 20, "{compared} comparisons");
}

/// Three wrong answers. Counts those that spend an attempt at six digits.
async fn guesses(auth: &Deployment, number: usize, asked: &tests::Asked) -> usize {
    let guess = tests::Asked { code: wrong(&asked.code), ..asked.clone() };
    for _ in 0..3 {
        let answer = auth.client_at(&format!("203.0.113.{number}")).answer(ADA, &guess).await;
        answer.refused(400, "invalid_otp");
    }
    if asked.code.len() == 6 { 3 } else { 0 }
}
