//! Calls: after a text of the same challenge, or instead of one that its provider refuses at once.

use serde_json::{Value, json};
use tests::client::{Answer, Client, REQUEST};
use tests::deployment::{CALLS, wrong};
use tests::{Asked, Deployment};

const ADA: &str = "+447400123456";
/// Another number of the same range.
const BOB: &str = "+447400123457";
const FOLLOWING: (&str, &str) = ("SMS_CHANNELS", "sms,voice");

async fn deployment(more: &[(&str, &str)]) -> Deployment {
    Deployment::with(&[&CALLS[..], more].concat()).await
}

async fn ask(client: Client<'_>, who: &str, channel: &str, challenge: &Value) -> Answer {
    client.post(REQUEST, json!({ "identifier": who, "channel": channel, "challenge_id": challenge })).await
}

fn channels(auth: &Deployment, who: &str) -> Vec<&'static str> {
    auth.stack.inbox().messages(Some(who)).iter().rev().map(|message| message.channel).collect()
}

/// Every send of texts is refused, and nobody has opted out.
fn refuse_texts(auth: &Deployment) {
    let refused = json!({ "operation": "SendTextMessage", "error": "AccessDeniedException", "times": 9 });
    auth.faults(json!({ "aws": [refused] }));
}

/// S261: a call follows its text after 30 seconds. It has a new code, as every resend has.
#[tokio::test]
async fn a_call_follows_a_text() {
    let auth = deployment(&[]).await;
    let (client, texted) = (auth.client(), auth.client().ask(ADA).await);
    let id = json!(texted.challenge);
    for (wait, left) in [(0, 30), (29, 1)] {
        auth.wait(wait);
        let early = ask(client, ADA, "voice", &id).await;
        early.refused(429, "rate_limited");
        assert_eq!(early.retry_after(), left);
    }
    auth.wait(1);
    let called = ask(client, ADA, "voice", &id).await.ok();
    assert_eq!((&called["channel"], &called["message"]), (&json!("voice"), &json!("We are calling your phone number")));
    assert_eq!(channels(&auth, ADA), ["sms", "voice"]);
    let challenge = called["challenge_id"].as_str().unwrap().to_owned();
    let spoken = Asked { code: auth.newest_code(ADA), challenge: challenge.clone() };
    client.answer(ADA, &Asked { code: texted.code, challenge }).await.refused(400, "invalid_otp");
    // A client that asks again is told of the call.
    let again = ask(client, ADA, "sms", &called["challenge_id"]).await.ok();
    assert_eq!((&again["channel"], channels(&auth, ADA).len()), (&json!("voice"), 2));
    client.answer(ADA, &spoken).await.ok();
}

/// S260: a call is never the first message, whatever id comes with it.
#[tokio::test]
async fn a_call_needs_a_text() {
    let auth = deployment(&[]).await;
    let client = auth.client();
    let others = client.ask(BOB).await.challenge;
    let expired = client.ask(ADA).await.challenge;
    auth.wait(300);
    for id in [json!(null), json!("AAAA"), json!(others), json!(expired)] {
        let refused = ask(client, ADA, "voice", &id).await;
        refused.refused(400, "invalid_request");
    }
    assert_eq!((channels(&auth, ADA), channels(&auth, BOB)), (vec!["sms"], vec!["sms"]));
}

/// S261: an older id of a challenge tells nothing about its newest message.
#[tokio::test]
async fn an_old_id_rings_no_sooner() {
    let auth = deployment(&[]).await;
    let (client, texted) = (auth.client(), auth.client().ask(ADA).await);
    let id = json!(texted.challenge);
    auth.wait(35);
    ask(client, ADA, "sms", &id).await.ok();
    auth.wait(1);
    ask(client, ADA, "voice", &id).await.refused(429, "rate_limited");
    auth.wait(29);
    ask(client, ADA, "voice", &id).await.ok();
    // Twice at once, from a slow page.
    ask(client, ADA, "voice", &id).await.refused(429, "rate_limited");
    assert_eq!(channels(&auth, ADA), ["sms", "sms", "voice"]);
}

/// S260: the challenge itself must be under way, and not only its id.
#[tokio::test]
async fn a_challenge_that_is_over_rings_nobody() {
    let auth = deployment(&[]).await;
    let client = auth.client();
    let used = client.ask(ADA).await;
    client.answer(ADA, &used).await.ok();
    let spent = client.ask(ADA).await;
    for _ in 0..3 {
        client.answer(ADA, &Asked { code: wrong(&spent.code), ..spent.clone() }).await.refused(400, "invalid_otp");
    }
    auth.wait(30);
    for over in [used, spent] {
        ask(client, ADA, "voice", &json!(over.challenge)).await.refused(429, "rate_limited");
    }
    assert_eq!(channels(&auth, ADA), ["sms", "sms"]);
}

/// The text may arrive after all, so its code works again, and so does its id.
#[tokio::test]
async fn a_refused_call_leaves_the_text_as_it_was() {
    let auth = deployment(&[]).await;
    let texted = auth.client().ask(ADA).await;
    auth.stack.deliver().await;
    auth.wait(30);
    let refused = json!({ "operation": "SendVoiceMessage", "error": "AccessDeniedException" });
    auth.faults(json!({ "aws": [refused] }));
    let failed = ask(auth.client(), ADA, "voice", &json!(texted.challenge)).await;
    failed.refused(502, "voice_send_failed");
    let id = failed.body["challenge_id"].clone();
    let status = auth.client().status(ADA, id.as_str().unwrap()).await.ok();
    assert_eq!((&status["channel"], &status["can"]), (&json!("sms"), &json!(["resend", "voice"])));
    assert_eq!(status["state"], "delivered");
    auth.client().answer(ADA, &texted).await.ok();
    // Neither call of the day is used up.
    for _ in 0..2 {
        let texted = auth.client().ask(ADA).await;
        auth.wait(30);
        ask(auth.client(), ADA, "voice", &json!(texted.challenge)).await.ok();
        auth.wait(1_200);
    }
}

/// S262: two calls a number and day, whoever asks for them.
#[tokio::test]
async fn a_number_gets_two_calls_a_day() {
    let auth = deployment(&[("SMS_BREAKER_SHARE", "0")]).await;
    for day in 0..2 {
        for (at, network) in ["192.0.2.1", "198.51.100.1", "203.0.113.1"].into_iter().enumerate() {
            let client = auth.client_at(network);
            let texted = client.ask(ADA).await;
            auth.wait(30);
            let called = ask(client, ADA, "voice", &json!(texted.challenge)).await;
            if at < 2 {
                assert_eq!(called.ok()["channel"], "voice", "{day}");
            } else {
                called.refused(429, "rate_limited");
                assert!(called.retry_after() > 3_600, "{}", called.retry_after());
            }
            auth.wait(1_200);
        }
        auth.wait(86_400);
    }
    assert_eq!(channels(&auth, ADA).iter().filter(|channel| **channel == "voice").count(), 4);
}

#[tokio::test]
async fn a_channel_that_is_off_is_named() {
    let auth = Deployment::start().await;
    let id = json!(auth.client().ask(ADA).await.challenge);
    auth.wait(30);
    for channel in ["voice", "whatsapp"] {
        let refused = ask(auth.client(), ADA, channel, &id).await;
        refused.refused(400, "invalid_request");
        assert_eq!(refused.body["message"], "This channel is off. Use sms for a number.");
        let refused = ask(auth.client(), "ada@example.com", channel, &json!(null)).await;
        refused.refused(400, "invalid_request");
    }
    assert_eq!(channels(&auth, ADA), ["sms"]);
}

/// A text that its provider refuses is followed by a call with the same code. The answer and the status say so.
#[tokio::test]
async fn a_call_replaces_a_refused_text() {
    let auth = deployment(&[FOLLOWING]).await;
    refuse_texts(&auth);
    let asked = auth.client().post(REQUEST, json!({ "identifier": ADA })).await.ok();
    assert_eq!((&asked["channel"], channels(&auth, ADA)), (&json!("voice"), vec!["voice"]));
    let challenge = asked["challenge_id"].clone();
    let status = auth.client().status(ADA, challenge.as_str().unwrap()).await.ok();
    assert_eq!(status["channel"], "voice");
    let spoken = Asked { code: auth.newest_code(ADA), challenge: challenge.as_str().unwrap().to_owned() };
    auth.client().answer(ADA, &spoken).await.ok();
}

/// The calls of a day are those of both ways.
#[tokio::test]
async fn refused_texts_cause_two_calls_a_day() {
    let auth = deployment(&[FOLLOWING, ("SMS_BREAKER_SHARE", "0")]).await;
    refuse_texts(&auth);
    for expected in ["voice", "voice", "none"] {
        let asked = auth.client().post(REQUEST, json!({ "identifier": ADA })).await;
        match expected {
            "none" => asked.refused(502, "sms_send_failed"),
            _ => assert_eq!(asked.ok()["channel"], expected),
        }
        auth.wait(600);
    }
}

#[tokio::test]
async fn a_refused_call_after_a_refused_text_is_an_error_about_the_text() {
    let auth = deployment(&[FOLLOWING]).await;
    let refused = |operation: &str| json!({ "operation": operation, "error": "AccessDeniedException", "times": 9 });
    auth.faults(json!({ "aws": [refused("SendTextMessage"), refused("SendVoiceMessage")] }));
    auth.client().post(REQUEST, json!({ "identifier": ADA })).await.refused(502, "sms_send_failed");
    // Nothing of the identifier's is used up.
    auth.faults(json!({}));
    let asked = auth.client().ask(ADA).await;
    auth.client().answer(ADA, &asked).await.ok();
}

/// S265: who has opted out of texts gets no call: neither at once, nor by choice.
#[tokio::test]
async fn an_opt_out_ends_every_channel() {
    let auth = deployment(&[FOLLOWING]).await;
    let texted = auth.client().ask(ADA).await;
    auth.wait(60);
    // The stand-in refuses a text because the number has opted out.
    auth.faults(json!({ "delivery": "refused" }));
    let refused = auth.client().post(REQUEST, json!({ "identifier": ADA, "challenge_id": texted.challenge })).await;
    refused.refused(502, "sms_send_failed");
    auth.faults(json!({}));
    ask(auth.client(), ADA, "voice", &json!(texted.challenge)).await.refused(502, "sms_send_failed");
    assert_eq!(channels(&auth, ADA), ["sms"]);
    // A text that is taken again ends it.
    auth.wait(1);
    let again = auth.client().ask(ADA).await;
    auth.wait(30);
    assert_eq!(ask(auth.client(), ADA, "voice", &json!(again.challenge)).await.ok()["channel"], "voice");
}

/// A minute costs at most as much as the texts that a call counts as.
#[tokio::test]
async fn a_call_has_a_price_limit() {
    for (settings, expected) in [
        (&[][..], json!(null)),
        (&[("SMS_MAX_PRICE", "0.05")], json!("0.50")),
        (&[("SMS_MAX_PRICE", "0.05"), ("VOICE_UNITS", "3")], json!("0.15")),
        (&[("SMS_MAX_PRICE", "50")], json!("99.99")),
    ] {
        let auth = deployment(settings).await;
        let texted = auth.client().ask(ADA).await;
        auth.wait(30);
        ask(auth.client(), ADA, "voice", &json!(texted.challenge)).await.ok();
        let call = serde_json::to_value(&auth.stack.inbox().messages(Some(ADA))[0]).unwrap()["call"].clone();
        assert_eq!(call["max_price"], expected);
    }
}

/// S263: a call counts as ten texts.
#[tokio::test]
async fn a_call_counts_as_ten_texts() {
    for (budget, fits) in [("10", false), ("11", true)] {
        let auth = deployment(&[("SMS_DAILY_BUDGET", budget), ("SMS_RESERVED_SHARE", "0")]).await;
        let texted = auth.client().ask(ADA).await;
        auth.wait(30);
        let called = ask(auth.client(), ADA, "voice", &json!(texted.challenge)).await;
        if fits {
            called.ok();
            auth.client().post(REQUEST, json!({ "identifier": BOB })).await.refused(429, "rate_limited");
        } else {
            // The text goes on, and the call is not counted.
            called.refused(429, "rate_limited");
            auth.client().ask(BOB).await;
            auth.client().answer(ADA, &texted).await.ok();
        }
    }
}

/// Attempts belong to a day, so nothing follows a text of the day before. The status says so.
#[tokio::test]
async fn no_call_is_offered_that_cannot_be_made() {
    let auth = deployment(&[]).await;
    auth.wait(86_400 - 10);
    let late = auth.client().ask(ADA).await;
    auth.wait(40);
    let spent = auth.client().ask(BOB).await;
    for _ in 0..3 {
        auth.client()
            .answer(BOB, &Asked { code: wrong(&spent.code), ..spent.clone() })
            .await
            .refused(400, "invalid_otp");
    }
    auth.wait(30);
    for (who, asked) in [(ADA, late), (BOB, spent)] {
        assert_eq!(auth.client().status(who, &asked.challenge).await.ok()["can"], json!(["resend"]));
        ask(auth.client(), who, "voice", &json!(asked.challenge)).await.refused(429, "rate_limited");
    }
}

/// The status offers a call as soon as it may follow.
#[tokio::test]
async fn the_status_offers_a_call() {
    let auth = deployment(&[]).await;
    let texted = auth.client().ask(ADA).await;
    let can = async || auth.client().status(ADA, &texted.challenge).await.ok()["can"].clone();
    assert_eq!(can().await, json!(["resend"]));
    auth.wait(30);
    assert_eq!(can().await, json!(["resend", "voice"]));
}
