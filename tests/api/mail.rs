//! Limits on mail: the day's total, the limit of a recipient domain, networks that leave mails unanswered, and allowed domains.

use serde_json::{Value, json};
use tests::client::{REQUEST, VERIFY};
use tests::{Answer, Client, Deployment};

const DAY: u64 = 86_400;
const ADA: &str = "ada@example.com";
/// No network comes near its limit of requests in a window.
const PATIENT: (&str, &str) = ("OTP_REQUESTS_PER_IP", "1000000");

/// A network that answers none of its mails.
fn attacker(auth: &Deployment) -> Client<'_> {
    auth.client_at("198.51.100.1")
}

/// A network without an unanswered mail.
fn fresh(auth: &Deployment, number: usize) -> Client<'_> {
    auth.client_at(&format!("10.0.{}.{}", number / 256, number % 256))
}

async fn ask(client: Client<'_>, identifier: &str) -> Answer {
    client.post(REQUEST, json!({ "identifier": identifier })).await
}

/// Asks for codes for `count` people who all have a domain of their own.
async fn ask_everywhere(client: Client<'_>, name: &str, count: usize) {
    for number in 0..count {
        ask(client, &format!("{name}@d{number}.example")).await.ok();
    }
}

/// Signs in from a network of its own, and returns the device token.
async fn device_of(auth: &Deployment, identifier: &str) -> Value {
    let client = auth.client_at("203.0.113.1");
    let asked = client.ask(identifier).await;
    client.answer(identifier, &asked).await.ok()["device"].clone()
}

async fn ask_at_home(client: Client<'_>, identifier: &str, device: &Value) -> Answer {
    client.post(REQUEST, json!({ "identifier": identifier, "device": device })).await
}

/// The writes to items of mail since the last call.
fn mail_writes(auth: &Deployment, kind: &str) -> usize {
    let calls = auth.stack.services().calls().take();
    calls.iter().filter(|call| call.keys.iter().any(|key| key.starts_with(kind))).count()
}

/// A number in the only item whose key starts so.
fn count(auth: &Deployment, kind: &str, name: &str) -> i64 {
    let item = auth.items_of("OTP_TABLE", kind).pop().unwrap_or_default();
    item[name]["N"].as_str().map_or(0, |number| number.parse().unwrap())
}

/// S163, V66: an attacker who uses up the day's mails stops themselves, and neither known devices nor people on other networks. At
/// twice the total, known devices are served alone.
#[tokio::test]
async fn v66_the_days_total_stops_those_who_leave_mails_unanswered() {
    let auth = Deployment::with(&[PATIENT, ("MAIL_DAILY_BUDGET", "32")]).await;
    let device = device_of(&auth, ADA).await;
    ask_everywhere(attacker(&auth), "mallory", 31).await;
    let (stranger, owner) = (ask(attacker(&auth), "nobody@example.com").await, ask(attacker(&auth), ADA).await);
    assert_eq!((stranger.code(), stranger.retry_after()), ("rate_limited", DAY), "until midnight in UTC");
    assert_eq!(
        stranger.body["retry_after"], owner.body["retry_after"],
        "the history of an address makes no difference"
    );
    assert_eq!(owner.code(), "rate_limited");

    ask_at_home(attacker(&auth), ADA, &device).await.ok();
    for number in 0..31 {
        ask(fresh(&auth, number), &format!("grace{number}@example.com")).await.ok();
    }
    ask(fresh(&auth, 0), "again@example.com").await.refused(429, "rate_limited");
    ask(fresh(&auth, 31), "late@example.com").await.refused(429, "rate_limited");
    ask_at_home(attacker(&auth), ADA, &device).await.ok();

    auth.wait(DAY);
    ask(attacker(&auth), "nobody@example.com").await.ok();
}

/// Signs 112 people in at example.com: seven batches of used codes.
async fn settle_people(auth: &Deployment) {
    for number in 0..112 {
        fresh(auth, number).sign_in(&format!("p{number}@example.com")).await;
    }
}

/// Sends mails to example.com until one is refused, and returns their number.
async fn flood(client: Client<'_>) -> usize {
    for number in 0.. {
        let answer = ask(client, &format!("q{number}@example.com")).await;
        if answer.code() != "ok" {
            answer.refused(429, "rate_limited");
            return number;
        }
    }
    0
}

/// S163, V67: strangers who send mails to a domain stop themselves there, at ten mails for each code that was used there in seven days.
/// Its people, known or on other networks, still get their mails.
#[tokio::test]
async fn v67_strangers_switch_no_domain_off() {
    let auth = Deployment::with(&[PATIENT]).await;
    settle_people(&auth).await;
    auth.wait(6 * DAY);
    let device = device_of(&auth, ADA).await;
    assert_eq!(flood(attacker(&auth)).await, 1_120 - 1);
    ask(attacker(&auth), "p0@example.org").await.ok();
    ask(fresh(&auth, 1), "grace@example.com").await.ok();
    ask_at_home(attacker(&auth), ADA, &device).await.ok();

    // Another instance learns it with its first batch.
    let other = auth.stack.another_api("other").await.unwrap();
    assert_eq!(flood(attacker(&auth).by(&other)).await, 16);
    auth.wait(DAY);
    ask(attacker(&auth), "p0@example.com").await.ok();
}

/// S163: codes that were used a week ago do not raise a domain's limit any more. It stays at a thousand.
#[tokio::test]
async fn a_domain_gets_a_thousand_mails_at_least() {
    let auth = Deployment::with(&[PATIENT]).await;
    settle_people(&auth).await;
    auth.wait(7 * DAY);
    assert_eq!(flood(attacker(&auth)).await, 1_000);
}

/// S164: a network with 25 unanswered mails in a day may make two requests in ten minutes. Each answered mail counts for one more.
/// Known devices and other networks are not slowed.
#[tokio::test]
async fn a_network_that_leaves_mails_unanswered_is_slowed() {
    let auth = Deployment::start().await;
    let device = device_of(&auth, ADA).await;
    let mut asked = Vec::new();
    for number in 0..25 {
        let identifier = format!("p{number}@example.com");
        asked.push((attacker(&auth).ask(&identifier).await, identifier));
    }
    for (asked, identifier) in &asked[..5] {
        attacker(&auth).answer(identifier, asked).await.ok();
    }
    auth.wait(600);
    for number in 25..30 {
        ask(attacker(&auth), &format!("p{number}@example.com")).await.ok();
    }
    let slowed = ask(attacker(&auth), "p30@example.com").await;
    assert_eq!((slowed.code(), slowed.retry_after()), ("rate_limited", 600));
    ask_at_home(attacker(&auth), ADA, &device).await.ok();
    auth.client().ask("p30@example.com").await;
    auth.stack.services().calls().take();
    ask(attacker(&auth), "p30@example.com").await.refused(429, "rate_limited");
    assert!(auth.stack.services().calls().take().is_empty(), "an instance remembers a slowed network");

    auth.wait(600);
    for (number, code) in [(31, "ok"), (32, "ok"), (33, "rate_limited")] {
        assert_eq!(ask(attacker(&auth), &format!("p{number}@example.com")).await.code(), code);
    }
    auth.wait(DAY);
    for number in 0..25 {
        ask(attacker(&auth), &format!("p{number}@example.com")).await.ok();
    }
}

/// S158, S164: the unanswered mails of an IPv6 /56 count as those of two networks, whatever its /64.
#[tokio::test]
async fn an_ipv6_household_is_slowed_as_two_networks() {
    let auth = Deployment::start().await;
    let household = |number: usize| auth.client_at(&format!("2001:db8:1:{number:x}::1"));
    for number in 0..50 {
        ask(household(number), &format!("p{number}@example.com")).await.ok();
    }
    auth.wait(600);
    for number in 0..4 {
        ask(household(number), &format!("q{number}@example.com")).await.ok();
    }
    ask(household(99), "q4@example.com").await.refused(429, "rate_limited");
    ask(household(0x100), "q4@example.com").await.ok();
}

/// S165: a mail that was not sent counts neither for the day, nor for its network.
#[tokio::test]
async fn a_mail_that_was_not_sent_comes_back() {
    let auth = Deployment::with(&[PATIENT, ("MAIL_DAILY_BUDGET", "16")]).await;
    auth.faults(json!({ "delivery": "refused" }));
    for number in 0..20 {
        ask(attacker(&auth), &format!("p{number}@example.com")).await.refused(502, "email_send_failed");
    }
    auth.faults(json!({}));
    let asked = ask(attacker(&auth), ADA).await.ok();
    assert_eq!([count(&auth, "MAIL#day", "n"), count(&auth, "R#request", "m")], [16, 1]);
    // A request that is answered again, and requests that share a long code, send nothing.
    let again = json!({ "identifier": ADA, "challenge_id": asked["challenge_id"] });
    attacker(&auth).post(REQUEST, again).await.ok();
    for number in 0..15 {
        ask(fresh(&auth, number), ADA).await.ok();
    }
    assert_eq!(auth.stack.inbox().messages(None).len(), 5);
    ask(attacker(&auth), "grace@example.com").await.ok();
    assert_eq!([count(&auth, "MAIL#day", "n"), auth.stack.inbox().messages(None).len() as i64], [16, 6]);
}

/// S165: an SMS is no mail.
#[tokio::test]
async fn texts_are_not_counted_as_mails() {
    let auth = Deployment::start().await;
    auth.client().ask("+447400123456").await;
    assert_eq!(auth.items_of("OTP_TABLE", "MAIL#").len(), 0);
    assert_eq!(count(&auth, "R#request", "m"), 0);
}

/// One mail in 16 costs a write, and one in 16 to a domain another.
#[tokio::test]
async fn mails_are_counted_sixteen_at_a_time() {
    let auth = Deployment::with(&[PATIENT]).await;
    auth.stack.services().calls().take();
    ask_everywhere(auth.client(), "p", 33).await;
    let calls = auth.stack.services().calls().take();
    let writes = |kind: &str| calls.iter().filter(|call| call.keys.iter().any(|key| key.starts_with(kind))).count();
    assert_eq!([writes("MAIL#day#"), writes("MAIL#to#")], [3, 0]);
    for number in 0..33 {
        ask(auth.client(), &format!("p{number}@example.com")).await.ok();
    }
    assert_eq!(mail_writes(&auth, "MAIL#to#"), 2);
    for number in 0..32 {
        auth.client().sign_in(&format!("q{number}@example.net")).await;
    }
    let items = auth.items_of("OTP_TABLE", "MAIL#to#");
    let used: Vec<_> = items.iter().filter_map(|item| item["u20454"]["N"].as_str()).collect();
    assert_eq!(used, ["32"]);
}

/// S88: a mail is sent only after it was counted. A batch of a domain's mails waits for the next request.
#[tokio::test]
async fn nothing_is_sent_that_cannot_be_counted() {
    let auth = Deployment::with(&[PATIENT]).await;
    let fails = |key: &str| {
        let fault = json!({ "service": "dynamodb", "key": key, "error": "ThrottlingException", "times": 100 });
        auth.faults(json!({ "aws": [fault] }));
    };
    fails("MAIL#day#");
    ask(auth.client(), ADA).await.refused(503, "unavailable");
    assert_eq!(auth.messages_to(ADA), 0);
    fails("MAIL#to#");
    for number in 0..17 {
        ask(auth.client(), &format!("p{number}@example.com")).await.ok();
    }
    auth.faults(json!({}));
    ask(auth.client(), ADA).await.ok();
    assert_eq!(count(&auth, "MAIL#to#", "s20454"), 17);
}

/// S166: a domain that gets no codes is refused before anything is counted.
#[tokio::test]
async fn a_domain_may_be_denied_or_left_out() {
    let auth = Deployment::with(&[("MAIL_ALLOW", "example.com,*.example.org"), ("MAIL_DENY", "bad.example.org")]).await;
    for other in ["ada@example.net", "ada@sub.example.com", "ada@bad.example.org", "ada@example.org"] {
        ask(auth.client(), other).await.refused(403, "forbidden");
    }
    assert!(auth.stack.services().calls().take().is_empty(), "a call was made");
    for address in [ADA, "ada@mail.example.org"] {
        auth.client().sign_in(address).await;
    }
}

/// The item of a network stays small, because the counts of earlier windows are removed now and then.
#[tokio::test]
async fn old_counts_of_a_network_are_removed() {
    let auth = Deployment::start().await;
    let counts = || {
        let item = auth.items_of("OTP_TABLE", "R#request#").pop().unwrap();
        item.as_object().unwrap().keys().filter(|name| name.starts_with('n')).count()
    };
    for window in 0..33 {
        assert_eq!(window, if window == 0 { 0 } else { counts() });
        auth.client().sign_in(&format!("p{window}@example.com")).await;
        auth.wait(600);
    }
    assert_eq!(counts(), 1);
}

/// A used code pays for its mail, and nothing more.
#[tokio::test]
async fn a_used_code_pays_for_one_mail() {
    let auth = Deployment::start().await;
    let asked = auth.client().ask(ADA).await;
    auth.client().ask("grace@example.com").await;
    assert_eq!(count(&auth, "R#request", "m"), 2);
    let body = json!({ "identifier": ADA, "otp_code": asked.code, "challenge_id": asked.challenge });
    for code in ["ok", "invalid_otp"] {
        assert_eq!(auth.client().post(VERIFY, body.clone()).await.code(), code);
    }
    assert_eq!(count(&auth, "R#request", "m"), 1);
    // From a network without a debt, it pays for nothing.
    let asked = auth.client().ask(ADA).await;
    auth.client_at("198.51.100.9").answer(ADA, &asked).await.ok();
    assert_eq!(count(&auth, "R#request", "m"), 2);
}
