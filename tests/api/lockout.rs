//! Lockout: delays grow with failures, codes become long at the cap, and the owner can always sign in.

use serde_json::json;
use tests::client::REQUEST;
use tests::deployment::{START, wrong};
use tests::{Asked, Deployment};

const ADA: &str = "ada@example.com";

/// High limits, so that only the lockout applies.
async fn deployment() -> Deployment {
    Deployment::with(&[
        ("OTP_REQUESTS_PER_HOUR", "1000000"),
        ("OTP_REQUESTS_PER_HOUR_PER_IP", "1000000"),
        ("OTP_REQUESTS_PER_IP", "1000000"),
        ("OTP_FAILURES_PER_IP", "1000000"),
    ])
    .await
}

/// A stranger requests codes and answers wrongly until the identifier has `failures`, waiting as required.
async fn fail_until(auth: &Deployment, failures: u32) {
    let stranger = auth.client_at("203.0.113.66");
    for _ in 0..1_000 {
        if auth.failures(ADA) >= failures {
            return;
        }
        let answer = stranger.post(REQUEST, json!({ "identifier": ADA })).await;
        if answer.code() != "ok" {
            auth.wait(answer.retry_after());
            continue;
        }
        let challenge = answer.body["challenge_id"].as_str().unwrap().to_owned();
        let guess = Asked { challenge, code: wrong(&auth.newest_code(ADA)) };
        let mut before = None;
        while auth.failures(ADA) < failures && before != Some(auth.failures(ADA)) {
            before = Some(auth.failures(ADA));
            stranger.answer(ADA, &guess).await.refused(400, "invalid_otp");
        }
    }
    panic!("{} failures after a thousand attempts", auth.failures(ADA));
}

/// S07: no delay at nine failures. From ten on, new challenges and unbound attempts wait 30 s after the last failure.
#[tokio::test]
async fn ten_failures_in_a_row_make_strangers_wait() {
    let auth = deployment().await;
    fail_until(&auth, 9).await;
    let asked = auth.client().ask(ADA).await;
    auth.client().answer_unbound(ADA, &wrong(&asked.code)).await.refused(400, "invalid_otp");
    assert_eq!(auth.failures(ADA), 10);

    let request = auth.client().post(REQUEST, json!({ "identifier": ADA })).await;
    request.refused(429, "too_many_attempts");
    assert_eq!(request.retry_after(), 30);
    let unbound = auth.client().answer_unbound(ADA, &asked.code).await;
    unbound.refused(429, "too_many_attempts");
    assert_eq!(unbound.retry_after(), 30);

    auth.wait(29);
    auth.client().answer_unbound(ADA, &asked.code).await.refused(429, "too_many_attempts");
    auth.wait(1);
    auth.client().answer_unbound(ADA, &asked.code).await.ok();
}

/// The delay continues after the hourly counts have expired and no challenge is pending.
#[tokio::test]
async fn a_wait_outlasts_the_hour_of_the_counts() {
    let auth = deployment().await;
    fail_until(&auth, 70).await;
    auth.wait(3_600);
    auth.client().ask(ADA).await;
    auth.wait(3_000);
    let asked = auth.client().ask(ADA).await;
    auth.wait(590);
    auth.client().answer(ADA, &Asked { code: wrong(&asked.code), ..asked }).await.refused(400, "invalid_otp");
    auth.wait(1_919);
    let refused = auth.client().post(REQUEST, json!({ "identifier": ADA })).await;
    refused.refused(429, "too_many_attempts");
    assert_eq!(refused.retry_after(), 1);
    auth.wait(1);
    auth.client().ask(ADA).await;
}

#[tokio::test]
async fn a_bound_answer_never_waits_and_a_success_resets_the_failures() {
    let auth = deployment().await;
    fail_until(&auth, 9).await;
    let owner = auth.client().ask(ADA).await;
    auth.client_at("203.0.113.66").answer_unbound(ADA, &wrong(&owner.code)).await.refused(400, "invalid_otp");
    auth.client().post(REQUEST, json!({ "identifier": ADA })).await.refused(429, "too_many_attempts");

    auth.client().answer(ADA, &owner).await.ok();
    assert_eq!(auth.failures(ADA), 0);
    auth.client().ask(ADA).await;
}

/// S05.
#[tokio::test]
async fn a_new_code_does_not_reset_the_failures() {
    let auth = deployment().await;
    fail_until(&auth, 5).await;
    auth.client().ask(ADA).await;
    auth.wait(7_200);
    auth.client().ask(ADA).await;
    assert_eq!(auth.failures(ADA), 5);
}

/// S05: failures are kept so long that they outlast even a slow attack.
#[tokio::test]
async fn failures_are_kept_for_a_year() {
    let auth = deployment().await;
    let asked = auth.client().ask(ADA).await;
    auth.wait(60);
    auth.client().answer(ADA, &Asked { code: wrong(&asked.code), ..asked.clone() }).await.refused(400, "invalid_otp");
    let guard = auth.items_of("OTP_TABLE", "I#").pop().unwrap();
    let ttl: u64 = guard["ttl"]["N"].as_str().unwrap().parse().unwrap();
    assert_eq!(ttl, START + 60 + 365 * 86_400);
}

/// S06: the failures of other identifiers stay.
#[tokio::test]
async fn a_success_resets_only_its_own_failures() {
    let auth = deployment().await;
    fail_until(&auth, 5).await;
    auth.client_at("203.0.113.66").sign_in("mallory@example.com").await;
    assert_eq!(auth.failures(ADA), 5);
}

/// S04: close to 100 failures, codes are too long to guess. They have one bound attempt, without a delay.
#[tokio::test]
async fn at_the_cap_codes_are_long_and_nobody_is_locked_out() {
    let auth = deployment().await;
    fail_until(&auth, 76).await;
    let asked = auth.client().ask(ADA).await;
    assert_eq!(asked.code.len(), 13);
    let guess = Asked { code: "AAAAAAAAAAAAA".to_owned(), ..asked.clone() };
    auth.client().answer(ADA, &guess).await.refused(400, "invalid_otp");
    auth.client().answer(ADA, &asked).await.refused(400, "invalid_otp");

    let asked = auth.client().ask(ADA).await;
    auth.client().answer(ADA, &Asked { code: asked.code.to_lowercase(), ..asked }).await.ok();
    assert_eq!(auth.client().ask(ADA).await.code.len(), 6);
}

/// An unbound answer still waits at the cap, and has the usual number of attempts at a long code. So a client without
/// `challenge_id` can sign in once the attack has paused for the delay, and an attacker gains nothing.
#[tokio::test]
async fn at_the_cap_an_unbound_answer_waits_and_gets_in() {
    let auth = deployment().await;
    fail_until(&auth, 76).await;
    let asked = auth.client().ask(ADA).await;
    let wait = auth.client().answer_unbound(ADA, &asked.code).await;
    wait.refused(429, "too_many_attempts");
    assert!((600..=3_600).contains(&wait.retry_after()), "{}", wait.retry_after());
    auth.wait(wait.retry_after());

    let asked = auth.client().ask(ADA).await;
    assert_eq!(asked.code.len(), 13);
    auth.client().answer_unbound(ADA, &wrong(&asked.code)).await.refused(400, "invalid_otp");
    assert_eq!(auth.failures(ADA), 77, "an unbound attempt is counted");
    auth.wait(1_920);
    // As an older frontend does.
    auth.client().post("/accounts/otp/request/", json!({ "identifier": ADA })).await.ok();
    let answer = json!({ "identifier": ADA, "otp": auth.newest_code(ADA) });
    auth.client().post("/accounts/otp/verify/", answer).await.ok();
    assert_eq!((auth.failures(ADA), auth.client().ask(ADA).await.code.len()), (0, 6));
}

/// True if the newest log line about this action says that a long code was sent.
fn long_as_told(auth: &Deployment, did: &str) -> bool {
    let lines = auth.stack.logs();
    let line = lines.iter().rev().find(|line| line.contains(&format!("\"did\":\"{did}\""))).unwrap();
    line.contains("\"long\":true")
}

/// A code resent at the cap is long too, even if the first one was short. The log records it.
#[tokio::test]
async fn at_the_cap_a_resend_is_long() {
    let auth = deployment().await;
    fail_until(&auth, 75).await;
    auth.wait(3_600);
    let owner = auth.client().ask(ADA).await;
    assert_eq!(owner.code.len(), 6);
    assert!(!long_as_told(&auth, "begun"));
    auth.client_at("203.0.113.66").answer_unbound(ADA, &wrong(&owner.code)).await.refused(400, "invalid_otp");
    auth.wait(30);
    let again = json!({ "identifier": ADA, "challenge_id": owner.challenge });
    assert_eq!(auth.client().post(REQUEST, again).await.ok()["challenge_id"], json!(owner.challenge));
    let long = Asked { code: auth.newest_code(ADA), ..owner.clone() };
    assert_eq!(long.code.len(), 13);
    assert!(long_as_told(&auth, "sent_again"));
    auth.client().ask(ADA).await;
    assert!(long_as_told(&auth, "begun"));
    auth.client().answer(ADA, &owner).await.refused(400, "invalid_otp");
    auth.client().answer(ADA, &long).await.refused(400, "invalid_otp");
}

/// S04: even if every attempt at every pending short code fails, the count stays below a hundred.
#[tokio::test]
async fn short_codes_never_fail_a_hundred_times_in_a_row() {
    let auth = deployment().await;
    fail_until(&auth, 75).await;
    auth.wait(3_600);
    let mut living = Vec::new();
    for _ in 0..5 {
        living.push(auth.client().ask(ADA).await);
    }
    assert!(living.iter().all(|asked| asked.code.len() == 6));
    for _ in 0..4 {
        auth.client().answer_unbound(ADA, &wrong(&living[0].code)).await;
        for asked in &living {
            auth.client()
                .answer(ADA, &Asked { code: wrong(&asked.code), ..asked.clone() })
                .await
                .refused(400, "invalid_otp");
        }
    }
    assert!((76..100).contains(&auth.failures(ADA)), "{}", auth.failures(ADA));
    assert!(auth.client().post(REQUEST, json!({ "identifier": ADA })).await.code() == "rate_limited");
    auth.wait(600);
    assert_eq!(auth.client().ask(ADA).await.code.len(), 13);
}

/// V38: a stranger who knows the address can neither end, nor use up, nor block the owner's code, even at the cap.
#[tokio::test]
async fn a_stranger_leaves_the_owners_code_alone() {
    for failures in [0, 9, 75, 90] {
        let auth = deployment().await;
        fail_until(&auth, failures).await;
        auth.wait(3_600);
        let owner = auth.client().ask(ADA).await;
        let stranger = auth.client_at("203.0.113.66");
        for _ in 0..8 {
            stranger.post(REQUEST, json!({ "identifier": ADA })).await;
            let guessed = Asked { challenge: "AAAAAAAAAAAAAAAAAAAAAA".to_owned(), code: wrong(&owner.code) };
            stranger.answer(ADA, &guessed).await;
            stranger.answer_unbound(ADA, &wrong(&owner.code)).await;
            stranger.post(REQUEST, json!({ "identifier": ADA, "challenge_id": guessed.challenge })).await;
        }
        auth.client().answer(ADA, &owner).await.ok();
    }
}
