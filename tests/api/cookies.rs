//! Cookie delivery: secrets are hidden from scripts, and cookies work only for allowed pages.

use serde_json::{Value, json};
use tests::Deployment;
use tests::authenticator::SECOND_FACTOR;
use tests::browser::{CHALLENGE_COOKIE, DEVICE_COOKIE, REFRESH_COOKIE};
use tests::client::{LOGOUT, REFRESH, REQUEST, VERIFY};
use tests::deployment::wrong;

const ADA: &str = "ada@example.com";
const PAGE: &str = "http://localhost:3000";
const TRUSTED_COOKIE: &str = "__Host-trusted";
const DAY: u64 = 86_400;

fn keys(body: &Value) -> Vec<&str> {
    body.as_object().unwrap().keys().map(String::as_str).collect()
}

/// S60: the body contains only the access token, and the cookies expire together with their content.
#[tokio::test]
async fn a_browser_signs_in_and_its_page_sees_no_secret() {
    let auth = Deployment::start().await;
    let mut browser = auth.client().browser(PAGE);
    let asked = browser.post(REQUEST, json!({ "identifier": ADA, "token_delivery": "cookie" })).await.ok();
    assert_eq!(keys(&asked), ["channel", "expires_in", "message", "retry_after", "success"]);
    assert_eq!((browser.names(), browser.cookies[CHALLENGE_COOKIE].1), (vec![CHALLENGE_COOKIE], 600));

    let code = auth.newest_code(ADA);
    let signed_in = browser.post(VERIFY, json!({ "identifier": ADA, "otp_code": code })).await.ok();
    assert_eq!(keys(&signed_in["tokens"]), ["access"]);
    assert_eq!(browser.names(), [DEVICE_COOKIE, REFRESH_COOKIE]);
    assert_eq!((browser.cookies[REFRESH_COOKIE].1, browser.cookies[DEVICE_COOKIE].1), (7 * DAY, 365 * DAY));
    assert!(!signed_in.to_string().contains(&browser.cookie(REFRESH_COOKIE)));
    assert!(!auth.stack.logs().concat().contains("__Host-"));
}

/// S60, S94, S96: between the two steps, the challenge cookie has the waiting sign-in. The page sees neither its id nor the token of the
/// trusted device.
#[tokio::test]
async fn a_browser_signs_in_with_a_second_factor() {
    let auth = Deployment::with(&[("SECOND_FACTOR", "optional")]).await;
    let ada = auth.client().enrol(ADA).await;
    let mut browser = auth.client().browser(PAGE);
    let step = |code: String| json!({ "method": "totp", "code": code, "trust_device": true });
    // A challenge of the first step finishes no sign-in, and without a challenge there is none to finish.
    browser.ask(ADA).await;
    browser.post(SECOND_FACTOR, step(ada.app.code(&auth))).await.refused(400, "invalid_otp");
    let mut other = auth.client().browser(PAGE);
    let body = json!({ "method": "totp", "code": ada.app.code(&auth), "token_delivery": "cookie" });
    other.post(SECOND_FACTOR, body).await.refused(400, "invalid_request");

    let code = auth.newest_code(ADA);
    let due = browser.answer(ADA, &code).await.ok();
    assert_eq!(keys(&due), ["expires_in", "methods", "second_factor_required", "success"]);
    assert_eq!((browser.names(), browser.cookies[CHALLENGE_COOKIE].1), (vec![CHALLENGE_COOKIE], 300));
    let waiting = browser.cookie(CHALLENGE_COOKIE);
    browser.post(SECOND_FACTOR, step(ada.app.wrong(&auth))).await.refused(400, "invalid_otp");
    assert_eq!(browser.cookie(CHALLENGE_COOKIE), waiting);
    let mut elsewhere = browser.clone();
    elsewhere.page = vec![("origin", "https://evil.example".to_owned())];
    elsewhere.post(SECOND_FACTOR, step(ada.app.code(&auth))).await.refused(403, "forbidden");
    let body = json!({ "method": "totp", "code": ada.app.code(&auth), "token_delivery": "body" });
    browser.clone().post(SECOND_FACTOR, body).await.refused(400, "invalid_request");

    let signed_in = browser.post(SECOND_FACTOR, step(ada.app.code(&auth))).await.ok();
    assert_eq!(keys(&signed_in["tokens"]), ["access"]);
    assert_eq!(keys(&signed_in), ["expires_in", "is_new_user", "message", "success", "tokens", "user"]);
    assert_eq!(browser.names(), [DEVICE_COOKIE, REFRESH_COOKIE, TRUSTED_COOKIE]);
    let lives = [DEVICE_COOKIE, REFRESH_COOKIE, TRUSTED_COOKIE].map(|name| browser.cookies[name].1);
    assert_eq!(lives, [365 * DAY, 7 * DAY, 30 * DAY]);
    browser.refresh().await.ok();
    // The next sign-in needs the code only.
    browser.logout().await.ok();
    assert_eq!(browser.names(), [DEVICE_COOKIE, TRUSTED_COOKIE]);
    assert_eq!(keys(&browser.sign_in(ADA).await["tokens"]), ["access"]);
}

/// A browser whose sign-in waits asks for another code. The challenge cookie then has the new challenge.
#[tokio::test]
async fn a_browser_begins_again_between_the_steps() {
    let auth = Deployment::with(&[("SECOND_FACTOR", "optional")]).await;
    let ada = auth.client().enrol(ADA).await;
    let mut browser = auth.client().browser(PAGE);
    for _ in 0..2 {
        let code = browser.ask(ADA).await;
        assert_eq!(browser.answer(ADA, &code).await.ok()["second_factor_required"], json!(true));
    }
    browser.post(SECOND_FACTOR, json!({ "method": "totp", "code": ada.app.code(&auth) })).await.ok();
    assert_eq!(browser.names(), [DEVICE_COOKIE, REFRESH_COOKIE]);
}

/// S08: an attacker who reads the code over the user's shoulder lacks the cookie. The user's browser needs nothing else.
#[tokio::test]
async fn a_code_is_bound_to_the_browser_that_asked() {
    let auth = Deployment::with(&[("OTP_BINDING", "required")]).await;
    let mut browser = auth.client().browser(PAGE);
    let code = browser.ask(ADA).await;
    let mut other = auth.client_at("203.0.113.66").browser(PAGE);
    other.answer(ADA, &code).await.refused(400, "invalid_request");
    other.ask(ADA).await;
    other.answer(ADA, &code).await.refused(400, "invalid_otp");
    browser.answer(ADA, &wrong(&code)).await.refused(400, "invalid_otp");
    browser.answer(ADA, &code).await.ok();
}

/// Two tabs ask for codes of two identifiers, and the browser keeps the cookie of the later one. The earlier code works like one
/// without a challenge. Where codes must be bound, it is refused.
#[tokio::test]
async fn a_cookie_of_another_identifier_is_ignored_unless_codes_are_bound() {
    for (binding, answer) in [("optional", "ok"), ("required", "invalid_otp")] {
        let auth = Deployment::with(&[("OTP_BINDING", binding)]).await;
        let mut browser = auth.client().browser(PAGE);
        let adas = browser.ask(ADA).await;
        browser.ask("bob@example.com").await;
        assert_eq!(browser.answer(ADA, &adas).await.code(), answer);
    }
}

#[tokio::test]
async fn asking_again_resends_the_browsers_challenge() {
    let auth = Deployment::start().await;
    let mut browser = auth.client().browser(PAGE);
    browser.ask(ADA).await;
    let challenge = browser.cookie(CHALLENGE_COOKIE);
    auth.wait(29);
    let soon = browser.post(REQUEST, json!({ "identifier": ADA })).await.ok();
    assert_eq!((&soon["retry_after"], auth.messages_to(ADA)), (&json!(1), 1));
    auth.wait(1);
    let code = browser.ask(ADA).await;
    assert_eq!(auth.messages_to(ADA), 2);
    // The challenge is the same, and its id is new.
    assert_ne!(browser.cookie(CHALLENGE_COOKIE), challenge);
    assert_eq!(auth.charged(ADA), 3);
    browser.answer(ADA, &code).await.ok();

    // The cookie belongs to another identifier, so a new challenge starts.
    browser.cookies.insert(CHALLENGE_COOKIE.to_owned(), (challenge.clone(), 600));
    browser.ask("bob@example.com").await;
    assert_ne!(browser.cookie(CHALLENGE_COOKIE), challenge);
}

/// V16: each refresh replaces the cookie. After a lost answer, or in a second tab, the browser gets the same successor again.
#[tokio::test]
async fn a_refresh_replaces_the_cookie() {
    let auth = Deployment::start().await;
    let mut browser = auth.client().browser(PAGE);
    browser.sign_in(ADA).await;
    let mut second_tab = browser.clone();
    let refreshed = browser.refresh().await.ok();
    assert_eq!(keys(&refreshed), ["access", "expires_in"]);
    auth.wait(10);
    assert_ne!(browser.cookie(REFRESH_COOKIE), second_tab.cookie(REFRESH_COOKIE));
    second_tab.refresh().await.ok();
    assert_eq!(browser.cookie(REFRESH_COOKIE), second_tab.cookie(REFRESH_COOKIE));
    assert_eq!((browser.cookies[REFRESH_COOKIE].1, second_tab.cookies[REFRESH_COOKIE].1), (7 * DAY, 7 * DAY - 10));
    browser.refresh().await.ok();
}

/// S32: reusing a token ends the session and clears the cookies in both browsers.
#[tokio::test]
async fn a_used_token_clears_the_cookie_and_ends_the_session() {
    let auth = Deployment::start().await;
    let mut browser = auth.client().browser(PAGE);
    browser.sign_in(ADA).await;
    let mut thief = browser.clone();
    browser.refresh().await.ok();
    auth.wait(11);
    for mut victim in [thief.clone(), browser.clone()] {
        victim.refresh().await.refused(401, "invalid_token");
        assert_eq!(victim.names(), [DEVICE_COOKIE]);
    }
    thief.refresh().await.refused(401, "invalid_token");
    let outcomes = auth.stack.logs().concat();
    assert!(outcomes.contains(r#""outcome":"invalid_token""#), "{outcomes}");
}

/// The error may be temporary, so the cookie stays.
#[tokio::test]
async fn a_server_error_keeps_the_cookie() {
    let auth = Deployment::start().await;
    let mut browser = auth.client().browser(PAGE);
    browser.sign_in(ADA).await;
    let fault =
        json!({ "service": "dynamodb", "operation": "UpdateItem", "error": "ThrottlingException", "times": 100 });
    auth.faults(json!({ "aws": [fault] }));
    for path in [REFRESH, LOGOUT] {
        let answer = browser.post(path, json!({})).await;
        answer.refused(503, "unavailable");
        assert!(!answer.headers.contains_key("set-cookie"), "{path}");
    }
    auth.faults(json!({}));
    browser.refresh().await.ok();
}

/// Logout always clears the cookie and ends its session. The device cookie stays.
#[tokio::test]
async fn a_logout_clears_the_cookie() {
    let auth = Deployment::start().await;
    let mut browser = auth.client().browser(PAGE);
    browser.sign_in(ADA).await;
    let mut kept = browser.clone();
    assert_eq!(browser.logout().await.ok(), json!({ "success": true, "message": "Logged out." }));
    assert_eq!(browser.names(), [DEVICE_COOKIE]);
    kept.refresh().await.refused(401, "invalid_token");

    browser.cookies.insert(REFRESH_COOKIE.to_owned(), ("nonsense".to_owned(), 60));
    browser.logout().await.ok();
    assert_eq!(browser.names(), [DEVICE_COOKIE]);

    let mut everywhere = auth.client().browser(PAGE);
    everywhere.sign_in(ADA).await;
    browser.sign_in(ADA).await;
    browser.post(LOGOUT, json!({ "all": true })).await.ok();
    everywhere.refresh().await.refused(401, "invalid_token");
}

#[tokio::test]
async fn a_cookie_and_a_body_that_differ_are_refused() {
    let auth = Deployment::start().await;
    let mut browser = auth.client().browser(PAGE);
    browser.sign_in(ADA).await;
    let code = browser.ask(ADA).await;
    let (challenge, refresh) = (browser.cookie(CHALLENGE_COOKIE), browser.cookie(REFRESH_COOKIE));
    let other = auth.client().sign_in("bob@example.com").await.refresh;
    for (path, field, differs) in [
        (REQUEST, "challenge_id", "AAAAAAAAAAAAAAAAAAAAAA"),
        (VERIFY, "challenge_id", "AAAAAAAAAAAAAAAAAAAAAA"),
        (REFRESH, "refresh", other.as_str()),
        (LOGOUT, "refresh", other.as_str()),
    ] {
        let body = json!({ "identifier": ADA, "otp_code": code, field: differs });
        browser.clone().post(path, body).await.refused(400, "invalid_request");
    }
    let body = json!({ "identifier": ADA, "otp_code": code, "challenge_id": challenge });
    browser.clone().post(VERIFY, body).await.ok();
    browser.post(REFRESH, json!({ "refresh": refresh })).await.ok();
}

/// A request for tokens in the body ignores cookies. Otherwise a script could read the hidden token.
#[tokio::test]
async fn a_token_from_a_cookie_is_never_returned_in_the_body() {
    let auth = Deployment::start().await;
    let mut browser = auth.client().browser(PAGE);
    browser.sign_in(ADA).await;
    for path in [REFRESH, LOGOUT] {
        let answer = browser.post(path, json!({ "token_delivery": "body" })).await;
        answer.refused(400, "invalid_request");
    }
    let asked = browser.post(REQUEST, json!({ "identifier": ADA, "token_delivery": "body" })).await;
    assert!(asked.body["challenge_id"].is_string() && !asked.headers.contains_key("set-cookie"));
    browser.refresh().await.ok();
}

/// A frontend that stored its token itself and now uses cookies.
#[tokio::test]
async fn a_token_moves_from_a_body_into_a_cookie() {
    let auth = Deployment::start().await;
    let tokens = auth.client().sign_in(ADA).await;
    let mut browser = auth.client().browser(PAGE);
    let moved = browser.post(REFRESH, json!({ "refresh": tokens.refresh, "token_delivery": "cookie" })).await.ok();
    assert_eq!(keys(&moved), ["access", "expires_in"]);
    browser.refresh().await.ok();
}

#[tokio::test]
async fn a_deployment_may_deliver_cookies_by_default() {
    let auth = Deployment::with(&[("TOKEN_DELIVERY", "cookie")]).await;
    let mut browser = auth.client().browser(PAGE);
    browser.post(REQUEST, json!({ "identifier": ADA })).await.ok();
    let code = auth.newest_code(ADA);
    let signed_in = browser.answer(ADA, &code).await.ok();
    assert_eq!(keys(&signed_in["tokens"]), ["access"]);
    browser.refresh().await.ok();
    browser.cookies.clear();
    // A page may still send an expired cookie.
    browser.refresh().await.refused(401, "invalid_token");
    browser.logout().await.ok();

    let body = json!({ "identifier": ADA, "token_delivery": "body" });
    let challenge = auth.client().post(REQUEST, body).await.ok()["challenge_id"].clone();
    let code = auth.newest_code(ADA);
    let body = json!({ "identifier": ADA, "otp_code": code, "challenge_id": challenge, "token_delivery": "body" });
    auth.client().post(VERIFY, body).await.tokens();
}

/// Without cookies, the fields of answers and the texts of errors are as before.
#[tokio::test]
async fn clients_without_cookies_notice_nothing() {
    let auth = Deployment::start().await;
    let mut page = auth.client().browser(PAGE);
    let asked = page.post(REQUEST, json!({ "identifier": ADA })).await.ok();
    let code = auth.newest_code(ADA);
    let body = json!({ "identifier": ADA, "otp_code": code, "challenge_id": asked["challenge_id"] });
    let signed_in = page.post(VERIFY, body).await.ok();
    assert_eq!(keys(&signed_in["tokens"]), ["access", "refresh"]);
    let refreshed = page.post(REFRESH, json!({ "refresh": signed_in["tokens"]["refresh"] })).await.ok();
    assert_eq!(keys(&refreshed), ["access", "expires_in", "refresh"]);
    page.post(LOGOUT, json!({ "refresh": refreshed["refresh"] })).await.ok();
    assert!(page.cookies.is_empty());
    for path in [REFRESH, LOGOUT] {
        for (body, message) in [
            (json!({}), "The body is invalid: missing field `refresh`."),
            (json!({ "refresh": null }), "The body is invalid: missing field `refresh`."),
            (json!({ "refresh": "" }), "The body is invalid: missing field `refresh`."),
            (json!({ "refresh": 1 }), "`refresh` must be a string."),
        ] {
            let answer = page.post(path, body).await;
            answer.refused(400, "invalid_request");
            assert_eq!(answer.body["message"], message);
        }
    }
}

/// The error hides the challenge from the page too. The browser sends its cookie again.
#[tokio::test]
async fn a_failed_send_leaves_the_challenge_in_the_browser() {
    let auth = Deployment::start().await;
    let mut browser = auth.client().browser(PAGE);
    auth.faults(json!({ "delivery": "refused" }));
    let refused = browser.post(REQUEST, json!({ "identifier": ADA, "token_delivery": "cookie" })).await;
    refused.refused(502, "email_send_failed");
    assert!(refused.body.get("challenge_id").is_none());
    assert!(!browser.cookie(CHALLENGE_COOKIE).is_empty());
    auth.faults(json!({}));
    // It may be repeated at once.
    let code = browser.ask(ADA).await;
    browser.answer(ADA, &code).await.ok();
}

/// S156: requests for tokens in the body are refused on every path. Browsers get cookies without asking.
#[tokio::test]
async fn a_deployment_can_forbid_tokens_in_bodies() {
    let settings = [("TOKEN_DELIVERY", "cookie_only"), ("ALIASES", "off")];
    let auth = Deployment::with(&settings).await;
    let mut browser = auth.client().browser(PAGE);
    browser.sign_in(ADA).await;
    let body = json!({ "identifier": ADA, "otp_code": browser.ask(ADA).await, "token_delivery": "body" });
    for path in [REQUEST, VERIFY, REFRESH, LOGOUT] {
        let mut again = browser.clone();
        again.post(path, body.clone()).await.refused(403, "forbidden");
    }
    for path in ["/accounts/otp/verify/", "/cfg/accounts/otp/verify/", "/cfg/accounts/token/refresh/"] {
        let body = json!({ "identifier": ADA, "otp_code": "123456", "refresh": "x" });
        assert_eq!(browser.clone().post(path, body).await.status, 404, "{path}");
    }
    browser.refresh().await.ok();
    browser.logout().await.ok();
}
