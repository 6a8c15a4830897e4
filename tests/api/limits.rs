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
    auth.client().answer(ADA, &guess).await.refused(400, "invalid_otp");
    auth.client().post(REQUEST, json!({ "identifier": ADA })).await.refused(429, "rate_limited");
    auth.client().answer_unbound(ADA, &asked.code).await.refused(429, "too_many_attempts");

    auth.stack.services().calls().take();
    let refused = auth.client().post(REQUEST, json!({ "identifier": ADA })).await;
    refused.refused(429, "rate_limited");
    assert_eq!(refused.retry_after(), 600);
    auth.client().answer(ADA, &asked).await.refused(429, "too_many_attempts");
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_identifier_gets_five_new_challenges_an_hour_and_three_from_one_network() {
    let auth = Deployment::with(&[("OTP_REQUESTS_PER_IP", "1000")]).await;
    let ask = |address: &'static str| {
        let client = auth.client_at(address);
        async move { client.post(REQUEST, json!({ "identifier": ADA })).await }
    };
    let answers = join_all((0..32).map(|_| ask("192.0.2.1"))).await;
    assert_eq!((count(&answers, "ok"), count(&answers, "rate_limited")), (3, 29));
    let answers = join_all((0..32).map(|_| ask("192.0.2.2"))).await;
    assert_eq!((count(&answers, "ok"), count(&answers, "rate_limited")), (2, 30));
    assert!(answers.iter().filter(|answer| answer.code() != "ok").all(|answer| answer.retry_after() == 3_600));
    assert_eq!(auth.messages_to(ADA), 5);

    auth.wait(3_599);
    ask("192.0.2.3").await.refused(429, "rate_limited");
    auth.wait(1);
    ask("192.0.2.3").await.ok();
}

/// Each limit holds by itself under parallel requests: the hourly limit, and the limit on pending challenges.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_requests_stay_within_the_limits_per_hour_and_of_pending_challenges() {
    for (per_hour, started) in [("2", 2), ("1000", 5)] {
        let auth = Deployment::with(&[
            ("OTP_REQUESTS_PER_IP", "1000"),
            ("OTP_REQUESTS_PER_HOUR", per_hour),
            ("OTP_REQUESTS_PER_HOUR_PER_IP", "1000"),
        ])
        .await;
        let asks = (0..32).map(|_| auth.client().post(REQUEST, json!({ "identifier": ADA })));
        assert_eq!(count(&join_all(asks).await, "ok"), started);
        assert_eq!(auth.messages_to(ADA), started);
    }
}

/// At the turn of the hour an earlier code stays valid, together with newly requested ones.
#[tokio::test]
async fn a_new_hour_does_not_cancel_a_pending_code() {
    let auth = Deployment::start().await;
    auth.client().ask(ADA).await;
    auth.wait(3_300);
    let living = auth.client().ask(ADA).await;
    auth.wait(300);
    auth.client_at("198.51.100.1").ask(ADA).await;
    auth.client().answer(ADA, &living).await.ok();
}

#[tokio::test]
async fn five_challenges_may_be_pending_and_a_sixth_waits() {
    let auth = Deployment::with(&[("OTP_REQUESTS_PER_HOUR", "100"), ("OTP_REQUESTS_PER_HOUR_PER_IP", "100")]).await;
    let mut challenges = Vec::new();
    for _ in 0..5 {
        challenges.push(auth.client().ask(ADA).await);
        auth.wait(10);
    }
    let sixth = auth.client().post(REQUEST, json!({ "identifier": ADA })).await;
    sixth.refused(429, "rate_limited");
    assert_eq!(sixth.retry_after(), 550);
    auth.wait(550);
    let sixth = auth.client().ask(ADA).await;
    for live in &challenges[1..] {
        auth.client().answer(ADA, live).await.ok();
    }
    auth.client().answer(ADA, &sixth).await.ok();
    auth.client().answer(ADA, &challenges[0]).await.refused(400, "invalid_otp");
}

/// V37: thirty wrong answers from one network, over any number of identifiers. V26: a success does not reset them.
#[tokio::test]
async fn a_network_may_fail_thirty_times_in_ten_minutes() {
    let auth = Deployment::start().await;
    for number in 0..29 {
        auth.client().answer_unbound(&format!("user{number}@example.com"), "123456").await.refused(400, "invalid_otp");
    }
    auth.client().sign_in(ADA).await;
    auth.client().answer_unbound("one@example.com", "123456").await.refused(400, "invalid_otp");
    let asked = auth.client().ask(ADA).await;
    for _ in 0..2 {
        let refused = auth.client().answer_unbound(ADA, &asked.code).await;
        refused.refused(429, "too_many_attempts");
        assert_eq!(refused.retry_after(), 600);
    }
    auth.client().answer(ADA, &asked).await.refused(429, "too_many_attempts");
    let asked = auth.client_at("198.51.100.1").ask(ADA).await;
    auth.client_at("198.51.100.1").answer(ADA, &asked).await.ok();
    auth.wait(600);
    auth.client().sign_in(ADA).await;
}

/// An instance may learn that a network is closed just after spending a bound attempt. The attempt still counts, so the code is
/// compared. Later requests spend nothing. An unbound attempt is refused, right or wrong.
#[tokio::test]
async fn a_spent_bound_attempt_is_compared() {
    let auth = Deployment::with(&[("OTP_FAILURES_PER_IP", "1")]).await;
    let asked = auth.client().ask(ADA).await;
    auth.client().answer_unbound("bob@example.com", "123456").await.refused(400, "invalid_otp");
    auth.client().answer(ADA, &asked).await.ok();

    let asked = auth.client().ask(ADA).await;
    let guess = Asked { code: wrong(&asked.code), ..asked.clone() };
    let (second, third) = (auth.stack.another_api("2").await.unwrap(), auth.stack.another_api("3").await.unwrap());
    for code in [&guess, &guess, &asked] {
        let refused = auth.client().by(&second).answer(ADA, code).await;
        refused.refused(429, "too_many_attempts");
        assert_eq!((refused.retry_after(), auth.failures(ADA)), (600, 1), "only the first attempt was spent");
    }
    auth.client().by(&third).answer_unbound(ADA, &asked.code).await.refused(429, "too_many_attempts");
}
