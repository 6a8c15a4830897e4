//! Device tokens: the owner's known clients have a bucket of their own, out of reach of strangers (V38). Browsers keep the token in
//! a cookie, other clients get it in the body.

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

/// Empties the identifier's bucket from networks of strangers. The next request of a stranger shares a long code.
async fn empty_the_bucket(auth: &Deployment) {
    for number in 0..5 {
        auth.client_at(&format!("203.0.113.{number}")).ask(ADA).await;
    }
    let before = auth.messages_to(ADA);
    auth.client_at("203.0.115.66").ask(ADA).await;
    assert_eq!(auth.messages_to(ADA), before);
}

/// V38, S144: three messages at once, and then one every half hour; after that, a known browser is served like any client.
#[tokio::test]
async fn a_known_browser_has_its_own_bucket() {
    let auth = Deployment::start().await;
    let mut browser = known(&auth).await;
    empty_the_bucket(&auth).await;
    let before = auth.messages_to(ADA);
    for _ in 0..3 {
        ask_anew(&mut browser).await.ok();
        assert!(auth.newest_code(ADA).len() < 13);
    }
    assert_eq!(auth.messages_to(ADA), before + 3);
    ask_anew(&mut browser).await.ok();
    assert_eq!(auth.messages_to(ADA), before + 3, "it shares a long code");
    auth.wait(1_800);
    empty_the_bucket(&auth).await;
    let code = browser.ask(ADA).await;
    assert!(code.len() < 13);
    browser.answer(ADA, &code).await.ok();
}

/// S144: the token in the body serves clients without cookies.
#[tokio::test]
async fn a_known_client_in_body_mode_has_its_own_bucket() {
    let auth = Deployment::start().await;
    let asked = auth.client().ask(ADA).await;
    let signed_in = auth.client().answer(ADA, &asked).await.ok();
    empty_the_bucket(&auth).await;
    let before = auth.messages_to(ADA);
    let ask = |device: serde_json::Value| json!({ "identifier": ADA, "device": device });
    for device in [json!(null), json!("v1.99999999999.AAAA"), json!("")] {
        auth.client().post(REQUEST, ask(device)).await.ok();
        assert_eq!(auth.messages_to(ADA), before);
    }
    let answer = auth.client().post(REQUEST, ask(signed_in["device"].clone())).await.ok();
    assert_eq!(auth.messages_to(ADA), before + 1);
    let asked = Asked { challenge: answer["challenge_id"].as_str().unwrap().to_owned(), code: auth.newest_code(ADA) };
    auth.client().answer(ADA, &asked).await.ok();
}

/// Parallel requests of known browsers stay within their bucket and the common one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_requests_of_a_known_browser_stay_within_its_bucket() {
    let auth = Deployment::start().await;
    let browser = known(&auth).await;
    empty_the_bucket(&auth).await;
    let before = auth.messages_to(ADA);
    let asks = (0..8).map(|_| {
        let mut browser = browser.clone();
        async move { ask_anew(&mut browser).await.code().to_owned() }
    });
    assert!(join_all(asks).await.iter().all(|code| code == "ok"));
    assert_eq!(auth.messages_to(ADA), before + 3);
}

/// The owner's browsers leave the common bucket to others.
#[tokio::test]
async fn a_known_browser_takes_nothing_from_others() {
    let auth = Deployment::start().await;
    let mut browser = known(&auth).await;
    for _ in 0..3 {
        ask_anew(&mut browser).await.ok();
    }
    empty_the_bucket(&auth).await;
    assert_eq!(auth.messages_to(ADA), 1 + 3 + 5);
}

/// The token belongs to one identifier, has a MAC and expires.
#[tokio::test]
async fn forged_and_foreign_device_cookies_are_ignored() {
    let auth = Deployment::start().await;
    let owners = known(&auth).await.cookie(DEVICE_COOKIE);
    let mut stranger = auth.client_at("203.0.114.9").browser(PAGE);
    stranger.sign_in("mallory@example.com").await;
    let mallorys = stranger.cookie(DEVICE_COOKIE);
    let elsewhere = Deployment::start().await;
    let of_another_key = known(&elsewhere).await.cookie(DEVICE_COOKIE);
    empty_the_bucket(&auth).await;
    let before = auth.messages_to(ADA);

    let end = owners.split('.').nth(1).unwrap();
    let longer = owners.replace(end, &format!("{}", end.parse::<u64>().unwrap() + 1));
    for value in [&mallorys, &of_another_key, &longer, "v1.99999999999.AAAA", "nonsense"] {
        forget(&mut stranger);
        stranger.cookies.insert(DEVICE_COOKIE.to_owned(), (value.to_owned(), 60));
        ask_anew(&mut stranger).await.ok();
        assert_eq!(auth.messages_to(ADA), before, "{value}");
    }
    stranger.cookies.insert(DEVICE_COOKIE.to_owned(), (owners.clone(), 60));
    ask_anew(&mut stranger).await.ok();
    assert_eq!(auth.messages_to(ADA), before + 1);

    auth.wait(365 * 86_400);
    empty_the_bucket(&auth).await;
    let before = auth.messages_to(ADA);
    ask_anew(&mut stranger).await.ok();
    assert_eq!(auth.messages_to(ADA), before);
}

/// S149: who takes a stolen session back also takes back the bucket of its device.
#[tokio::test]
async fn signing_out_everywhere_forgets_all_devices() {
    let auth = Deployment::start().await;
    let mut old = known(&auth).await;
    let tokens = auth.client().sign_in(ADA).await;
    auth.client().logout(&tokens.refresh).await.ok();
    let tokens = auth.client().sign_in(ADA).await;
    empty_the_bucket(&auth).await;
    let before = auth.messages_to(ADA);
    ask_anew(&mut old).await.ok();
    assert_eq!(auth.messages_to(ADA), before + 1, "a simple logout forgets none");

    auth.client().logout_everywhere(&tokens.refresh).await.ok();
    ask_anew(&mut old).await.ok();
    assert_eq!(auth.messages_to(ADA), before + 1);
    // Nor does time bring them back: the epoch outlives their tokens.
    let kept_until = auth.items_of("OTP_TABLE", "I#")[0]["ttl"]["N"].as_str().unwrap().parse::<u64>().unwrap();
    assert!(kept_until >= auth.stack.clock().now().after(shared::codes::DEVICE_LIFE).unix());

    auth.wait(3_600);
    let mut new = known(&auth).await;
    empty_the_bucket(&auth).await;
    let before = auth.messages_to(ADA);
    ask_anew(&mut new).await.ok();
    assert_eq!(auth.messages_to(ADA), before + 1, "a device of the new epoch is known");
    auth.client().logout_everywhere(&tokens.refresh).await.ok();
    ask_anew(&mut new).await.ok();
    assert_eq!(auth.messages_to(ADA), before + 2, "an ended session forgets none");
}

/// S141: known browsers guess too, so their attempts are charged as well: six a day with six digits.
#[tokio::test]
async fn a_known_browsers_attempts_are_charged_to_the_day() {
    let auth = Deployment::with(&[("OTP_REQUESTS_PER_IP", "1000000")]).await;
    let mut browser = known(&auth).await;
    let mut lengths = Vec::new();
    for _ in 0..4 {
        ask_anew(&mut browser).await.ok();
        let code = auth.newest_code(ADA);
        for _ in 0..3 {
            browser.answer(ADA, &wrong(&code)).await.refused(400, "invalid_otp");
        }
        browser.answer(ADA, &code).await.refused(400, "invalid_otp");
        lengths.push(code.len());
        auth.wait(1_800);
    }
    assert_eq!(lengths, [6, 6, 8, 8]);
    assert_eq!(auth.charged(ADA), 12);
    let code = browser.ask(ADA).await;
    browser.answer(ADA, &code).await.ok();
    assert_eq!(auth.charged(ADA), 0);
}

/// An answer without its challenge matches no code of a known browser: it would be one more place to guess at.
#[tokio::test]
async fn an_unbound_answer_matches_no_code_of_a_known_browser() {
    let auth = Deployment::start().await;
    let mut browser = known(&auth).await;
    let code = browser.ask(ADA).await;
    auth.client_at("198.51.100.1").answer_unbound(ADA, &code).await.refused(400, "invalid_otp");
    let body = json!({ "identifier": ADA, "otp_code": code });
    browser.post(VERIFY, body).await.ok();
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
    if first != second {
        browser.answer(ADA, &first).await.refused(400, "invalid_otp");
    }
    browser.answer(ADA, &second).await.ok();
}

/// The same round trips and write units as for any client.
#[tokio::test]
async fn a_known_browser_costs_the_same_as_any_client() {
    let auth = Deployment::with(&[("OTP_REQUESTS_PER_IP", "1000")]).await;
    let mut browser = known(&auth).await;
    empty_the_bucket(&auth).await;
    let calls = auth.stack.services().calls();
    let write = || calls.take().iter().map(|call| call.capacity.write).sum::<f64>();
    for _ in 0..3 {
        calls.take();
        ask_anew(&mut browser).await.ok();
        assert_eq!(write(), 2.0);
    }
    let code = wrong(&auth.newest_code(ADA));
    calls.take();
    auth.stack.services().rounds().expect(&[2]);
    browser.answer(ADA, &code).await.refused(400, "invalid_otp");
    auth.stack.services().rounds().finish().unwrap();
    assert_eq!(write(), 1.0, "an attempt with a full item");
}
