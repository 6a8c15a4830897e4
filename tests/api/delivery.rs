//! The function `delivery`: what became of a mail, and the holds of addresses that refuse mail.

use std::collections::BTreeSet;

use local_aws::template::{Template, find_root};
use local_aws::{MailEvent, Sending};
use serde_json::{Value, json};
use shared::words::Timestamp;
use tests::client::REQUEST;
use tests::deployment::START;
use tests::orders::Draw;
use tests::{Answer, Client, Deployment};

const ADA: &str = "ada@example.com";
const PAGE: &str = "http://localhost:3000";
const DAY: u64 = 86_400;

async fn deployment() -> Deployment {
    Deployment::with(&[("OTP_REQUESTS_PER_IP", "1000000")]).await
}

fn now(auth: &Deployment) -> u64 {
    auth.stack.clock().now().unix()
}

/// The newest mail to `to`.
fn newest(auth: &Deployment, to: &str) -> Sending {
    auth.sendings(to).pop().expect("a mail came")
}

/// SES tells it now, about the newest mail to `to`.
async fn tell(auth: &Deployment, to: &str, what: MailEvent) {
    let event = newest(auth, to).event(what, auth.stack.clock().now());
    auth.tell(&event).await;
}

async fn request(client: Client<'_>, to: &str) -> Answer {
    client.post(REQUEST, json!({ "identifier": to })).await
}

fn is_held(answer: &Answer) {
    answer.refused(502, "email_send_failed");
    assert_eq!(answer.retry_after(), 900);
    assert_eq!(answer.body.get("challenge_id"), None);
}

/// The receipts of all codes of an identifier, and its hold.
fn kept(auth: &Deployment, to: &str) -> Value {
    let item = auth.identifier(to).unwrap();
    let entries = ["co", "ck", "lg"].iter().flat_map(|map| item[*map]["M"].as_object().unwrap().values());
    let receipts = entries.map(|entry| ["d", "o", "r", "v", "x"].map(|field| entry["M"][field].clone()));
    let hold = &item["hd"]["M"];
    json!({ "receipts": receipts.collect::<Vec<_>>(), "from": hold["f"], "level": hold["l"] })
}

pub(crate) fn orders<T: Copy>(of: &[T]) -> Vec<Vec<T>> {
    match of {
        [] => vec![Vec::new()],
        _ => (0..of.len())
            .flat_map(|at| {
                let mut rest = of.to_vec();
                let first = rest.remove(at);
                orders(&rest).into_iter().map(move |order| [vec![first], order].concat())
            })
            .collect(),
    }
}

/// S221: receipts come late, twice and in any order, and all orders end alike.
#[tokio::test]
async fn receipts_in_any_order_end_in_the_same_state() {
    let auth = deployment().await;
    let all =
        [(MailEvent::Delay, 2), (MailEvent::Delivery, 5), (MailEvent::PermanentBounce, 9), (MailEvent::Delivery, 7)];
    let mut ends = BTreeSet::new();
    for (number, order) in orders(&all).into_iter().enumerate() {
        let to = format!("p{number}@example.com");
        let challenge = auth.client().ask(&to).await.challenge;
        let sending = newest(&auth, &to);
        auth.wait(10);
        for (what, after) in order.iter().chain(&order[..2]) {
            auth.tell(&sending.event(*what, Timestamp::from_unix(sending.at.unix() + after))).await;
        }
        let mut end = kept(&auth, &to);
        let from: u64 = end["from"]["N"].as_str().unwrap().parse().unwrap();
        end["from"] = json!(from - sending.at.unix());
        end["state"] = auth.client().status(&to, &challenge).await.ok()["state"].clone();
        ends.insert(end.to_string());
        auth.wait(60);
    }
    assert_eq!(ends.len(), 1, "{ends:#?}");
    let end: Value = serde_json::from_str(ends.first().unwrap()).unwrap();
    assert_eq!((&end["state"], &end["level"]["N"], &end["from"]), (&json!("failed"), &json!("1"), &json!(9)));
    assert_eq!(end["receipts"], json!([[{ "N": "2" }, null, null, { "N": "5" }, { "N": "9" }]]));
}

/// S221: a receipt of the first send never changes the second, wherever the second one stands in the order.
#[tokio::test]
async fn a_receipt_of_an_earlier_send_changes_nothing() {
    let auth = deployment().await;
    let all = [Some(MailEvent::Delay), Some(MailEvent::Delivery), Some(MailEvent::TransientBounce), None];
    for (number, order) in orders(&all).into_iter().enumerate() {
        let to = format!("p{number}@example.com");
        let first = auth.client().ask(&to).await.challenge;
        let sending = newest(&auth, &to);
        let mut challenge = Value::Null;
        for step in &order {
            match step {
                Some(what) => auth.tell(&sending.event(*what, auth.stack.clock().now())).await,
                None => {
                    auth.wait(30);
                    let body = json!({ "identifier": to, "challenge_id": first });
                    challenge = auth.client().post(REQUEST, body).await.ok()["challenge_id"].clone();
                }
            }
        }
        // A late bounce of the first mail holds nothing either.
        auth.tell(&sending.event(MailEvent::PermanentBounce, auth.stack.clock().now())).await;
        let mut end = kept(&auth, &to);
        assert_eq!(
            end["receipts"].as_array_mut().unwrap().pop(),
            Some(json!([null, null, null, null, null])),
            "{order:?}"
        );
        assert_eq!((&end["from"], &end["level"]), (&Value::Null, &Value::Null), "{order:?}");
        let state = async || auth.client().status(&to, challenge.as_str().unwrap()).await.ok()["state"].clone();
        assert_eq!(state().await, "sent", "{order:?}");
        tell(&auth, &to, MailEvent::Delivery).await;
        assert_eq!(state().await, "delivered", "{order:?}");
        auth.wait(60);
    }
}

/// S222: a hold lasts 15 minutes, then two hours, then a day, and never longer. Everybody gets the same answer.
#[tokio::test]
async fn a_refused_mail_holds_its_address_for_a_day_at_most() {
    let auth = deployment().await;
    let mut known = auth.client_at("198.51.100.1").browser(PAGE);
    known.sign_in(ADA).await;
    for (number, length) in [900, 7_200, DAY, DAY].into_iter().enumerate() {
        let asked = request(auth.client(), ADA).await.ok();
        for _ in 0..3 {
            // A repetition counts once.
            tell(&auth, ADA, MailEvent::PermanentBounce).await;
        }
        let sent = auth.messages_to(ADA);
        for wait in [0, 10, 30, length - 41] {
            auth.wait(wait);
            is_held(&request(auth.client_at(&format!("203.0.113.{number}")), ADA).await);
            is_held(
                &auth.client().post(REQUEST, json!({ "identifier": ADA, "challenge_id": asked["challenge_id"] })).await,
            );
            is_held(&known.post(REQUEST, json!({ "identifier": ADA, "token_delivery": "cookie" })).await);
        }
        assert_eq!(auth.messages_to(ADA), sent, "a held address gets no mail");
        auth.wait(1);
    }
    assert_eq!(kept(&auth, ADA)["level"]["N"], "3");
    request(auth.client(), ADA).await.ok();
}

/// S222: a request for a held address writes nothing there, and leaves the challenge that it names alive.
#[tokio::test]
async fn a_held_address_keeps_its_codes() {
    let auth = deployment().await;
    let asked = auth.client().ask(ADA).await;
    tell(&auth, ADA, MailEvent::PermanentBounce).await;
    let before = auth.identifier(ADA);
    let body = json!({ "identifier": ADA, "challenge_id": asked.challenge });
    is_held(&auth.client().post(REQUEST, body).await);
    assert_eq!(auth.identifier(ADA), before);
    let told = auth.client().status(ADA, &asked.challenge).await.ok();
    assert_eq!((&told["state"], &told["can"], &told["retry_after"]), (&json!("failed"), &json!([]), &json!(900)));
    // A right answer shows that the mailbox works.
    auth.client().answer(ADA, &asked).await.tokens();
    request(auth.client(), ADA).await.ok();
    // The late repetition is about an answered mail.
    let first = auth.sendings(ADA).remove(0);
    auth.tell(&first.event(MailEvent::PermanentBounce, auth.stack.clock().now())).await;
    request(auth.client(), ADA).await.ok();
}

#[tokio::test]
async fn a_delivered_mail_ends_the_row_of_refusals() {
    let auth = deployment().await;
    for length in [900, 7_200] {
        request(auth.client(), ADA).await.ok();
        tell(&auth, ADA, MailEvent::PermanentBounce).await;
        auth.wait(length);
    }
    request(auth.client(), ADA).await.ok();
    tell(&auth, ADA, MailEvent::Delivery).await;
    assert_eq!(kept(&auth, ADA)["level"], Value::Null);
    request(auth.client(), ADA).await.ok();
    tell(&auth, ADA, MailEvent::PermanentBounce).await;
    auth.wait(899);
    is_held(&request(auth.client(), ADA).await);
    auth.wait(1);
    request(auth.client(), ADA).await.ok();
}

/// S223: only a refusal by the mail's own address counts. A stranger cannot hold a healthy mailbox.
#[tokio::test]
async fn no_other_address_holds_a_mailbox() {
    let auth = deployment().await;
    auth.client().ask(ADA).await;
    let bounce = newest(&auth, ADA).event(MailEvent::PermanentBounce, auth.stack.clock().now());
    let complaint = newest(&auth, ADA).event(MailEvent::Complaint, auth.stack.clock().now());
    let to = |address: &str| json!({ "emailAddress": address, "status": "5.1.1" });
    for recipients in [json!([to("eve@example.com")]), json!([to(ADA), to("eve@example.com")]), json!([])] {
        let mut foreign = [bounce.clone(), complaint.clone()];
        foreign[0]["bounce"]["bouncedRecipients"] = recipients.clone();
        foreign[1]["complaint"]["complainedRecipients"] = recipients;
        for event in &foreign {
            auth.tell(event).await;
        }
    }
    let mut two = bounce.clone();
    two["mail"]["destination"] = json!([ADA, "eve@example.com"]);
    auth.tell(&two).await;
    // Refusals of the sender or of the content.
    for status in ["5.7.1", "5.3.4", "5.2.2", ""] {
        let mut refused = bounce.clone();
        refused["bounce"]["bouncedRecipients"][0]["status"] = json!(status);
        auth.tell(&refused).await;
        assert_eq!(auth.identifier(ADA).unwrap()["hd"], Value::Null, "{status}");
    }
    let challenge = auth.client().ask(ADA).await.challenge;
    // Refusals of other spellings of the mailbox.
    for other in ["ada+x@example.com", "ada@example.org", "a.da@example.com"] {
        request(auth.client(), other).await.ok();
        tell(&auth, other, MailEvent::PermanentBounce).await;
        tell(&auth, other, MailEvent::Complaint).await;
        is_held(&request(auth.client(), other).await);
    }
    let item = auth.identifier(ADA).unwrap();
    assert_eq!((&item["hd"], &item["cp"]), (&Value::Null, &Value::Null));
    assert_eq!(auth.client().status(ADA, &challenge).await.ok()["state"], "sent");
    // A mailbox that is full, and a mail that SES itself refuses.
    for what in [MailEvent::TransientBounce, MailEvent::Reject] {
        let challenge = request(auth.client(), ADA).await.ok()["challenge_id"].as_str().unwrap().to_owned();
        tell(&auth, ADA, what).await;
        assert_eq!(auth.client().status(ADA, &challenge).await.ok()["state"], "failed");
        request(auth.client(), ADA).await.ok();
    }
    let mut shouted = newest(&auth, ADA).event(MailEvent::PermanentBounce, auth.stack.clock().now());
    shouted["bounce"]["bouncedRecipients"] = json!([to("ADA@Example.COM")]);
    auth.tell(&shouted).await;
    is_held(&request(auth.client(), ADA).await);
}

/// S222: no events, whatever their order and times, hold an address for more than a day.
#[tokio::test]
async fn no_hold_outlasts_a_day_whatever_events_come() {
    let auth = deployment().await;
    let seed = now(&auth) ^ u64::from(u32::from_be_bytes(shared::words::Entropy.bytes().unwrap()));
    let mut draw = Draw::of(seed);
    let kinds = [
        MailEvent::PermanentBounce,
        MailEvent::Delivery,
        MailEvent::Complaint,
        MailEvent::TransientBounce,
        MailEvent::Delay,
    ];
    for step in 0..400 {
        let sendings = auth.sendings(ADA);
        match draw.below(4) {
            0 => drop(request(auth.client(), ADA).await),
            1 => auth.wait([1, 60, 900, 7_200, DAY / 2][draw.below(5)]),
            _ if sendings.is_empty() => {}
            _ => {
                // The newest mail more often than the others, and times around now.
                let back = [0, 0, draw.below(sendings.len())][draw.below(3)];
                let at = now(&auth) + 3_600 * 48 - 3_600 * draw.below(96) as u64;
                let sending = &sendings[sendings.len() - 1 - back];
                auth.tell(&sending.event(kinds[draw.below(kinds.len())], Timestamp::from_unix(at.max(START)))).await;
            }
        }
        let Some(item) = auth.identifier(ADA) else { continue };
        let number = |value: &Value| value["N"].as_str().and_then(|digits| digits.parse::<u64>().ok());
        let hold = &item["hd"]["M"];
        if let (Some(from), Some(level)) = (number(&hold["f"]), number(&hold["l"])) {
            assert!(from <= now(&auth) && (1..=3).contains(&level), "step {step} of {seed}: {item}");
        }
        assert!(number(&item["cp"]).is_none_or(|at| at <= now(&auth)), "step {step} of {seed}: {item}");
    }
    auth.wait(DAY);
    request(auth.client(), ADA).await.ok();
}

/// S224: after a complaint, strangers get one mail in ten minutes for a day. Known devices keep their own.
#[tokio::test]
async fn a_complaint_leaves_one_mail_in_ten_minutes() {
    let auth = deployment().await;
    let mut known = auth.client_at("198.51.100.1").browser(PAGE);
    known.sign_in(ADA).await;
    auth.wait(3_600);
    request(auth.client(), ADA).await.ok();
    tell(&auth, ADA, MailEvent::Delivery).await;
    tell(&auth, ADA, MailEvent::Complaint).await;
    let complained = now(&auth);
    let ask = async |number: usize| request(auth.client_at(&format!("203.0.113.{number}")), ADA).await;
    ask(0).await.refused(429, "rate_limited");
    auth.wait(599);
    ask(0).await.refused(429, "rate_limited");
    auth.wait(1);
    let mut sent = auth.messages_to(ADA);
    for round in 0..3 {
        ask(1).await.ok();
        sent += 1;
        assert_eq!((auth.messages_to(ADA), auth.newest_code(ADA).len()), (sent, 13));
        // Others share its code for as long as answers promise.
        auth.wait(239);
        ask(2).await.ok();
        auth.wait(1);
        ask(3).await.refused(429, "rate_limited");
        // A repetition of the event lengthens nothing.
        let first = &auth.sendings(ADA)[1];
        auth.tell(&first.event(MailEvent::Complaint, Timestamp::from_unix(complained))).await;
        if round == 1 {
            let code = known.ask(ADA).await;
            sent += 1;
            assert_eq!((auth.messages_to(ADA), code.len()), (sent, 6));
        }
        auth.wait(359);
        ask(4).await.refused(429, "rate_limited");
        assert_eq!(auth.messages_to(ADA), sent);
        auth.wait(1);
    }
    auth.wait(complained + DAY - now(&auth) - 1);
    ask(5).await.ok();
    assert_eq!(auth.newest_code(ADA).len(), 13);
    auth.wait(1);
    ask(6).await.ok();
    assert_eq!(auth.newest_code(ADA).len(), 6);
}

/// S225: an event contains the code, because it repeats the subject. No log line and no table does.
#[tokio::test]
async fn an_event_is_kept_without_its_subject() {
    let auth = deployment().await;
    let code = auth.client().ask(ADA).await.code;
    let sending = newest(&auth, ADA);
    for what in
        [MailEvent::Delay, MailEvent::Delivery, MailEvent::TransientBounce, MailEvent::Complaint, MailEvent::Reject]
    {
        let event = sending.event(what, auth.stack.clock().now());
        assert!(event.to_string().contains(&code));
        auth.tell(&event).await;
        // Nobody can read these, and the log has nothing of their text.
        auth.tell(&json!(format!("{event}}}"))).await;
        auth.tell(&json!({ "eventType": code, "mail": event["mail"] })).await;
    }
    auth.tell(&json!("Successfully validated SNS topic for Amazon SES event publishing.")).await;
    let lines = auth.stack.logs();
    assert!(!lines.iter().any(|line| line.contains(&code) || line.contains(ADA)), "{lines:#?}");
    let lines: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |function: &str| lines.iter().filter(|line| line["function"] == function).collect::<Vec<_>>();
    let kinds: BTreeSet<_> = of("delivery").iter().map(|line| line["kind"].as_str().unwrap().to_owned()).collect();
    assert!(
        kinds
            .into_iter()
            .eq(["bounce", "complaint", "delay", "delivery", "reject", "unknown", "validation"].map(str::to_owned))
    );
    // The lines of a send and of its receipts have the same two ids.
    let step = |line: &Value, name: &str| {
        let steps = line["steps"].as_array().unwrap().iter();
        steps.filter(|step| step["step"] == name).map(|step| step["message"].clone()).next()
    };
    let (sent, told) = (of("request-otp")[0], of("delivery")[0]);
    assert_eq!((step(sent, "delivery"), step(told, "receipt")), (Some(json!(sending.id)), Some(json!(sending.id))));
    assert_eq!(sent["identifier"], told["identifier"]);
}

/// SES's simulator addresses lead to their events, once, and any other address to a delivery.
#[tokio::test]
async fn the_simulators_addresses_have_their_events() {
    let auth = deployment().await;
    for (local, expected) in [
        ("success", "delivered"),
        ("success+label", "delivered"),
        ("bounce", "failed"),
        ("bounce+1", "failed"),
        ("suppressionlist", "failed"),
        ("ooto", "delivered"),
        ("complaint", "delivered"),
    ] {
        let to = format!("{local}@simulator.amazonses.com");
        let challenge = auth.client().ask(&to).await.challenge;
        auth.wait(1);
        auth.stack.deliver().await;
        assert_eq!(auth.client().status(&to, &challenge).await.ok()["state"], expected, "{to}");
        let item = auth.identifier(&to).unwrap();
        assert_eq!(item["hd"].is_null(), expected == "delivered", "{to}");
        assert_eq!(item["cp"].is_null(), local != "complaint", "{to}");
        auth.stack.services().calls().take();
        auth.stack.deliver().await;
        assert_eq!(auth.stack.services().calls().take(), [], "an event comes once");
        auth.wait(60);
    }
}

/// A deployment may go without the deliveries, which are most of the events.
#[tokio::test]
async fn deliveries_may_be_off() {
    let mut template = Template::read(&find_root().unwrap(), "default").unwrap();
    let events = &mut template.destinations[0].events;
    assert_eq!(events.pop().as_deref(), Some("DELIVERY"));
    assert_eq!(*events, ["BOUNCE", "COMPLAINT", "REJECT", "DELIVERY_DELAY"]);
    let auth = Deployment::from(template).await.unwrap();
    for (to, state) in [(ADA, "sent"), ("bounce@simulator.amazonses.com", "failed")] {
        let challenge = auth.client().ask(to).await.challenge;
        auth.stack.deliver().await;
        assert_eq!(auth.client().status(to, &challenge).await.ok()["state"], state);
    }
}

/// S225: the topic is for SES's events of this stack alone, and nothing else gets or keeps them.
#[test]
fn only_ses_publishes_to_a_topic_with_one_subscriber() {
    let text = crate::workspace::read("template.yaml");
    let template = Template::read(&find_root().unwrap(), "default").unwrap();
    let [destination] = template.destinations.as_slice() else { panic!("{:?}", template.destinations) };
    assert!(destination.is_permitted, "only the topic's policy lets SES publish");
    let subscribers: Vec<_> = template.subscriptions.iter().map(|own| (&own.topic, own.function.as_str())).collect();
    assert_eq!(subscribers, [(&destination.topic, "Delivery")]);
    assert_eq!(text.matches("AWS::SNS::Subscription").count() + text.matches("RedrivePolicy").count(), 0);
    let function = text.split_once("\n  Delivery:\n").unwrap().1.split_once("\n  VerifyOtp:\n").unwrap().0;
    assert_eq!(function.matches("DeadLetterQueue").count() + function.matches("EventInvokeConfig").count(), 0);
    // The only subscriber is there before SES's own message, and the policy before the destination.
    let resource = text.split_once("  MailEventDestination:\n").unwrap().1.split_once("\n  # ").unwrap().0;
    assert!(resource.contains("DependsOn: MailEventsPolicy"));
    let policy = text.split_once("  MailEventsPolicy:\n").unwrap().1.split_once("MailEventDestination").unwrap().0;
    for line in
        ["Principal: { Service: ses.amazonaws.com }", "aws:SourceAccount: !Ref AWS::AccountId", "aws:SourceArn: "]
    {
        assert_eq!(policy.matches(line).count(), 1, "{line}");
    }
    assert_eq!(policy.matches("Effect:").count(), 1);
}
