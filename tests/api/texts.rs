//! Texts to one number: three with short codes at once, then long ones, and ten unanswered ones a day (S172).

use serde_json::json;
use tests::client::REQUEST;
use tests::operations::SETTINGS;
use tests::{Answer, Asked, Deployment};

const PHONE: &str = "+447400123456";
const DAY: u64 = 86_400;

/// Budgets and the limits of networks are out of the way.
async fn deployment() -> Deployment {
    Deployment::with(&SETTINGS).await
}

async fn ask(auth: &Deployment, network: usize) -> Answer {
    let client = auth.client_at(&format!("203.0.{}.{}", network / 250, network % 250));
    client.post(REQUEST, json!({ "identifier": PHONE })).await
}

fn length(auth: &Deployment) -> usize {
    auth.newest_code(PHONE).len()
}

/// The unanswered texts of the day, as the table has them.
fn texts(auth: &Deployment) -> String {
    auth.identifier(PHONE).unwrap()["dt"]["N"].as_str().unwrap().to_owned()
}

/// S172: three short codes at once, from one network or from several, then a long one every ten minutes, shared for five.
#[tokio::test]
async fn a_number_gets_three_short_codes_at_once_and_then_a_long_one_every_ten_minutes() {
    for networks in [1, 10] {
        let auth = deployment().await;
        let mut lengths = Vec::new();
        for number in 0..4 {
            ask(&auth, number % networks).await.ok();
            lengths.push(length(&auth));
        }
        assert_eq!(lengths, [6, 6, 6, 13], "{networks} networks");
        for _ in 0..3 {
            let before = auth.messages_to(PHONE);
            for (wait, code) in [(0, "ok"), (299, "ok"), (1, "rate_limited"), (299, "rate_limited")] {
                auth.wait(wait);
                let answer = ask(&auth, 9).await;
                assert_eq!(answer.code(), code, "{wait}");
                if code == "rate_limited" {
                    assert!((300..=660).contains(&answer.retry_after()), "{}", answer.retry_after());
                }
            }
            assert_eq!(auth.messages_to(PHONE), before);
            auth.wait(1);
            ask(&auth, 9).await.ok();
            assert_eq!((auth.messages_to(PHONE), length(&auth)), (before + 1, 13));
        }
    }
}

/// S172: after ten unanswered texts in a UTC day, only known devices are served until midnight.
#[tokio::test]
async fn a_number_gets_ten_unanswered_texts_a_day() {
    let auth = deployment().await;
    let asked = auth.client().ask(PHONE).await;
    let device = auth.client().answer(PHONE, &asked).await.ok()["device"].clone();
    assert_eq!(texts(&auth), "0", "the answered one is given back");
    let before = auth.messages_to(PHONE);
    let mut last = 0;
    for number in 0..12 * 12 {
        let answer = ask(&auth, number).await;
        assert!(["ok", "rate_limited"].contains(&answer.code()));
        last = if answer.code() == "ok" { last } else { answer.retry_after() };
        auth.wait(300);
    }
    assert_eq!((auth.messages_to(PHONE), texts(&auth)), (before + 10, "10".to_owned()));
    assert!((12 * 3_600..12 * 3_600 + 720).contains(&last), "until midnight: {last}");
    // A known device is served, and its text is not one of the ten.
    auth.client().post(REQUEST, json!({ "identifier": PHONE, "device": device })).await.ok();
    assert_eq!((auth.messages_to(PHONE), texts(&auth)), (before + 11, "10".to_owned()));
    assert_eq!(length(&auth), 6);
    auth.wait(DAY / 2 - 1);
    ask(&auth, 0).await.refused(429, "rate_limited");
    auth.wait(1);
    ask(&auth, 0).await.ok();
    assert_eq!((texts(&auth), length(&auth)), ("1".to_owned(), 6));
}

/// S172: a used code gives its text back, short or long. One that was not sent does not count.
#[tokio::test]
async fn a_used_code_gives_its_text_back() {
    let auth = deployment().await;
    for _ in 0..12 {
        auth.client().sign_in(PHONE).await;
    }
    assert_eq!(texts(&auth), "0");
    for number in 0..3 {
        ask(&auth, number).await.ok();
    }
    let long = ask(&auth, 9).await.ok();
    assert_eq!((length(&auth), texts(&auth)), (13, "4".to_owned()));
    let challenge = long["challenge_id"].as_str().unwrap().to_owned();
    let asked = Asked { challenge, code: auth.newest_code(PHONE) };
    auth.client().answer(PHONE, &asked).await.ok();
    assert_eq!(texts(&auth), "3");

    auth.wait(3_600);
    auth.faults(json!({ "delivery": "refused" }));
    for number in 0..4 {
        ask(&auth, number).await.refused(502, "sms_send_failed");
    }
    auth.faults(json!({}));
    assert_eq!(texts(&auth), "3");
}

/// A text of a challenge that is sent again counts like any other.
#[tokio::test]
async fn a_text_that_is_sent_again_counts() {
    let auth = deployment().await;
    let asked = auth.client().ask(PHONE).await;
    auth.wait(30);
    let again = json!({ "identifier": PHONE, "challenge_id": asked.challenge });
    auth.client().post(REQUEST, again.clone()).await.ok();
    assert_eq!((texts(&auth), length(&auth)), ("2".to_owned(), 6));
    auth.wait(30);
    auth.faults(json!({ "delivery": "refused" }));
    auth.client().post(REQUEST, again).await.refused(502, "sms_send_failed");
    assert_eq!(texts(&auth), "2");
}

/// Yesterday's texts are not today's: a code that is used after midnight gives back none of the new day.
#[tokio::test]
async fn texts_of_yesterday_are_not_given_back_today() {
    let auth = deployment().await;
    auth.wait(DAY - 60);
    let yesterday = auth.client().ask(PHONE).await;
    auth.wait(60);
    ask(&auth, 1).await.ok();
    assert_eq!(texts(&auth), "1");
    auth.client().answer(PHONE, &yesterday).await.ok();
    assert_eq!(texts(&auth), "1");
}
