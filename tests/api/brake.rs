//! The brake: while most of the stack's attempts are wrong, codes for strangers have eight digits (S173).

use serde_json::json;
use tests::client::REQUEST;
use tests::deployment::wrong;
use tests::{Asked, Deployment};

const ADA: &str = "ada@example.com";

/// The limits of networks are out of the way.
async fn deployment() -> Deployment {
    Deployment::with(&[("OTP_REQUESTS_PER_IP", "1000000"), ("OTP_FAILURES_PER_IP", "1000000")]).await
}

/// Attempts at codes of people whom the test is not about. Each of them gets three.
async fn attempts(auth: &Deployment, people: std::ops::Range<usize>, right: bool) {
    for number in people {
        let person = format!("person{number}@example.com");
        let client = auth.client_at(&format!("203.0.{}.{}", number / 250, number % 250));
        let mut asked = client.ask(&person).await;
        for _ in 0..3 {
            if right {
                client.answer(&person, &asked).await.ok();
                asked = client.ask(&person).await;
            } else {
                let guess = Asked { code: wrong(&asked.code), ..asked.clone() };
                client.answer(&person, &guess).await.refused(400, "invalid_otp");
            }
        }
    }
}

/// The digits of a stranger's code for somebody new.
async fn digits(auth: &Deployment, person: &str) -> usize {
    auth.client_at("198.51.100.7").ask(person).await.code.len()
}

/// The counts of the stack.
fn counts(auth: &Deployment) -> (String, String) {
    let item = auth.items_of("OTP_TABLE", "BRAKE").pop().unwrap();
    let number = |name: &str| item[name]["N"].as_str().unwrap().to_owned();
    (number("s"), number("x"))
}

/// S173: 200 wrong attempts in ten minutes turn the brake on, for strangers only. A quiet time turns it off.
#[tokio::test]
async fn most_answers_are_wrong_and_strangers_codes_have_eight_digits() {
    let auth = deployment().await;
    let asked = auth.client().ask(ADA).await;
    let device = auth.client().answer(ADA, &asked).await.ok()["device"].clone();
    attempts(&auth, 0..66, false).await;
    auth.wait(30);
    assert_eq!(digits(&auth, "before@example.com").await, 6);
    attempts(&auth, 66..72, false).await;
    assert_eq!(counts(&auth), ("208".to_owned(), "207".to_owned()));
    assert_eq!(digits(&auth, "soon@example.com").await, 6, "the instance has read it within the last 30 seconds");
    auth.wait(30);
    assert_eq!(digits(&auth, "now@example.com").await, 8);

    // Its attempts are charged like those of a code with six digits, so it makes no later code longer than that.
    let item = auth.identifier("now@example.com").unwrap();
    assert_eq!((&item["d6"]["N"], &item["d8"]["N"]), (&json!("3"), &json!("0")));
    // A known device is not braked, a stranger at the same identifier is.
    auth.client().post(REQUEST, json!({ "identifier": ADA, "device": device })).await.ok();
    assert_eq!(auth.newest_code(ADA).len(), 6);
    let stranger = auth.client_at("198.51.100.8").ask(ADA).await;
    assert_eq!(stranger.code.len(), 8);
    auth.client_at("198.51.100.8").answer(ADA, &stranger).await.ok();

    auth.wait(600);
    assert_eq!(digits(&auth, "later@example.com").await, 8, "the window before decides");
    auth.wait(600);
    assert_eq!(digits(&auth, "quiet@example.com").await, 6);
}

/// S173: right answers turn it off, in the window after they were most.
#[tokio::test]
async fn right_answers_turn_the_brake_off() {
    let auth = deployment().await;
    attempts(&auth, 0..71, false).await;
    auth.wait(600);
    attempts(&auth, 100..106, true).await;
    assert_eq!(counts(&auth), ("16".to_owned(), "5".to_owned()), "of the new window only");
    assert_eq!(digits(&auth, "still@example.com").await, 8);
    auth.wait(600);
    assert_eq!(digits(&auth, "over@example.com").await, 6);
}

/// Half of the answers are wrong: the brake stays off.
#[tokio::test]
async fn wrong_answers_beside_right_ones_do_not_turn_the_brake_on() {
    let auth = deployment().await;
    attempts(&auth, 0..36, false).await;
    attempts(&auth, 100..136, true).await;
    auth.wait(30);
    assert_eq!(digits(&auth, ADA).await, 6);
    assert_eq!(counts(&auth), ("208".to_owned(), "108".to_owned()));
}

/// S173: an instance writes once in 16 attempts, and reads once in 30 seconds. Answers with long codes and with ids that are not
/// ours are not counted.
#[tokio::test]
async fn the_brake_costs_a_sixteenth_of_a_write_and_a_read_in_half_a_minute() {
    let auth = deployment().await;
    auth.client().ask(ADA).await;
    auth.stack.services().calls().take();
    let mut brakes = (0, 0);
    for round in 0..11 {
        attempts(&auth, round..round + 1, false).await;
        let asked = Asked { challenge: "A".repeat(72), code: "000000".to_owned() };
        auth.client().answer(ADA, &asked).await.refused(400, "invalid_otp");
        for call in auth.stack.services().calls().take().iter().filter(|call| call.keys == ["BRAKE"]) {
            match call.operation.as_str() {
                "UpdateItem" => brakes.0 += 1,
                _ => brakes.1 += 1,
            }
        }
        auth.wait(10);
    }
    // The first write of a window finds that it is the first.
    assert_eq!(brakes, (2 + 1, 3));
    assert_eq!(counts(&auth), ("32".to_owned(), "32".to_owned()));
}

/// S173: a fault of the brake changes no answer.
#[tokio::test]
async fn a_fault_of_the_brake_changes_nothing() {
    let auth = deployment().await;
    let fault = |operation: &str| json!({ "service": "dynamodb", "operation": operation, "key": "BRAKE", "error": "AccessDeniedException", "times": 1_000 });
    auth.faults(json!({ "aws": [fault("GetItem"), fault("UpdateItem")] }));
    attempts(&auth, 0..6, false).await;
    auth.wait(30);
    for number in 0..4 {
        let person = format!("person{}@example.com", 100 + number);
        auth.client().sign_in(&person).await;
    }
    assert!(auth.items_of("OTP_TABLE", "BRAKE").is_empty());
}
