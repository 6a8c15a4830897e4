//! Limits on the cost of SMS: the daily budget, the limit per network and day, and the circuit breaker, also under parallel
//! requests.

use futures_util::future::join_all;
use local_aws::CallRecord;
use local_aws::faults::{AwsError, When};
use local_aws::gate::{Held, Release};
use serde_json::{Value, json};
use tests::client::REQUEST;
use tests::deployment::START;
use tests::pumping::Attack;
use tests::{Answer, Deployment};

/// Seconds in a day. The clock starts at midnight.
const DAY: u64 = 86_400;

/// A British number in one of forty ranges.
fn british(number: usize) -> String {
    format!("+4474{:02}{number:06}", number % 40)
}

fn of_one_range(number: usize) -> String {
    format!("+447400{number:06}")
}

fn german(number: usize) -> String {
    format!("+4915123{number:06}")
}

/// A request from its own network.
async fn ask(auth: &Deployment, number: usize, phone: String) -> Answer {
    let client = auth.client_at(&format!("10.{}.{}.1", number / 256, number % 256));
    client.post(REQUEST, json!({ "identifier": phone })).await
}

fn american(number: usize) -> String {
    format!("+1212555{number:04}")
}

fn sent(answers: &[Answer]) -> usize {
    assert!(answers.iter().all(|answer| matches!(answer.code(), "ok" | "rate_limited")), "{answers:?}");
    answers.iter().filter(|answer| answer.code() == "ok").count()
}

/// Of 64 parallel requests, exactly 30 lead to a message. The others wait for the next day.
async fn thirty_of_64_are_sent(auth: &Deployment) {
    let answers = join_all((0..64).map(|number| ask(auth, number, british(number)))).await;
    assert_eq!(sent(&answers), 30);
    assert_eq!(auth.stack.inbox().messages(None).len(), 30);
    let refused = answers.iter().find(|answer| answer.code() != "ok").unwrap();
    assert!((DAY..=DAY + 60).contains(&refused.retry_after()), "until midnight in UTC");
}

/// The messages of 256 requests to a stopped country or range, 64 at a time.
async fn probes(auth: &Deployment, phone: fn(usize) -> String) -> usize {
    let mut probes = 0;
    for batch in 2..6 {
        let numbers = 64 * batch..64 * (batch + 1);
        probes += sent(&join_all(numbers.map(|number| ask(auth, number, phone(number)))).await);
    }
    probes
}

/// The spending of a day can be looked up for a month.
#[tokio::test]
async fn a_days_counts_are_kept_for_a_month() {
    let auth = Deployment::start().await;
    ask(&auth, 0, british(0)).await.ok();
    let kept: Vec<_> = auth.items_of("OTP_TABLE", "SMS#").iter().map(|item| item["ttl"]["N"].clone()).collect();
    assert_eq!(kept, vec![json!((START + 32 * DAY).to_string()); 2]);
}

/// S71: 64 parallel requests stay within the total budget and each country's share.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_senders_do_not_pass_the_days_budget() {
    for (total, per_country) in [("30", "100"), ("100", "30")] {
        let auth = Deployment::with(&[
            ("SMS_DAILY_BUDGET", total),
            ("SMS_DAILY_BUDGET_PER_COUNTRY", per_country),
            ("SMS_RESERVED_SHARE", "0"),
            ("SMS_BREAKER_SHARE", "0"),
        ])
        .await;
        thirty_of_64_are_sent(&auth).await;

        let elsewhere = ask(&auth, 64, german(0)).await;
        assert_eq!(elsewhere.code(), if total == "30" { "rate_limited" } else { "ok" });
        auth.client().ask("ada@example.com").await;
        auth.wait(DAY);
        ask(&auth, 65, british(65)).await.ok();
    }
}

/// S71: 64 parallel requests stay within the day's money, to the last cent. What is left of it is for cheaper countries.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_senders_do_not_pass_the_days_money() {
    for (daily, prices, spent) in [("1.70", "", "1650000"), ("0.305", "GB=0.01,US=0.001", "300000")] {
        let auth = Deployment::with(&[
            ("SMS_DAILY_BUDGET_USD", daily),
            ("SMS_PRICES", prices),
            ("SMS_RESERVED_SHARE", "0"),
            ("SMS_BREAKER_SHARE", "0"),
        ])
        .await;
        thirty_of_64_are_sent(&auth).await;
        assert_eq!(money_of_the_day(&auth), spent);

        ask(&auth, 64, german(0)).await.refused(429, "rate_limited");
        ask(&auth, 65, american(0)).await.ok();
        auth.wait(DAY);
        ask(&auth, 66, british(66)).await.ok();
    }
}

/// The cost of a day's messages, in millionths of a dollar.
fn money_of_the_day(auth: &Deployment) -> String {
    let day = auth.items_of("OTP_TABLE", "SMS#").into_iter().find(|item| item.get("sGB").is_some()).unwrap();
    day["m"]["N"].as_str().unwrap().to_owned()
}

/// Without a limit in money, the table has none of its counts.
#[tokio::test]
async fn money_is_counted_only_for_a_limit() {
    let auth = Deployment::start().await;
    ask(&auth, 0, british(0)).await.ok();
    assert!(auth.items_of("OTP_TABLE", "SMS#").iter().all(|item| item.get("m").is_none()));
}

/// A request refused by the budget leaves the number's bucket as it is.
#[tokio::test]
async fn a_request_over_the_budget_costs_its_owner_nothing() {
    let auth = Deployment::with(&[("SMS_DAILY_BUDGET", "1")]).await;
    ask(&auth, 0, british(0)).await.ok();
    let before = auth.items_of("OTP_TABLE", "I#").len();
    for number in 0..5 {
        ask(&auth, number, british(1)).await.refused(429, "rate_limited");
    }
    assert_eq!(auth.items_of("OTP_TABLE", "I#").len(), before);
}

#[tokio::test]
async fn a_refused_send_is_not_given_back() {
    let auth = Deployment::with(&[("SMS_DAILY_BUDGET", "4")]).await;
    auth.faults(json!({ "delivery": "refused" }));
    for number in 0..2 {
        ask(&auth, number, british(number)).await.refused(502, "sms_send_failed");
    }
    auth.faults(json!({}));
    ask(&auth, 2, british(2)).await.refused(429, "rate_limited");
}

/// An SMS on a broken connection may have been paid for. It stays counted against the budget and the breaker.
#[tokio::test]
async fn a_send_with_an_unknown_outcome_stays_counted() {
    for settings in [[("SMS_DAILY_BUDGET", "4")], [("SMS_BREAKER_RANGE_SENDS", "4")]] {
        let auth = Deployment::with(&settings).await;
        auth.faults(json!({ "aws": [{ "service": "sns", "error": "connection_reset", "times": 2 }] }));
        for number in 0..2 {
            ask(&auth, number, of_one_range(number)).await.refused(502, "sms_send_failed");
        }
        ask(&auth, 2, of_one_range(2)).await.refused(429, "rate_limited");
    }
}

/// If SNS fails, the breaker debt is returned, because users could not have answered.
#[tokio::test]
async fn refused_sends_do_not_trip_the_breaker() {
    let auth = Deployment::start().await;
    auth.faults(json!({ "delivery": "refused" }));
    for number in 0..25 {
        ask(&auth, number, british(number)).await.refused(502, "sms_send_failed");
    }
    auth.faults(json!({}));
    ask(&auth, 25, british(25)).await.ok();
}

/// The share is exact for every number of messages.
#[tokio::test]
async fn a_country_stays_open_while_the_configured_share_of_codes_is_used() {
    let settings = [("SMS_BREAKER_SHARE", "60"), ("SMS_BREAKER_SENDS", "3"), ("SMS_BREAKER_RANGE_SENDS", "1000")];
    let auth = Deployment::with(&settings).await;
    // First two of three codes are used, more than 60 percent. Then one of two, which is less.
    for (uses, of, goes_on) in [(2, 3, true), (1, 2, false)] {
        let mut stopped = 0;
        for number in 0..45 {
            let (client, phone) = (auth.client_at(&format!("192.0.{number}.{of}")), british(of * 1_000 + number));
            let answer = client.post(REQUEST, json!({ "identifier": phone })).await;
            stopped += usize::from(answer.code() == "rate_limited");
            if number % of < uses && answer.code() == "ok" {
                let code = auth.newest_code(&phone);
                client.answer_unbound(&phone, &code).await.ok();
            }
        }
        assert_eq!(stopped == 0, goes_on, "{uses} of {of}");
    }
}

/// While a country is stopped, repeated requests leave the network's daily limit unchanged.
#[tokio::test]
async fn requests_refused_by_the_breaker_do_not_count_for_the_network() {
    let auth = Deployment::start().await;
    join_all((0..20).map(|number| ask(&auth, number, british(number)))).await;
    for _ in 0..15 {
        auth.client().post(REQUEST, json!({ "identifier": british(99) })).await.refused(429, "rate_limited");
        auth.wait(60);
    }
    auth.client().post(REQUEST, json!({ "identifier": german(1) })).await.ok();
}

#[tokio::test]
async fn a_budget_below_one_message_sends_nothing() {
    for (name, budget) in [
        ("SMS_DAILY_BUDGET", "0"),
        ("SMS_DAILY_BUDGET_PER_COUNTRY", "0"),
        ("SMS_DAILY_BUDGET_USD", "0.05"),
        ("SMS_PER_IP_DAY", "0"),
    ] {
        let auth = Deployment::with(&[(name, budget)]).await;
        ask(&auth, 0, british(0)).await.refused(429, "rate_limited");
        assert_eq!(auth.stack.inbox().messages(None).len(), 0, "{name}");
    }
}

/// S88: a message is sent only after it was counted.
#[tokio::test]
async fn nothing_is_sent_when_the_budget_is_unreachable() {
    let auth = Deployment::start().await;
    for operation in ["BatchGetItem", "UpdateItem"] {
        let fault = json!({ "service": "dynamodb", "operation": operation, "key": "SMS#", "error": "ThrottlingException", "times": 100 });
        auth.faults(json!({ "aws": [fault] }));
        ask(&auth, 0, british(0)).await.refused(503, "unavailable");
    }
    assert_eq!(auth.stack.inbox().messages(None).len(), 0);
}

/// A table that is too busy for some of the counts is asked again, so that the counts are known before a challenge begins.
#[tokio::test]
async fn counts_that_a_busy_table_left_out_are_read_again() {
    let auth = Deployment::with(&[("SMS_DAILY_BUDGET", "2"), ("SMS_RESERVED_SHARE", "0")]).await;
    let busy = |times: u32| {
        json!({ "aws": [{ "operation": "BatchGetItem", "key": "SMS#", "error": "ProvisionedThroughputExceededException",
            "times": times }] })
    };
    let reads = || {
        let calls = auth.stack.services().calls().take();
        calls.iter().filter(|call| call.operation == "BatchGetItem").count()
    };
    auth.faults(busy(1));
    ask(&auth, 0, british(0)).await.ok();
    assert_eq!(reads(), 2);
    ask(&auth, 1, british(1)).await.ok();
    reads();
    // The network's own count alone would let the request begin a challenge.
    auth.faults(busy(1));
    let asked = ask(&auth, 2, british(2)).await;
    asked.refused(429, "rate_limited");
    assert_eq!(reads(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_gets_ten_messages_a_day() {
    let auth = Deployment::with(&[("OTP_REQUESTS_PER_IP", "1000")]).await;
    let asks = (0..32).map(|number| auth.client().post(REQUEST, json!({ "identifier": british(number) })));
    let answers = join_all(asks).await;
    assert_eq!(sent(&answers), 10);
    auth.client().ask("ada@example.com").await;
    auth.wait(DAY - 1);
    auth.client().post(REQUEST, json!({ "identifier": british(99) })).await.refused(429, "rate_limited");
    auth.wait(1);
    auth.client().post(REQUEST, json!({ "identifier": british(99) })).await.ok();
}

/// V40: a country without used codes is stopped. Other countries continue.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_country_without_answers_is_stopped() {
    let auth = Deployment::start().await;
    let answers = join_all((0..64).map(|number| ask(&auth, number, british(number)))).await;
    assert_eq!(sent(&answers), 10);
    let refused = answers.iter().find(|answer| answer.code() != "ok").unwrap();
    assert!((300..=360).contains(&refused.retry_after()), "codes are pending");
    ask(&auth, 64, german(0)).await.ok();

    auth.wait(300);
    let wait = ask(&auth, 65, british(65)).await.retry_after();
    assert!((6_900..=6_960).contains(&wait), "{wait}");
    auth.wait(6_900);
    assert_eq!(probes(&auth, british).await, 1, "one message is sent to test for answers");
}

/// A range is stopped before its country, because an attacker usually has numbers of one range. The rest of the country
/// continues.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_range_without_answers_is_stopped() {
    let auth = Deployment::start().await;
    let answers = join_all((0..64).map(|number| ask(&auth, number, of_one_range(number)))).await;
    // Some requests are refused because of a reservation that is later returned. Requests one after the other find its room.
    let mut messages = sent(&answers);
    for number in 65.. {
        if ask(&auth, number, of_one_range(number)).await.code() != "ok" {
            break;
        }
        messages += 1;
    }
    assert_eq!(messages, 3);
    ask(&auth, 64, british(1)).await.ok();
    auth.client_at("192.0.2.9").sign_in(&british(2)).await;
    auth.wait(7_200);
    assert_eq!(probes(&auth, of_one_range).await, 1);
}

/// If either the range or the country is closed, nothing is sent and all reservations are returned. Otherwise parallel requests
/// to one range would use up the day for all others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unsent_messages_return_to_every_budget() {
    for (range, country) in [("5", "100"), ("1000", "5")] {
        let settings = [
            ("SMS_BREAKER_RANGE_SENDS", range),
            ("SMS_DAILY_BUDGET_PER_COUNTRY", country),
            ("SMS_DAILY_BUDGET_USD", "100"),
        ];
        let auth = Deployment::with(&settings).await;
        auth.stack.services().calls().take();
        let answers = join_all((0..64).map(|number| ask(&auth, number, of_one_range(number)))).await;
        let sent = sent(&answers) as i64;
        let is_take = |call: &CallRecord| call.operation == "UpdateItem" && call.keys[0].starts_with("SMS#");
        let takes = auth.stack.services().calls().take().iter().filter(|call| is_take(call)).count() as i64;
        assert!(
            (1..=5).contains(&sent) && takes > 2 * sent,
            "{takes} reservations for {sent} messages: the requests did not race"
        );

        let items = auth.items_of("OTP_TABLE", "SMS#");
        let counts = |names: [&str; 3]| {
            let item = items.iter().find(|item| item.get(names[1]).is_some()).unwrap();
            names.map(|name| item[name]["N"].as_str().unwrap().parse::<i64>().unwrap())
        };
        assert_eq!(counts(["n", "sGB", "kGB"]), [sent, sent, 10 * sent], "of the country");
        assert_eq!(counts(["n", "s", "k"]), [sent, sent, 10 * sent], "of the range");
        assert_eq!(money_of_the_day(&auth), (55_000 * sent).to_string());
    }
}

/// Of two parallel requests, the second finds its range closed and returns its reservation, but the answer to that write is lost.
/// If the SDK retried the write, it would also return the reservation of another message.
#[tokio::test]
async fn a_reservation_is_returned_only_once() {
    let auth = Deployment::with(&[("SMS_BREAKER_RANGE_SENDS", "1")]).await;
    ask(&auth, 0, german(0)).await.ok();
    let gate = auth.stack.services().gate();
    gate.close();
    let asking = async { tokio::join!(ask(&auth, 1, of_one_range(1)), ask(&auth, 2, of_one_range(2))) };
    let letting_go = async {
        let (mut taken, mut given_back) = (0, 0);
        while taken < 4 || given_back == 0 {
            let held = gate.held();
            let says = |call: &Held, name: &str| call.body["ExpressionAttributeValues"].get(name).is_some();
            let (takes, others): (Vec<_>, Vec<_>) = held.iter().partition(|call| says(call, ":most_sent"));
            for call in others {
                let is_back = says(call, ":minus1");
                given_back += usize::from(is_back);
                let lost = Release::Failed(AwsError::InternalServerError, When::After);
                gate.release(call.number, if is_back { lost } else { Release::Answered });
            }
            if takes.len() == 4 {
                taken = takes.iter().filter(|call| gate.release(call.number, Release::Answered)).count();
            }
            tokio::task::yield_now().await;
        }
        gate.open();
    };
    let both = async { tokio::join!(asking, letting_go).0 };
    let (one, other) = tokio::time::timeout(std::time::Duration::from_secs(60), both).await.expect("one gives back");
    let mut codes = [one.code(), other.code()];
    codes.sort_unstable();
    assert_eq!(codes, ["ok", "rate_limited"]);
    let day = auth.items_of("OTP_TABLE", "SMS#").into_iter().find(|item| item.get("sGB").is_some()).unwrap();
    assert_eq!(["n", "sGB", "sDE"].map(|name| day[name]["N"].as_str().unwrap().to_owned()), ["2", "1", "1"]);
}

/// An instance that saw the budget used up by such reservations must not cache this for the whole day.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_returned_budget_is_available_again() {
    let auth = Deployment::with(&[("SMS_DAILY_BUDGET", "12")]).await;
    let answers = join_all((0..64).map(|number| ask(&auth, number, of_one_range(number)))).await;
    assert!(sent(&answers) <= 5, "{}", sent(&answers));
    auth.wait(60);
    ask(&auth, 64, german(0)).await.ok();
}

/// A code sent yesterday leaves today's debt alone, on a day without messages to its country. The function attempts the write
/// only once.
#[tokio::test]
async fn a_code_from_yesterday_pays_off_no_debt_of_today() {
    let auth = Deployment::start().await;
    auth.wait(DAY - 60);
    let asked = auth.client().ask(&british(0)).await;
    auth.wait(60);
    ask(&auth, 1, german(0)).await.ok();
    auth.stack.services().calls().take();
    auth.client().answer(&british(0), &asked).await.ok();
    let calls = auth.stack.services().calls().take();
    let counted: Vec<_> = calls.iter().filter(|call| call.keys[0].starts_with("SMS#")).collect();
    assert_eq!(counted.len(), 2, "one write each for the country and the range: {counted:?}");
}

/// Users who request codes at the same time and answer gradually wait for seconds instead of hours.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_country_with_answers_stays_open() {
    let auth = Deployment::start().await;
    let answers = join_all((0..30).map(|number| ask(&auth, number, british(number)))).await;
    assert_eq!(sent(&answers), 10);
    for (number, answer) in answers.iter().enumerate().filter(|(_, answer)| answer.code() == "ok").take(2) {
        let body = json!({
            "identifier": british(number),
            "otp_code": auth.newest_code(&british(number)),
            "challenge_id": answer.body["challenge_id"],
        });
        auth.client().post(tests::client::VERIFY, body).await.ok();
    }
    // Each of the two used codes pays for ten messages.
    let answers = join_all((30..60).map(|number| ask(&auth, number, british(number)))).await;
    assert_eq!(sent(&answers), 20);
}

/// Used codes allow the same number of further messages, up to a cap. Otherwise an attack could spend a whole morning's answers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_credit_for_answers_is_capped() {
    let auth = Deployment::with(&[("SMS_DAILY_BUDGET", "1000"), ("SMS_DAILY_BUDGET_PER_COUNTRY", "1000")]).await;
    let sign_ins = (0..8).map(|number| {
        let client = auth.client_at(&format!("192.0.2.{number}"));
        async move { client.sign_in(&british(number)).await }
    });
    join_all(sign_ins).await;
    let mut answers = Vec::new();
    for number in 100..160 {
        answers.push(ask(&auth, number, british(number)).await);
    }
    assert_eq!(sent(&answers), 30);
}

#[tokio::test]
async fn the_day_counts_sent_messages_and_used_codes() {
    let auth = Deployment::start().await;
    auth.client().sign_in(&british(0)).await;
    auth.client().sign_in(&british(0)).await;
    ask(&auth, 1, german(1)).await.ok();
    let days = auth.items_of("OTP_TABLE", "SMS#");
    let day = days.iter().find(|item| item.get("sGB").is_some()).unwrap();
    let count = |name: &str| day[name]["N"].as_str().unwrap_or("0").to_owned();
    let counts = ["n", "sGB", "uGB", "sDE", "uDE"].map(count);
    assert_eq!(counts, ["3", "2", "2", "1", "0"]);
}

/// The requirement: an attack on one prefix with 10,000 requests from 1,000 addresses in a day, without any answer. Real users in
/// another country, and in other ranges of the same country, can sign in throughout.
#[tokio::test]
async fn an_attack_of_ten_thousand_requests_gets_fewer_than_sixty_messages() {
    let auth = Deployment::start().await;
    auth.wait(DAY / 2);
    let attack = Attack { requests: 10_000, addresses: 1_000, seconds: DAY, elsewhere: 50, there: 20 };
    let damage = attack.on(&auth).await;
    assert!(damage.sent < 60, "{damage:?}");
    assert_eq!((damage.elsewhere, damage.there), (50, 20), "real users were refused");
}

/// A known device's request, from a network of its own.
async fn ask_at_home(auth: &Deployment, phone: &str, device: &Value) -> Answer {
    auth.client_at("203.0.113.7").post(REQUEST, json!({ "identifier": phone, "device": device })).await
}

/// Signs in, and returns the device token.
async fn device_of(auth: &Deployment, phone: &str) -> Value {
    let client = auth.client_at("203.0.113.7");
    let asked = client.ask(phone).await;
    client.answer(phone, &asked).await.ok()["device"].clone()
}

/// S167, V68: an attacker who stops a country, or uses up its budget, stops strangers. People with a known device go on. A number's
/// history makes no difference without one.
#[tokio::test]
async fn v68_known_devices_go_on_where_strangers_are_stopped() {
    for (settings, left) in [
        (&[("SMS_BREAKER_SENDS", "20")][..], 3),
        (&[("SMS_DAILY_BUDGET_PER_COUNTRY", "22"), ("SMS_BREAKER_SHARE", "0")], 3),
        (&[("SMS_DAILY_BUDGET", "22"), ("SMS_BREAKER_SHARE", "0")], 3),
        (&[("SMS_DAILY_BUDGET_USD", "1.21"), ("SMS_BREAKER_SHARE", "0")], 3),
    ] {
        let auth = Deployment::with(settings).await;
        let device = device_of(&auth, &british(1_000)).await;
        let mut answers = Vec::new();
        for number in 0..64 {
            answers.push(ask(&auth, number, british(number)).await);
        }
        assert!((10..=20).contains(&sent(&answers)), "{settings:?}: {}", sent(&answers));
        for _ in 0..left {
            ask_at_home(&auth, &british(1_000), &device).await.ok();
        }
        let [owner, nobody] = [british(1_000), british(2_000)];
        let client = auth.client_at("192.0.2.77");
        let owner = client.post(REQUEST, json!({ "identifier": owner })).await;
        let nobody = client.post(REQUEST, json!({ "identifier": nobody })).await;
        owner.refused(429, "rate_limited");
        assert_eq!(owner.retry_after(), nobody.retry_after(), "{settings:?}");
    }
}

/// S168: after the pause, the first request is seldom the probe. So an attacker who asks all the time does not take every one.
#[tokio::test]
async fn the_probe_of_a_stopped_country_is_drawn() {
    let auth = Deployment::with(&[
        ("SMS_BREAKER_SENDS", "2"),
        ("SMS_BREAKER_SECONDS", "600"),
        ("SMS_PER_IP_DAY", "1000"),
        ("SMS_DAILY_BUDGET", "1000"),
        ("SMS_DAILY_BUDGET_PER_COUNTRY", "1000"),
    ])
    .await;
    ask(&auth, 0, british(0)).await.ok();
    let (mut first, mut probes) = (0, 0);
    for number in 1..=60 {
        auth.wait(600);
        // The first request of each pause comes from the same network.
        let answer = auth.client_at("198.51.100.1").post(REQUEST, json!({ "identifier": british(number) })).await;
        first += usize::from(answer.code() == "ok");
        for waiting in 0..3 {
            probes +=
                usize::from(ask(&auth, 100 * number + waiting, british(100 * number + waiting)).await.code() == "ok");
        }
    }
    // On average 7.5 of 60.
    assert!(first < 30, "{first} of 60 probes were the first request");
    assert!(first + probes > 0 && first + probes <= 60, "{first} and {probes}");
}
