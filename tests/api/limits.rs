//! Limits per network, per identifier and per network and identifier, in sequence and in parallel.

use futures_util::future::join_all;
use serde_json::json;
use tests::client::REQUEST;
use tests::deployment::wrong;
use tests::{Asked, Deployment};

const ADA: &str = "ada@example.com";

fn count(answers: &[tests::Answer], code: &str) -> usize {
    answers.iter().filter(|answer| answer.code() == code).count()
}

/// S13: 25 requests in ten minutes from one network, for any identifiers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_may_request_twenty_five_codes_in_ten_minutes() {
    let auth = Deployment::start().await;
    let asks = (0..64).map(|number| {
        let (client, body) = (auth.client(), json!({ "identifier": format!("user{number}@example.com") }));
        async move { client.post(REQUEST, body).await }
    });
    let answers = join_all(asks).await;
    assert_eq!((count(&answers, "ok"), count(&answers, "rate_limited")), (25, 39));
    assert!(answers.iter().filter(|answer| answer.code() != "ok").all(|answer| answer.retry_after() == 600));
    assert_eq!(auth.stack.inbox().messages(None).len(), 25);

    auth.client_at("192.0.2.2").ask(ADA).await;
    auth.wait(600);
    auth.client().ask("bob@example.com").await;
}

/// S82: an instance remembers a refused network, so refusing it again needs no call.
#[tokio::test]
async fn a_refused_network_costs_nothing_more_until_its_window_ends() {
    let auth = Deployment::with(&[("OTP_REQUESTS_PER_IP", "1"), ("OTP_FAILURES_PER_IP", "1")]).await;
    let asked = auth.client().ask(ADA).await;
    let guess = Asked { code: wrong(&asked.code), ..asked.clone() };
    auth.client().answer_unbound(ADA, &guess.code).await.refused(400, "invalid_otp");
    auth.client().post(REQUEST, json!({ "identifier": ADA })).await.refused(429, "rate_limited");
    auth.client().answer_unbound(ADA, &asked.code).await.refused(429, "too_many_attempts");

    auth.stack.services().calls().take();
    let refused = auth.client().post(REQUEST, json!({ "identifier": ADA })).await;
    refused.refused(429, "rate_limited");
    assert_eq!(refused.retry_after(), 600);
    auth.client().answer_unbound(ADA, &asked.code).await.refused(429, "too_many_attempts");
    assert!(auth.stack.services().calls().take().is_empty(), "a call was made");

    auth.wait(600);
    auth.client().ask("bob@example.com").await;
}

/// V25: an IPv6 /64 counts as one network, and a mapped address counts as its IPv4 address.
#[tokio::test]
async fn the_addresses_of_one_subscriber_are_one_network() {
    let auth = Deployment::with(&[("OTP_REQUESTS_PER_IP", "1")]).await;
    auth.client_at("2001:db8:1:2::1").ask(ADA).await;
    let neighbour = auth.client_at("2001:db8:1:2:ffff::2").post(REQUEST, json!({ "identifier": ADA })).await;
    neighbour.refused(429, "rate_limited");
    auth.client_at("2001:db8:1:3::1").ask(ADA).await;

    auth.client_at("198.51.100.1").ask("bob@example.com").await;
    let mapped = auth.client_at("::ffff:198.51.100.1").post(REQUEST, json!({ "identifier": ADA })).await;
    mapped.refused(429, "rate_limited");
}

/// V24, S65: a forwarded address counts only behind a trusted proxy.
#[tokio::test]
async fn a_forwarded_address_counts_only_behind_a_trusted_proxy() {
    for (trusted, limited) in [("", true), ("203.0.113.0/24", true), ("192.0.2.0/24", false)] {
        let auth = Deployment::with(&[("OTP_REQUESTS_PER_IP", "1"), ("TRUSTED_PROXIES", trusted)]).await;
        for (number, forwarded) in ["198.51.100.1", "198.51.100.2"].into_iter().enumerate() {
            let answer =
                auth.client().post_with("x-forwarded-for", forwarded, REQUEST, json!({ "identifier": ADA })).await;
            let expected = if limited && number == 1 { "rate_limited" } else { "ok" };
            assert_eq!(answer.code(), expected, "{trusted}");
        }
    }
}

/// A client may write anything to the left of its address, even bytes outside ASCII. Only the proxy's own entry counts.
#[tokio::test]
async fn a_forwarded_address_counts_beside_nonsense() {
    let auth = Deployment::with(&[("OTP_REQUESTS_PER_IP", "1"), ("TRUSTED_PROXIES", "192.0.2.0/24")]).await;
    for (forwarded, code) in [("198.51.100.1", "ok"), ("\u{e9}, 198.51.100.1", "rate_limited")] {
        let answer = auth.client().post_with("x-forwarded-for", forwarded, REQUEST, json!({ "identifier": ADA })).await;
        assert_eq!(answer.code(), code, "{forwarded}");
    }
}

/// S140: parallel requests pass neither the bucket nor a network's share of codes of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_requests_stay_within_the_bucket() {
    let auth = Deployment::with(&[("OTP_REQUESTS_PER_IP", "1000")]).await;
    let ask = |address: String| {
        let client = auth.client_at(&address);
        async move { client.post(REQUEST, json!({ "identifier": ADA })).await }
    };
    let answers = join_all((0..16).map(|_| ask("192.0.2.1".to_owned()))).await;
    assert_eq!(count(&answers, "ok"), 16);
    assert_eq!(auth.messages_to(ADA), 3, "two codes of its own and a long one");
    let answers = join_all((0..16).map(|number| ask(format!("198.51.100.{number}")))).await;
    assert_eq!(count(&answers, "ok"), 16);
    // One more code of somebody's own leaves the last token, and then a long code is there to share.
    assert_eq!(auth.messages_to(ADA), 4);
}

/// V37: thirty wrong answers without an id from one network, over however many identifiers. Only comparisons count. V26: a
/// success does not clear them.
#[tokio::test]
async fn a_network_may_fail_thirty_times_in_ten_minutes() {
    let auth = Deployment::with(&[("OTP_REQUESTS_PER_IP", "1000")]).await;
    for number in 0..40 {
        let nobody = format!("nobody{number}@example.com");
        auth.client().answer_unbound(&nobody, "123456").await.refused(400, "invalid_otp");
    }
    for number in 0..30 {
        if number == 15 {
            auth.client().sign_in("mallory@example.com").await;
        }
        let somebody = format!("user{number}@example.com");
        let asked = auth.client().ask(&somebody).await;
        auth.client().answer_unbound(&somebody, &wrong(&asked.code)).await.refused(400, "invalid_otp");
    }
    let asked = auth.client().ask(ADA).await;
    for _ in 0..2 {
        let refused = auth.client().answer_unbound(ADA, &asked.code).await;
        refused.refused(429, "too_many_attempts");
        assert_eq!(refused.retry_after(), 600);
    }
    // An answer that names its challenge is not refused for its network's sake.
    auth.client().answer(ADA, &asked).await.ok();
    let asked = auth.client_at("198.51.100.1").ask(ADA).await;
    auth.client_at("198.51.100.1").answer_unbound(ADA, &asked.code).await.ok();
    auth.wait(600);
    let asked = auth.client().ask(ADA).await;
    auth.client().answer_unbound(ADA, &asked.code).await.ok();
}
