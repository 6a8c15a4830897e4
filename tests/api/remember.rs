//! `remember`: on a computer that others use too, a session ends when the browser is closed, or after twelve idle hours.

use serde_json::json;
use tests::authenticator::SECOND_FACTOR;
use tests::browser::{DEVICE_COOKIE, REFRESH_COOKIE, UNTIL_CLOSED};
use tests::client::VERIFY;
use tests::{Answer, Deployment};

const ADA: &str = "ada@example.com";
const PAGE: &str = "http://localhost:3000";
const HOUR: u64 = 3_600;
const DAY: u64 = 86_400;

async fn sign_in(auth: &Deployment, remember: bool) -> Answer {
    let asked = auth.client().ask(ADA).await;
    let body =
        json!({ "identifier": ADA, "otp_code": asked.code, "challenge_id": asked.challenge, "remember": remember });
    auth.client().post(VERIFY, body).await
}

/// Each use begins the twelve hours again. The deployment's setting is longer.
#[tokio::test]
async fn a_session_that_is_not_remembered_ends_after_twelve_idle_hours() {
    for rotation in ["on", "off"] {
        let auth = Deployment::with(&[("REFRESH_ROTATION", rotation), ("REFRESH_IDLE_DAYS", "7")]).await;
        let mut short = sign_in(&auth, false).await.tokens();
        let long = sign_in(&auth, true).await.tokens();
        for _ in 0..2 {
            auth.wait(12 * HOUR - 1);
            short = auth.client().refresh(&short.refresh).await.tokens();
        }
        auth.wait(12 * HOUR);
        auth.client().refresh(&short.refresh).await.refused(401, "invalid_token");
        auth.client().refresh(&long.refresh).await.ok();
    }
}

/// A refresh keeps what the user has chosen. A session without a choice is remembered.
#[tokio::test]
async fn a_browser_forgets_the_session_when_it_is_closed() {
    let auth = Deployment::with(&[("REFRESH_IDLE_DAYS", "7"), ("REFRESH_ABSOLUTE_DAYS", "90")]).await;
    for (choice, life) in [(json!(false), UNTIL_CLOSED), (json!(true), 7 * DAY), (json!(null), 7 * DAY)] {
        let mut browser = auth.client().browser(PAGE);
        let code = browser.ask(ADA).await;
        browser.post(VERIFY, json!({ "identifier": ADA, "otp_code": code, "remember": choice })).await.ok();
        assert_eq!(browser.cookies[REFRESH_COOKIE].1, life, "{choice}");
        assert_eq!(browser.cookies[DEVICE_COOKIE].1, 365 * DAY, "{choice}");
        for _ in 0..2 {
            auth.wait(60);
            browser.refresh().await.ok();
            assert_eq!(browser.cookies[REFRESH_COOKIE].1, life, "{choice}");
        }
    }
}

/// The user chooses in the first step. The session begins with the second one.
#[tokio::test]
async fn a_choice_survives_the_second_step() {
    let settings = [("SECOND_FACTOR", "optional"), ("REFRESH_IDLE_DAYS", "7"), ("REFRESH_ABSOLUTE_DAYS", "90")];
    let auth = Deployment::with(&settings).await;
    let ada = auth.client().enrol(ADA).await;
    for (remember, life) in [(false, UNTIL_CLOSED), (true, 7 * DAY)] {
        let mut browser = auth.client().browser(PAGE);
        let code = browser.ask(ADA).await;
        browser.post(VERIFY, json!({ "identifier": ADA, "otp_code": code, "remember": remember })).await.ok();
        browser.post(SECOND_FACTOR, json!({ "method": "totp", "code": ada.app.code(&auth) })).await.ok();
        assert_eq!(browser.cookies[REFRESH_COOKIE].1, life, "{remember}");
        auth.wait(60);
        browser.refresh().await.ok();
        assert_eq!(browser.cookies[REFRESH_COOKIE].1, life, "{remember}");
    }
    let due = sign_in(&auth, false).await.ok();
    let challenge = due["challenge_id"].as_str().unwrap();
    let tokens = auth.client().second_step(challenge, "totp", &ada.app.code(&auth)).await.tokens();
    auth.wait(12 * HOUR - 1);
    let tokens = auth.client().refresh(&tokens.refresh).await.tokens();
    auth.wait(12 * HOUR);
    auth.client().refresh(&tokens.refresh).await.refused(401, "invalid_token");
}

/// A lost answer that is sent again opens the same session, and its first choice counts.
#[tokio::test]
async fn a_repeated_answer_changes_no_choice() {
    let auth = Deployment::start().await;
    let asked = auth.client().ask(ADA).await;
    let body = |remember: bool| {
        let retry = "r".repeat(22);
        json!({ "identifier": ADA, "otp_code": asked.code, "challenge_id": asked.challenge, "retry": retry,
            "remember": remember })
    };
    auth.client().post(VERIFY, body(false)).await.ok();
    let again = auth.client().post(VERIFY, body(true)).await.tokens();
    auth.wait(12 * HOUR);
    auth.client().refresh(&again.refresh).await.refused(401, "invalid_token");
}

#[tokio::test]
async fn a_choice_is_true_or_false() {
    let auth = Deployment::start().await;
    let asked = auth.client().ask(ADA).await;
    for choice in [json!("false"), json!(0), json!([])] {
        let body = json!({ "identifier": ADA, "otp_code": asked.code, "remember": choice });
        auth.client().post(VERIFY, body).await.refused(400, "invalid_request");
    }
}
