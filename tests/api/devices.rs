//! The device cookie: the owner's known browser has its own limits, out of reach of strangers (V38).

use futures_util::future::join_all;
use serde_json::json;
use tests::browser::{CHALLENGE_COOKIE, DEVICE_COOKIE, REFRESH_COOKIE};
use tests::client::{REQUEST, VERIFY};
use tests::deployment::wrong;
use tests::{Asked, Browser, Deployment};

const ADA: &str = "ada@example.com";
const PAGE: &str = "http://localhost:3000";

/// A browser in which ADA has signed in, with only the device cookie left.
async fn known(auth: &Deployment) -> Browser<'_> {
    let mut browser = auth.client_at("198.51.100.1").browser(PAGE);
    browser.sign_in(ADA).await;
    forget(&mut browser);
    browser
}

fn forget(browser: &mut Browser<'_>) {
    browser.cookies.remove(REFRESH_COOKIE);
    browser.cookies.remove(CHALLENGE_COOKIE);
}

async fn ask_anew(browser: &mut Browser<'_>) -> tests::Answer {
    browser.cookies.remove(CHALLENGE_COOKIE);
    browser.post(REQUEST, json!({ "identifier": ADA, "token_delivery": "cookie" })).await
}

/// Uses up the hourly limit of the identifier from two networks.
async fn take_the_hour(auth: &Deployment) {
    for (address, count) in [("203.0.113.66", 3), ("203.0.114.66", 3)] {
        for _ in 0..count {
            auth.client_at(address).post(REQUEST, json!({ "identifier": ADA })).await;
        }
    }
    auth.client_at("203.0.115.66").post(REQUEST, json!({ "identifier": ADA })).await.refused(429, "rate_limited");
}

#[tokio::test]
async fn a_known_browser_has_its_own_hourly_limit() {
    let auth = Deployment::start().await;
    let mut browser = known(&auth).await;
    auth.wait(3_600);
    take_the_hour(&auth).await;
    // At most two codes at a time, and five per hour.
    for pair in [2, 2, 1] {
        for _ in 0..pair {
            assert_eq!(ask_anew(&mut browser).await.code(), "ok");
        }
        auth.wait(600);
    }
    let refused = ask_anew(&mut browser).await;
    refused.refused(429, "rate_limited");
    assert_eq!(refused.retry_after(), 1_800);
    auth.wait(1_800);
    let code = browser.ask(ADA).await;
    browser.answer(ADA, &code).await.ok();
}

/// S13: parallel requests stay within the hourly limit and the limit on pending challenges.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_requests_of_a_known_browser_stay_within_its_limits() {
    for (per_hour, admitted) in [("1", 1), ("5", 2)] {
        let auth = Deployment::with(&[("OTP_REQUESTS_PER_HOUR", per_hour)]).await;
        let browser = known(&auth).await;
        let asks = (0..8).map(|_| {
            let mut browser = browser.clone();
            async move { ask_anew(&mut browser).await.code().to_owned() }
        });
        let answers = join_all(asks).await;
        assert_eq!(answers.iter().filter(|code| *code == "ok").count(), admitted, "{answers:?}");
        assert_eq!(auth.messages_to(ADA), 1 + admitted);
    }
}

/// The requests of known browsers count only against their own limits.
#[tokio::test]
async fn a_known_browser_takes_nothing_from_others() {
    let auth = Deployment::start().await;
    let mut browser = known(&auth).await;
    auth.wait(3_600);
    for _ in 0..2 {
        ask_anew(&mut browser).await.ok();
    }
    take_the_hour(&auth).await;
    assert_eq!(auth.messages_to(ADA), 1 + 2 + 5);
}

/// At most two challenges of known browsers are pending at once, so that the item stays small.
#[tokio::test]
async fn a_known_browser_has_two_codes_at_a_time() {
    let auth = Deployment::start().await;
    let mut browser = known(&auth).await;
    ask_anew(&mut browser).await.ok();
    auth.wait(100);
    ask_anew(&mut browser).await.ok();
    let refused = ask_anew(&mut browser).await;
    refused.refused(429, "rate_limited");
    assert_eq!(refused.retry_after(), 500);
}

/// The cookie belongs to one identifier, has a MAC and expires.
#[tokio::test]
async fn forged_and_foreign_device_cookies_are_ignored() {
    let auth = Deployment::start().await;
    let owners = known(&auth).await.cookie(DEVICE_COOKIE);
    let mut stranger = auth.client_at("203.0.113.9").browser(PAGE);
    stranger.sign_in("mallory@example.com").await;
    let mallorys = stranger.cookie(DEVICE_COOKIE);
    let elsewhere = Deployment::start().await;
    let of_another_key = known(&elsewhere).await.cookie(DEVICE_COOKIE);
    auth.wait(3_600);
    take_the_hour(&auth).await;

    let end = owners.split('.').nth(1).unwrap();
    let longer = owners.replace(end, &format!("{}", end.parse::<u64>().unwrap() + 1));
    for value in [&mallorys, &of_another_key, &longer, "v1.99999999999.AAAA", "nonsense"] {
        forget(&mut stranger);
        stranger.cookies.insert(DEVICE_COOKIE.to_owned(), (value.to_owned(), 60));
        ask_anew(&mut stranger).await.refused(429, "rate_limited");
    }
    stranger.cookies.insert(DEVICE_COOKIE.to_owned(), (owners.clone(), 60));
    ask_anew(&mut stranger).await.ok();

    auth.wait(365 * 86_400 - 3_600);
    take_the_hour(&auth).await;
    ask_anew(&mut stranger).await.refused(429, "rate_limited");
}

/// A stranger's failures make everyone else wait. The owner's browser waits only after ten failures of its own.
#[tokio::test]
async fn a_known_browser_waits_for_its_own_failures_only() {
    let auth = Deployment::with(&[("OTP_FAILURES_PER_IP", "1000000"), ("OTP_REQUESTS_PER_IP", "1000000")]).await;
    let mut browser = known(&auth).await;
    for number in 0..4 {
        let stranger = auth.client_at(&format!("203.0.113.{number}"));
        let asked = stranger.ask(ADA).await;
        let guess = Asked { code: wrong(&asked.code), ..asked };
        for _ in 0..3 {
            stranger.answer(ADA, &guess).await;
        }
    }
    assert_eq!(auth.failures(ADA), 12);
    auth.client().post(REQUEST, json!({ "identifier": ADA })).await.refused(429, "too_many_attempts");

    for round in 0..4 {
        ask_anew(&mut browser).await.ok();
        let code = wrong(&auth.newest_code(ADA));
        for _ in 0..(if round == 3 { 1 } else { 3 }) {
            browser.answer(ADA, &code).await.refused(400, "invalid_otp");
        }
        auth.wait(if round == 3 { 0 } else { 600 });
    }
    assert_eq!(auth.failures(ADA), 22, "failures of known browsers are counted separately");
    let refused = ask_anew(&mut browser).await;
    refused.refused(429, "too_many_attempts");
    assert_eq!(refused.retry_after(), 30);
    auth.wait(30);
    let code = browser.ask(ADA).await;
    browser.answer(ADA, &code).await.ok();
    assert_eq!(auth.failures(ADA), 0);
    auth.wait(3_600);
    ask_anew(&mut browser).await.ok();
    browser.answer(ADA, &wrong(&auth.newest_code(ADA))).await.refused(400, "invalid_otp");
    assert_eq!(ask_anew(&mut browser).await.code(), "ok", "its own failures were not reset");
}

/// S04: challenges with and without a device cookie together allow fewer than a hundred consecutive comparisons, even when every
/// attempt of every pending challenge fails.
#[tokio::test]
async fn known_browsers_and_strangers_together_stay_below_a_hundred_failures() {
    let limits =
        ["OTP_REQUESTS_PER_HOUR", "OTP_REQUESTS_PER_HOUR_PER_IP", "OTP_REQUESTS_PER_IP", "OTP_FAILURES_PER_IP"];
    let auth = Deployment::with(&limits.map(|name| (name, "1000000"))).await;
    let mut browsers = [known(&auth).await, known(&auth).await];
    let stranger = auth.client_at("203.0.113.66");
    for _ in 0..1_000 {
        if auth.failures(ADA) == 75 {
            break;
        }
        let answer = stranger.post(REQUEST, json!({ "identifier": ADA })).await;
        if answer.code() != "ok" {
            auth.wait(answer.retry_after());
            continue;
        }
        let challenge = answer.body["challenge_id"].as_str().unwrap().to_owned();
        stranger.answer(ADA, &Asked { challenge, code: wrong(&auth.newest_code(ADA)) }).await;
    }
    auth.wait(3_600);
    let mut living = Vec::new();
    for _ in 0..5 {
        living.push(stranger.ask(ADA).await);
    }
    for browser in &mut browsers {
        assert_eq!(browser.ask(ADA).await.len(), 6);
    }
    for _ in 0..4 {
        stranger.answer_unbound(ADA, &wrong(&living[0].code)).await;
        for asked in &living {
            stranger.answer(ADA, &Asked { code: wrong(&asked.code), ..asked.clone() }).await;
        }
        for browser in &mut browsers {
            browser.answer(ADA, &wrong(&living[0].code)).await.refused(400, "invalid_otp");
        }
    }
    assert_eq!(auth.failures(ADA), 75 + 5 * 3 + 2 * 3 + 1, "one unbound attempt, then a delay");
    auth.wait(600);
    let [mut browser, _] = browsers;
    forget(&mut browser);
    let long = browser.ask(ADA).await;
    assert_eq!(long.len(), 13, "known browsers get long codes too");
    browser.answer(ADA, &long).await.ok();
}

/// Otherwise each code of a known browser would be one more target for a guess.
#[tokio::test]
async fn an_unbound_answer_matches_no_code_of_a_known_browser() {
    let auth = Deployment::start().await;
    let mut browser = known(&auth).await;
    let code = browser.ask(ADA).await;
    let unbound = auth.client_at("203.0.113.66");
    unbound.answer_unbound(ADA, &code).await.refused(400, "invalid_otp");
    let named = |challenge: &str| Asked { challenge: challenge.to_owned(), code: code.clone() };
    let challenge = browser.cookie(CHALLENGE_COOKIE);
    unbound.answer(ADA, &named(challenge.trim_start_matches("d."))).await.refused(400, "invalid_otp");
    let body = json!({ "identifier": ADA, "otp_code": code });
    browser.post(VERIFY, body).await.ok();
}

/// A known browser's challenges give strangers no additional attempts. Unbound attempts depend only on challenges requested
/// without a device cookie.
#[tokio::test]
async fn a_known_browser_gives_strangers_no_unbound_attempts() {
    let auth = Deployment::start().await;
    let mut browser = known(&auth).await;
    let stranger = auth.client_at("203.0.113.66");
    let asked = stranger.ask(ADA).await;
    for failures in [1, 2, 3, 3] {
        stranger.answer_unbound(ADA, &wrong(&asked.code)).await.refused(400, "invalid_otp");
        assert_eq!(auth.failures(ADA), failures);
    }
    for seconds in [0, 3_600] {
        auth.wait(seconds);
        ask_anew(&mut browser).await.ok();
        stranger.answer_unbound(ADA, &wrong(&asked.code)).await.refused(400, "invalid_otp");
        assert_eq!(auth.failures(ADA), 3, "after {seconds} seconds");
    }
}

/// A known browser can resend its code like any client, and at once if the email was refused.
#[tokio::test]
async fn a_known_browser_can_resend() {
    let auth = Deployment::start().await;
    let mut browser = known(&auth).await;
    auth.faults(json!({ "delivery": "refused" }));
    ask_anew(&mut browser).await.refused(502, "email_send_failed");
    auth.faults(json!({}));
    let first = browser.ask(ADA).await;
    auth.wait(30);
    let second = browser.ask(ADA).await;
    browser.answer(ADA, &first).await.refused(400, "invalid_otp");
    browser.answer(ADA, &second).await.ok();
}

/// The same round trips and write units as for any client. The item costs one unit even when it is full.
#[tokio::test]
async fn a_known_browser_costs_the_same_as_any_client() {
    let auth = Deployment::with(&[("OTP_REQUESTS_PER_IP", "1000"), ("OTP_REQUESTS_PER_HOUR_PER_IP", "1")]).await;
    let mut browser = known(&auth).await;
    auth.wait(3_600);
    let calls = auth.stack.services().calls();
    let write = || calls.take().iter().map(|call| call.capacity.write).sum::<f64>();
    calls.take();
    ask_anew(&mut browser).await.ok();
    assert_eq!(write(), 2.0, "request, first in its hour");
    ask_anew(&mut browser).await.ok();
    assert_eq!(write(), 3.0, "request, later in its hour");
    for number in 0..5 {
        let client = auth.client_at(&format!("203.0.113.{number}"));
        client.ask(ADA).await;
        client.answer_unbound(ADA, "000000").await;
    }
    let code = wrong(&auth.newest_code(ADA));
    calls.take();
    auth.stack.services().rounds().expect(&[3, 1]);
    browser.answer(ADA, &code).await.refused(400, "invalid_otp");
    auth.stack.services().rounds().finish().unwrap();
    assert_eq!(write(), 2.0, "a failure with a full item");
}
