//! Limits per network and per identifier, in sequence and in parallel.

use axum::body::Bytes;
use axum::http::Request;
use futures_util::future::join_all;
use local_aws::CallRecord;
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

/// V25, S158: anybody can get a /48 for nothing, and a household often has a /56. A /64 counts as one network, a /56 as two and a
/// /48 as eight, in one write each.
#[tokio::test]
async fn an_ipv6_site_is_eight_networks() {
    let auth = Deployment::with(&[("OTP_REQUESTS_PER_IP", "3")]).await;
    let mut asked = 0;
    let mut ask = async |address: &str| {
        asked += 1;
        auth.stack.services().calls().take();
        let body = json!({ "identifier": format!("user{asked}@example.com") });
        let answer = auth.client_at(address).post(REQUEST, body).await;
        let is_write = |call: &CallRecord| call.operation == "UpdateItem" && !call.keys[0].starts_with("MAIL#");
        let writes = auth.stack.services().calls().take().iter().filter(|call| is_write(call)).count();
        assert!(writes <= 2, "{address}: {writes} writes");
        answer.code() == "ok"
    };
    // Three from one /64, and three more from the others of its /56.
    for (address, is_served) in [
        ("2001:db8:1:0::1", true),
        ("2001:db8:1:0::2", true),
        ("2001:db8:1:0::3", true),
        ("2001:db8:1:0::4", false),
        ("2001:db8:1:1::1", true),
        ("2001:db8:1:2::1", true),
        ("2001:db8:1:ff::1", true),
        ("2001:db8:1:3::1", false),
    ] {
        assert_eq!(ask(address).await, is_served, "{address}");
    }
    // Eighteen more from the other /56 of its /48.
    let mut served = 0;
    for subnet in 1..=40 {
        served += u32::from(ask(&format!("2001:db8:1:{:x}::1", subnet * 0x100)).await);
    }
    assert_eq!(served, 18);
    // Another instance reads the same from the table, and another /48 is another site.
    let body = json!({ "identifier": ADA });
    let other = auth.stack.another_api("2").await.unwrap();
    auth.client_at("2001:db8:1:ffff::1").by(&other).post(REQUEST, body.clone()).await.refused(429, "rate_limited");
    assert!(ask("2001:db8:2:0::1").await);
    let items = auth.items_of("OTP_TABLE", "R#request#");
    assert_eq!(items.len(), 2, "one item a site");
    auth.wait(600);
    auth.client_at("2001:db8:1:0::1").post(REQUEST, body).await.ok();
}

/// The same for wrong answers.
#[tokio::test]
async fn wrong_answers_of_an_ipv6_site_are_counted_together() {
    let auth = Deployment::with(&[("OTP_FAILURES_PER_IP", "2")]).await;
    let mut compared = 0;
    for subnet in 0..40 {
        let client = auth.client_at(&format!("2001:db8:1:{:x}::1", subnet * 0x100));
        let address = format!("user{subnet}@example.com");
        let asked = client.ask(&address).await;
        let answer = client.answer_unbound(&address, &wrong(&asked.code)).await;
        compared += u32::from(answer.code() == "invalid_otp");
    }
    assert_eq!(compared, 16);
}

/// A secret of the proxy, and the first half of its SHA-256.
const SECRET: (&str, &str) = ("a secret of the proxy", "77877be05cab881ce730659ddc2dd551");

/// Two requests of one proxy, for two clients: whether they count as two networks.
async fn are_two(settings: &[(&str, &str)], forwarded: [&str; 2], secret: Option<&str>) -> bool {
    let settings = [&[("OTP_REQUESTS_PER_IP", "1")], settings].concat();
    let auth = Deployment::with(&settings).await;
    let mut codes = Vec::new();
    for forwarded in forwarded {
        let request = Request::post(REQUEST).header("content-type", "application/json");
        let request =
            request.header("x-forwarded-for", forwarded.as_bytes()).header("x-origin-secret", secret.unwrap_or("x"));
        let body = Bytes::from(json!({ "identifier": ADA }).to_string());
        codes.push(auth.client().send(request.body(body).unwrap()).await.code().to_owned());
    }
    assert_eq!(codes[0], "ok");
    codes[1] == "ok"
}

/// V24, S65: a forwarded address counts only behind a trusted proxy, at the right end, with any bytes to its left.
#[tokio::test]
async fn a_forwarded_address_counts_only_behind_a_trusted_proxy() {
    const CLIENTS: [&str; 2] = ["198.51.100.1", "198.51.100.2"];
    let trusted = [("TRUSTED_PROXIES", "192.0.2.0/24"), ("TRUSTED_HOPS", "1")];
    assert!(!are_two(&[], CLIENTS, None).await);
    assert!(!are_two(&[("TRUSTED_PROXIES", "203.0.113.0/24"), ("TRUSTED_HOPS", "1")], CLIENTS, None).await);
    assert!(are_two(&trusted, CLIENTS, None).await);
    assert!(are_two(&trusted, ["198.51.100.1:443", "[2001:db8::1]:443"], None).await);
    assert!(!are_two(&trusted, ["198.51.100.1", "198.51.100.1:443"], None).await);
    assert!(!are_two(&trusted, ["198.51.100.1", "203.0.113.9, 198.51.100.1"], None).await);
    assert!(!are_two(&trusted, ["198.51.100.1", "\u{e9}, 198.51.100.1"], None).await);
}

/// S159, V63: another customer of the same CDN stands in front of our distribution, or beside it with the same networks.
#[tokio::test]
async fn another_customer_of_a_cdn_speaks_for_no_client() {
    let trusted = [("TRUSTED_PROXIES", "192.0.2.0/24"), ("TRUSTED_HOPS", "1")];
    // 192.0.2.9 is their distribution, and what it forwards is theirs to write.
    assert!(!are_two(&trusted, ["198.51.100.1, 192.0.2.9", "198.51.100.2, 192.0.2.9"], None).await);
    let secret = [("ORIGIN_SECRET_SHA256", SECRET.1), ("TRUSTED_HOPS", "1")];
    assert!(are_two(&secret, ["198.51.100.1", "198.51.100.2"], Some(SECRET.0)).await);
    for shown in [None, Some("another secret"), Some(SECRET.1)] {
        assert!(!are_two(&secret, ["198.51.100.1", "198.51.100.2"], shown).await, "{shown:?}");
        assert!(!are_two(&[secret.as_slice(), &trusted].concat(), ["198.51.100.1", "198.51.100.2"], shown).await);
    }
}

/// S140: parallel requests stay within the bucket and within a network's share of codes of its own.
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
    // One more code of somebody's own leaves the last token. It is spent on a long code to share, because the first one may be in an
    // older message.
    assert_eq!(auth.messages_to(ADA), 5);
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
    // The network's limit ignores an answer that names its challenge.
    auth.client().answer(ADA, &asked).await.ok();
    let asked = auth.client_at("198.51.100.1").ask(ADA).await;
    auth.client_at("198.51.100.1").answer_unbound(ADA, &asked.code).await.ok();
    auth.wait(600);
    let asked = auth.client().ask(ADA).await;
    auth.client().answer_unbound(ADA, &asked.code).await.ok();
}
