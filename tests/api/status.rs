//! The function `status`: a waiting person learns what became of the message, and nobody learns anything else.

use local_aws::MailEvent;
use serde_json::{Value, json};
use tests::client::{REQUEST, STATUS};
use tests::{Answer, Asked, Deployment};

const ADA: &str = "ada@example.com";
const PHONE: &str = "+447400123456";

async fn deployment() -> Deployment {
    Deployment::with(&[("OTP_REQUESTS_PER_IP", "1000000")]).await
}

async fn tell(auth: &Deployment, to: &str, what: MailEvent) {
    let sending = auth.sendings(to).pop().unwrap();
    auth.tell(&sending.event(what, auth.stack.clock().now())).await;
}

async fn state(auth: &Deployment, to: &str, challenge: &str) -> Value {
    auth.client().status(to, challenge).await.ok()["state"].clone()
}

#[tokio::test]
async fn a_waiting_person_is_told_what_became_of_the_message() {
    let auth = deployment().await;
    let asked = auth.client().ask(ADA).await;
    let told =
        |answer: &Value| ["state", "channel", "expires_in", "retry_after", "can"].map(|name| answer[name].clone());
    let status = async || told(&auth.client().status(ADA, &asked.challenge).await.ok());
    let expected =
        |state: &str, left: u64, wait: u64| [json!(state), json!("email"), json!(left), json!(wait), json!(["resend"])];
    assert_eq!(status().await, expected("sent", 360, 30));
    auth.wait(10);
    tell(&auth, ADA, MailEvent::Delay).await;
    assert_eq!(status().await, expected("delayed", 350, 20));
    auth.wait(30);
    tell(&auth, ADA, MailEvent::Delivery).await;
    assert_eq!(status().await, expected("delivered", 320, 0));
    auth.wait(319);
    assert_eq!(status().await, expected("delivered", 1, 0));
    auth.wait(1);
    assert_eq!(status().await, [json!("over"), json!("email"), json!(0), json!(0), json!([])]);
}

/// S226: unknown, used, ended and foreign challenges get one answer, with the same calls.
#[tokio::test]
async fn a_challenge_that_is_over_looks_like_one_that_never_was() {
    let auth = deployment().await;
    let client = auth.client();
    let ended = client.ask(ADA).await.challenge;
    auth.wait(360);
    let used = client.ask(ADA).await;
    client.answer(ADA, &used).await.tokens();
    let foreign = client.ask("bob@example.com").await.challenge;
    // An instance reads the index key once.
    client.status(ADA, &ended).await.ok();
    let mut seen = Vec::new();
    for (to, challenge) in [
        (ADA, json!(ended)),
        (ADA, json!(used.challenge)),
        (ADA, json!(foreign)),
        (ADA, json!("A".repeat(72))),
        (ADA, json!("")),
        (ADA, Value::Null),
        ("nobody@example.com", json!("A".repeat(72))),
        ("nobody@example.com", json!(used.challenge)),
    ] {
        auth.stack.services().calls().take();
        let answer = client.post(STATUS, json!({ "identifier": to, "challenge_id": challenge })).await;
        let mut calls: Vec<_> = auth.stack.services().calls().take().into_iter().map(|call| call.operation).collect();
        calls.sort();
        assert_eq!(calls, ["GetItem", "UpdateItem"], "{to} {challenge}");
        seen.push((answer.status, answer.body.to_string()));
    }
    seen.dedup();
    assert_eq!(seen.len(), 1, "{seen:?}");
}

/// S226: the use of a shared code is told to nobody, and its states are told as long after each challenge's own start as they came
/// after the send.
#[tokio::test]
async fn the_use_of_a_shared_code_is_told_to_nobody() {
    let auth = deployment().await;
    for number in 0..5 {
        auth.client_at(&format!("198.51.100.{number}")).ask(ADA).await;
    }
    let first = auth.client_at("198.51.100.5").ask(ADA).await;
    assert_eq!(first.code.len(), 13);
    auth.wait(20);
    tell(&auth, ADA, MailEvent::Delivery).await;
    assert_eq!(state(&auth, ADA, &first.challenge).await, "delivered");
    let late = auth.client().post(REQUEST, json!({ "identifier": ADA })).await.ok();
    let late = late["challenge_id"].as_str().unwrap();
    assert_eq!(auth.messages_to(ADA), 5);
    for _ in 0..2 {
        assert_eq!(state(&auth, ADA, late).await, "sent");
        auth.wait(10);
    }
    let before = auth.client().status(ADA, late).await.ok();
    assert_eq!(before["state"], "delivered");
    auth.client_at("198.51.100.5").answer(ADA, &first).await.tokens();
    for challenge in [late, &first.challenge] {
        assert_eq!(state(&auth, ADA, challenge).await, "delivered");
    }
    assert_eq!(auth.client().status(ADA, late).await.ok(), before);
    // Receipts go on, also after the use.
    tell(&auth, ADA, MailEvent::PermanentBounce).await;
    assert_eq!(state(&auth, ADA, late).await, "delivered");
    auth.wait(20);
    assert_eq!(state(&auth, ADA, late).await, "failed");
    // A used code works once, and is shared with nobody.
    auth.client_at("198.51.100.5").answer(ADA, &first).await.refused(400, "invalid_otp");
    let next = Asked { challenge: late.to_owned(), ..first };
    auth.client().answer(ADA, &next).await.refused(400, "invalid_otp");
    auth.wait(319);
    assert_eq!(state(&auth, ADA, late).await, "failed");
    auth.wait(1);
    assert_eq!(state(&auth, ADA, late).await, "over");
}

/// Entries of used long codes go with the next message after their end.
#[tokio::test]
async fn a_used_long_code_leaves_nothing_behind() {
    let auth = deployment().await;
    for number in 0..5 {
        auth.client_at(&format!("198.51.100.{number}")).ask(ADA).await;
    }
    let long = || auth.identifier(ADA).unwrap()["lg"]["M"].as_object().unwrap().len();
    let asked = auth.client_at("198.51.100.5").ask(ADA).await;
    auth.client_at("198.51.100.5").answer(ADA, &asked).await.tokens();
    assert_eq!(long(), 1);
    auth.wait(600);
    auth.client().ask(ADA).await;
    assert_eq!(long(), 0);
}

/// S227: a network may ask 30 times a minute. Others are not affected.
#[tokio::test]
async fn a_network_may_ask_thirty_times_a_minute() {
    let auth = deployment().await;
    let challenge = auth.client().ask(ADA).await.challenge;
    for _ in 0..30 {
        auth.client().status(ADA, &challenge).await.ok();
    }
    let refused = auth.client().status(ADA, &challenge).await;
    refused.refused(429, "rate_limited");
    assert_eq!(refused.retry_after(), 60);
    auth.client_at("198.51.100.1").status(ADA, &challenge).await.ok();
    auth.wait(60);
    auth.client().status(ADA, &challenge).await.ok();
}

#[tokio::test]
async fn a_browser_asks_with_its_cookie() {
    let auth = deployment().await;
    let mut browser = auth.client().browser("http://localhost:3000");
    browser.ask(ADA).await;
    auth.stack.deliver().await;
    assert_eq!(browser.post(STATUS, json!({ "identifier": ADA })).await.ok()["state"], "delivered");
    assert_eq!(browser.names(), ["__Host-challenge"]);
    browser.page = vec![("origin", "https://evil.example".to_owned())];
    browser.post(STATUS, json!({ "identifier": ADA })).await.refused(403, "forbidden");
}

/// A resend begins anew, also for the id of the first answer, and a text has no receipts yet.
#[tokio::test]
async fn a_resend_and_a_text_are_sent_at_first() {
    let auth = deployment().await;
    let first = auth.client().ask(ADA).await.challenge;
    tell(&auth, ADA, MailEvent::Delivery).await;
    auth.wait(30);
    let again = auth.client().post(REQUEST, json!({ "identifier": ADA, "challenge_id": first })).await.ok();
    for challenge in [&first, again["challenge_id"].as_str().unwrap()] {
        assert_eq!(state(&auth, ADA, challenge).await, "sent");
    }
    let texted: Answer = auth.client().post(REQUEST, json!({ "identifier": PHONE })).await;
    let told = auth.client().status(PHONE, texted.ok()["challenge_id"].as_str().unwrap()).await.ok();
    assert_eq!((&told["state"], &told["channel"], &told["expires_in"]), (&json!("sent"), &json!("sms"), &json!(300)));
}
