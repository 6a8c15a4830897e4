//! The function `delivery` about texts: what AWS End User Messaging tells about them, and what it hears of used codes.

use std::collections::BTreeSet;

use local_aws::Texting;
use serde_json::{Value, json};
use shared::words::Timestamp;
use tests::client::REQUEST;
use tests::operations::SETTINGS;
use tests::{Asked, Call, Deployment};

use crate::sms::EUM;

const PHONE: &str = "+447400123456";
/// Numbers of AWS's simulator: texts to the first arrive, and those to the second fail.
const ARRIVES: &str = "+14254147755";
const FAILS: &str = "+14254147167";

async fn deployment() -> Deployment {
    Deployment::with(&[&SETTINGS[..], &EUM].concat()).await
}

fn newest(auth: &Deployment, to: &str) -> Texting {
    let textings = auth.stack.services().textings();
    textings.into_iter().rfind(|texting| texting.to == to).expect("a text came")
}

/// The rule's only target gets an event, without its bus.
async fn tell(auth: &Deployment, event: &Value) {
    auth.stack.invoke("Delivery", event).await.unwrap();
}

async fn state(auth: &Deployment, to: &str, challenge: &str) -> Value {
    auth.client().status(to, challenge).await.ok()["state"].clone()
}

async fn resend(auth: &Deployment, to: &str, challenge: &str) -> Asked {
    auth.wait(30);
    let answer = auth.client().post(REQUEST, json!({ "identifier": to, "challenge_id": challenge })).await.ok();
    Asked { challenge: answer["challenge_id"].as_str().unwrap().to_owned(), code: auth.newest_code(to) }
}

/// The receipts of the only code of an identifier.
fn kept(auth: &Deployment, to: &str) -> Value {
    let item = auth.identifier(to).unwrap();
    let entry = item["co"]["M"].as_object().unwrap().values().next().unwrap()["M"].clone();
    json!(["d", "o", "r", "v", "x"].map(|field| entry[field]["N"].clone()))
}

/// Each type of event, with the state that it leads to.
#[tokio::test]
async fn each_event_of_a_text_leads_to_its_state() {
    let auth = deployment().await;
    for (number, (kind, expected)) in [
        ("TEXT_SUCCESSFUL", "handed_over"),
        ("TEXT_DELIVERED", "delivered"),
        ("TEXT_UNREACHABLE", "failed"),
        ("TEXT_CARRIER_UNREACHABLE", "failed"),
        ("TEXT_TTL_EXPIRED", "failed"),
        ("TEXT_INVALID", "failed"),
        ("TEXT_INVALID_MESSAGE", "failed"),
        ("TEXT_BLOCKED", "failed"),
        ("TEXT_CARRIER_BLOCKED", "failed"),
        ("TEXT_PROTECT_BLOCKED", "failed"),
        ("TEXT_SPAM", "failed"),
        ("VOICE_ANSWERED", "handed_over"),
        ("VOICE_COMPLETED", "delivered"),
        ("VOICE_BUSY", "failed"),
        ("VOICE_NO_ANSWER", "failed"),
        ("VOICE_TTL_EXPIRED", "failed"),
        ("VOICE_FAILED", "failed"),
        // These say nothing. The first four come while the service still tries, and the fifth after 72 hours.
        ("TEXT_QUEUED", "sent"),
        ("TEXT_PENDING", "sent"),
        ("TEXT_SENT", "sent"),
        ("VOICE_RINGING", "sent"),
        ("TEXT_UNKNOWN", "sent"),
        ("MEDIA_DELIVERED", "sent"),
        ("text_delivered", "sent"),
    ]
    .into_iter()
    .enumerate()
    {
        let to = format!("+4474001234{number:02}");
        let asked = auth.client().ask(&to).await;
        tell(&auth, &newest(&auth, &to).event(kind, auth.stack.clock().now())).await;
        assert_eq!(state(&auth, &to, &asked.challenge).await, expected, "{kind}");
    }
    // The service tries again.
    let asked = auth.client().ask(PHONE).await;
    let mut event = newest(&auth, PHONE).event("TEXT_UNREACHABLE", auth.stack.clock().now());
    event["detail"]["isFinal"] = json!(false);
    tell(&auth, &event).await;
    assert_eq!(state(&auth, PHONE, &asked.challenge).await, "delayed");
}

/// S250: the rule of the template brings the events of this stack's texts, and no others.
#[tokio::test]
async fn only_events_of_this_stack_arrive() {
    let auth = deployment().await;
    let asked = auth.client().ask(PHONE).await;
    let texting = newest(&auth, PHONE);
    let (services, now) = (auth.stack.services(), auth.stack.clock().now());
    let rule = |event: Value| {
        services.tell(event);
        services.events("default").pop().unwrap().rules
    };
    let foreign = |change: &dyn Fn(&mut Value)| {
        let mut event = texting.event("TEXT_BLOCKED", now);
        change(&mut event);
        event
    };
    for event in [
        foreign(&|event| event["detail"]["context"]["in"] = json!("other-OtpTable")),
        foreign(&|event| event["detail"]["context"] = json!({})),
        foreign(&|event| event["source"] = json!("latchkey")),
        foreign(&|event| event["detail"]["eventType"] = json!("TEXT_UNKNOWN")),
    ] {
        assert_eq!(rule(event.clone()), [] as [&str; 0], "{event}");
    }
    // The stand-in tells of this text, too.
    auth.stack.deliver().await;
    assert_eq!(state(&auth, PHONE, &asked.challenge).await, "delivered");
    assert_eq!(kept(&auth, PHONE), json!([null, "0", null, "0", null]));
    assert_eq!(rule(texting.event("TEXT_BLOCKED", now)), ["TextsRule"]);
    auth.stack.deliver().await;
    assert_eq!(state(&auth, PHONE, &asked.challenge).await, "failed");
}

/// Without AWS End User Messaging, nothing listens.
#[tokio::test]
async fn texts_of_sns_have_no_events() {
    let auth = Deployment::start().await;
    let asked = auth.client().ask(PHONE).await;
    auth.stack.deliver().await;
    assert_eq!(state(&auth, PHONE, &asked.challenge).await, "sent");
    assert!(auth.stack.services().textings().is_empty() && auth.stack.services().events("default").is_empty());
}

#[tokio::test]
async fn the_simulators_numbers_have_their_events() {
    let auth = deployment().await;
    for (to, expected) in [(ARRIVES, "delivered"), (FAILS, "failed")] {
        let asked = auth.client().ask(to).await;
        auth.stack.deliver().await;
        assert_eq!(state(&auth, to, &asked.challenge).await, expected, "{to}");
        auth.stack.services().calls().take();
        auth.stack.deliver().await;
        assert_eq!(auth.stack.services().calls().take(), [], "an event comes once");
    }
}

/// S221: events of texts come late, twice and in any order too, and all orders end alike.
#[tokio::test]
async fn events_of_a_text_in_any_order_end_in_the_same_state() {
    let auth = deployment().await;
    let all = [("TEXT_SUCCESSFUL", 2), ("TEXT_UNREACHABLE", 9), ("TEXT_DELIVERED", 5), ("TEXT_DELIVERED", 7)];
    let mut ends = BTreeSet::new();
    for (number, order) in crate::delivery::orders(&all).into_iter().enumerate() {
        let to = format!("+4474001234{number:02}");
        let asked = auth.client().ask(&to).await;
        let texting = newest(&auth, &to);
        auth.wait(10);
        for (kind, after) in order.iter().chain(&order[..2]) {
            tell(&auth, &texting.event(kind, Timestamp::from_unix(texting.at.unix() + after))).await;
        }
        ends.insert(format!("{} {}", state(&auth, &to, &asked.challenge).await, kept(&auth, &to)));
        auth.wait(60);
    }
    assert_eq!(ends.into_iter().collect::<Vec<_>>(), [r#""delivered" [null,"2","9","5",null]"#]);
}

/// S221: an event of the first text never changes the second, wherever the second one stands in the order.
#[tokio::test]
async fn an_event_of_an_earlier_text_changes_nothing() {
    let auth = deployment().await;
    let all = [Some("TEXT_SUCCESSFUL"), Some("TEXT_DELIVERED"), Some("TEXT_BLOCKED"), None];
    for (number, order) in crate::delivery::orders(&all).into_iter().enumerate() {
        let to = format!("+4474001234{number:02}");
        let mut asked = auth.client().ask(&to).await;
        let first = newest(&auth, &to);
        for step in &order {
            match step {
                Some(kind) => tell(&auth, &first.event(kind, auth.stack.clock().now())).await,
                None => asked = resend(&auth, &to, &asked.challenge).await,
            }
        }
        assert_eq!(state(&auth, &to, &asked.challenge).await, "sent", "{order:?}");
        assert_eq!(kept(&auth, &to), json!([null, null, null, null, null]), "{order:?}");
        // The code of the second text is used. The first text has no part in it.
        auth.client().answer(&to, &asked).await.tokens();
        assert_eq!(auth.stack.services().received(), [] as [&str; 0], "{order:?}");
        auth.wait(60);
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Tell(&'static str),
    Resend,
    Use,
}

/// S221, S252: in every order of events, a resend and the use of the newest code, the provider hears of the used code's own message, and only if
/// an event has told its id before.
#[tokio::test]
async fn the_provider_hears_of_the_used_message_in_any_order() {
    let auth = deployment().await;
    let all = [Step::Tell("TEXT_SUCCESSFUL"), Step::Tell("TEXT_DELIVERED"), Step::Resend, Step::Use];
    let mut told = Vec::new();
    for (number, order) in crate::delivery::orders(&all).into_iter().enumerate() {
        let to = format!("+4474001234{number:02}");
        let mut asked = auth.client().ask(&to).await;
        let first = newest(&auth, &to);
        for (at, step) in order.iter().enumerate() {
            match step {
                Step::Tell(kind) => tell(&auth, &first.event(kind, auth.stack.clock().now())).await,
                Step::Resend => asked = resend(&auth, &to, &asked.challenge).await,
                Step::Use => {
                    auth.client().answer(&to, &asked).await.tokens();
                    let (is_first, is_told) = (!order[..at].contains(&Step::Resend), matches!(order[0], Step::Tell(_)));
                    if is_first && is_told {
                        told.push(first.id.clone());
                    }
                }
            }
        }
        told.sort();
        assert_eq!(auth.stack.services().received(), told, "{order:?}");
        auth.wait(60);
    }
    assert_eq!(told.len(), 6);
}

/// A used code is told to the provider, by the id of its message. The answer waits for no further round trip.
#[tokio::test]
async fn the_provider_hears_that_a_code_was_used() {
    let auth = deployment().await;
    let mut told = Vec::new();
    for number in 0..4 {
        // This one loads the keys.
        auth.client().sign_in("+447400123457").await;
        let mut asked = auth.client().ask(PHONE).await;
        if number > 1 {
            auth.stack.deliver().await;
            asked = resend(&auth, PHONE, &asked.challenge).await;
        }
        auth.stack.deliver().await;
        let message = newest(&auth, PHONE);
        assert!(message.wants_feedback);
        auth.stack.services().calls().take();
        auth.stack.services().rounds().expect(if number == 0 { &[2, 1, 3] } else { &[2, 2, 5] });
        auth.client().answer(PHONE, &asked).await.tokens();
        auth.stack.services().rounds().finish().unwrap();
        let calls = auth.stack.services().calls().take();
        assert_eq!(calls.iter().filter(|call| call.operation == "PutMessageFeedback").count(), 1);
        told.push(message.id);
        let mut received = auth.stack.services().received();
        received.sort();
        told.sort();
        assert_eq!(received, told);
        // The item forgets the message.
        assert_eq!(auth.identifier(PHONE).unwrap()["mi"], Value::Null);
        auth.wait(3_600);
    }
}

/// A long code is told, too.
#[tokio::test]
async fn the_provider_hears_of_a_used_long_code() {
    let auth = deployment().await;
    for number in 0..3 {
        auth.client_at(&format!("198.51.100.{number}")).ask(PHONE).await;
    }
    let asked = auth.client().ask(PHONE).await;
    assert_eq!(asked.code.len(), 13);
    auth.stack.deliver().await;
    auth.client().answer(PHONE, &asked).await.tokens();
    assert_eq!(auth.stack.services().received(), [newest(&auth, PHONE).id]);
}

/// S252: without a receipt the id is unknown. A failure of the provider fails no sign-in, and its silence delays none for long.
#[tokio::test]
async fn a_sign_in_needs_no_feedback() {
    let auth = deployment().await;
    auth.client().sign_in(PHONE).await;
    let asked = auth.client().ask(PHONE).await;
    auth.stack.deliver().await;
    for error in ["ServiceUnavailable", "AccessDeniedException", "timeout", "connection_reset"] {
        auth.faults(json!({ "aws": [{ "operation": "PutMessageFeedback", "error": error }] }));
        auth.client().answer(PHONE, &asked).await;
        let asked = auth.client().ask(PHONE).await;
        auth.stack.deliver().await;
        auth.client().answer(PHONE, &asked).await.tokens();
        auth.wait(3_600);
    }
    let failed = auth.stack.logs().into_iter().filter(|line| line.contains("could not tell the provider"));
    let failed: Vec<_> = failed.collect();
    assert_eq!(failed.len(), 4, "{failed:#?}");
    // A sign-in waits for half a second at most.
    assert_eq!(failed.iter().filter(|line| line.contains("no answer in time")).count(), 1, "{failed:#?}");
}

/// S251: with another provider, no function may give feedback, and none does.
#[tokio::test]
async fn only_the_provider_that_asks_for_it_hears_of_used_codes() {
    let auth = Deployment::start().await;
    auth.client().sign_in(PHONE).await;
    let calls = auth.stack.services().calls().take();
    assert!(!calls.iter().any(|call| call.operation == "PutMessageFeedback"));
    assert!(!auth.may("VerifyOtp", Call::feedback()).await);
    let auth = deployment().await;
    assert_eq!(auth.call_as("VerifyOtp", Call::feedback()).await, "ResourceNotFoundException");
    for other in ["RequestOtp", "Delivery", "Status", "Refresh"] {
        assert!(!auth.may(other, Call::feedback()).await, "{other}");
    }
}

/// S250: an event of a text has neither the code nor the number. Its log line has the id of the send, and the price.
#[tokio::test]
async fn the_log_of_a_text_has_ids_and_its_price() {
    let auth = deployment().await;
    let asked = auth.client().ask(PHONE).await;
    let texting = newest(&auth, PHONE);
    let event = texting.event("TEXT_DELIVERED", auth.stack.clock().now());
    assert!(!event.to_string().contains(&asked.code) && !event.to_string().contains(PHONE));
    tell(&auth, &event).await;
    // Nobody can read these, and the log has nothing of their text.
    for (member, value) in [
        ("messageId", json!("a b")),
        ("messageId", json!("a".repeat(65))),
        ("messageId", json!("")),
        ("eventTimestamp", json!(-1)),
        ("context", json!({ "i": asked.code })),
        ("eventType", json!(asked.code)),
        ("eventType", Value::Null),
    ] {
        let mut wrong = event.clone();
        wrong["detail"][member] = value;
        tell(&auth, &wrong).await;
    }
    let lines = auth.stack.logs();
    assert!(!lines.iter().any(|line| line.contains(&asked.code) || line.contains(PHONE)), "{lines:#?}");
    let lines: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |function: &str| lines.iter().filter(|line| line["function"] == function).collect::<Vec<_>>();
    let steps = |line: &Value| line["steps"].as_array().cloned().unwrap_or_default();
    let receipts: Vec<Value> =
        of("delivery").into_iter().flat_map(steps).filter(|step| step["step"] == "receipt").collect();
    assert_eq!(receipts.len(), 1, "{receipts:?}");
    assert_eq!((&receipts[0]["message"], &receipts[0]["price"]), (&json!(texting.id), &json!(0.055)));
    let kinds: BTreeSet<_> = of("delivery").iter().map(|line| line["kind"].as_str().unwrap().to_owned()).collect();
    assert!(kinds.into_iter().eq(["text_delivered", "unknown"].map(str::to_owned)));
}
