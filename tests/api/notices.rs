//! Notices: mails about new sign-ins, and the link that ends all sessions.

use local::Message;
use local_aws::gate::Held;
use local_aws::gateway::aws_address;
use serde_json::{Value, json};
use tests::browser::DEVICE_COOKIE;
use tests::client::{DISAVOW, REQUEST, VERIFY};
use tests::deployment::session_of;
use tests::{Answer, Client, Deployment, Tokens};

use crate::record::user_of;
use crate::withdrawals::held;

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";
const PHONE: &str = "+447400123456";
const PAGE: &str = "http://localhost:3000";
const DAY: u64 = 86_400;
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const SAFARI: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1";
const ELSEWHERE: &str = "203.0.113.9";
const TOPIC: &str = "arn:aws:sns:us-east-1:000000000000:operators";
const ASIDE: &str = "arn:aws:sqs:us-east-1:000000000000:latchkey-FailedNotices";

/// A deployment with ADA's account, whose first day is over.
async fn deployment(settings: &[(&str, &str)]) -> (Deployment, Tokens) {
    let auth = Deployment::with(settings).await;
    let tokens = sign_in(auth.client(), ADA, FIREFOX).await.tokens();
    auth.stack.deliver().await;
    auth.wait(DAY);
    (auth, tokens)
}

/// Signs in with a client of this user agent that keeps no device token.
async fn sign_in(client: Client<'_>, address: &str, agent: &str) -> Answer {
    let asked = client.ask(address).await;
    let body = json!({ "identifier": address, "otp_code": asked.code, "challenge_id": asked.challenge });
    client.post_with("user-agent", agent, VERIFY, body).await
}

/// The notices to `address`, newest first.
fn notices_to(auth: &Deployment, address: &str) -> Vec<Message> {
    let messages = auth.stack.inbox().messages(Some(address)).into_iter();
    messages.filter(|message| message.subject.as_deref() == Some("New sign-in to Latchkey")).collect()
}

/// Delivers, and counts the notices to ADA so far.
async fn told(auth: &Deployment) -> usize {
    auth.stack.deliver().await;
    notices_to(auth, ADA).len()
}

/// The token in the newest notice to `address`.
fn token(auth: &Deployment, address: &str) -> String {
    notices_to(auth, address)[0].text.split_once("?token=").unwrap().1.trim().to_owned()
}

async fn disavow(auth: &Deployment, token: &str) -> Answer {
    auth.client().post(DISAVOW, json!({ "token": token })).await
}

/// A sign-in of a thief: the tokens, and the token of the notice about it.
async fn theft(auth: &Deployment) -> (Tokens, String) {
    let tokens = sign_in(auth.client_at(ELSEWHERE), ADA, SAFARI).await.tokens();
    auth.stack.deliver().await;
    (tokens, token(auth, ADA))
}

#[tokio::test]
async fn a_sign_in_with_a_new_device_is_told_once() {
    let (auth, _) = deployment(&[]).await;
    assert_eq!(told(&auth).await, 0);
    sign_in(auth.client_at(ELSEWHERE), ADA, SAFARI).await.ok();
    for _ in 0..2 {
        assert_eq!(told(&auth).await, 1);
    }
    let [notice] = notices_to(&auth, ADA).try_into().unwrap();
    let link = format!("{}/api/auth/disavow?token={}", aws_address(), token(&auth, ADA));
    for body in [&notice.text, notice.html.as_ref().unwrap()] {
        for word in ["Safari on iPhone", "2026-01-02 00:00 UTC", "This was not me", &link] {
            assert!(body.contains(word), "{word}: {body}");
        }
        assert!(!body.contains("203.0") && !body.contains(ADA), "{body}");
    }
    assert_eq!(notice.headers["Auto-Submitted"], "auto-generated");
}

/// S230: the link comes from the settings, whatever host the sign-in named.
#[tokio::test]
async fn a_link_names_the_domain_of_the_deployment() {
    let (auth, _) = deployment(&[("DOMAIN_NAME", "auth.example.com")]).await;
    let client = auth.client_at(ELSEWHERE);
    let asked = client.ask(ADA).await;
    let body = json!({ "identifier": ADA, "otp_code": asked.code, "challenge_id": asked.challenge });
    client.post_with("host", "evil.example", VERIFY, body).await.ok();
    assert_eq!(told(&auth).await, 1);
    assert!(notices_to(&auth, ADA)[0].text.contains("https://auth.example.com/api/auth/disavow?token="));
}

#[tokio::test]
async fn a_known_device_is_not_told() {
    let (auth, _) = deployment(&[]).await;
    // A client with its device token may come from anywhere.
    let device = sign_in(auth.client_at(ELSEWHERE), ADA, SAFARI).await.ok()["device"].clone();
    assert_eq!(told(&auth).await, 1);
    let client = auth.client_at("198.51.100.1");
    let asked = client.ask(ADA).await;
    let body = json!({ "identifier": ADA, "otp_code": asked.code, "challenge_id": asked.challenge, "device": device });
    client.post(VERIFY, body).await.ok();
    assert_eq!(told(&auth).await, 1);
    // And so may a browser with its cookie.
    let mut browser = auth.client_at("198.51.100.2").browser(PAGE);
    browser.sign_in(ADA).await;
    assert_eq!(told(&auth).await, 2);
    browser.sign_in(ADA).await;
    assert_eq!(told(&auth).await, 2);
    // Without it, the same browser in the same network is another one.
    browser.cookies.remove(DEVICE_COOKIE);
    browser.sign_in(ADA).await;
    assert_eq!(told(&auth).await, 3);
}

/// A device token of one identifier says nothing about another one.
#[tokio::test]
async fn a_device_token_of_somebody_else_is_none() {
    let (auth, _) = deployment(&[]).await;
    let client = auth.client_at(ELSEWHERE);
    let device = sign_in(client, BOB, SAFARI).await.ok()["device"].clone();
    let asked = client.ask(ADA).await;
    let body = json!({ "identifier": ADA, "otp_code": asked.code, "challenge_id": asked.challenge, "device": device });
    client.post(VERIFY, body).await.ok();
    assert_eq!(told(&auth).await, 1);
}

/// A client that keeps no device token is known by its words and its provider for 30 days.
#[tokio::test]
async fn a_client_without_a_token_is_known_for_thirty_days() {
    let (auth, _) = deployment(&[]).await;
    sign_in(auth.client_at("192.0.77.1"), ADA, FIREFOX).await.ok();
    assert_eq!(told(&auth).await, 0, "the same words and the same /16");
    sign_in(auth.client(), ADA, SAFARI).await.ok();
    assert_eq!(told(&auth).await, 1, "other words");
    sign_in(auth.client_at(ELSEWHERE), ADA, FIREFOX).await.ok();
    assert_eq!(told(&auth).await, 2, "another network");
    auth.wait(30 * DAY - 1);
    sign_in(auth.client_at(ELSEWHERE), ADA, FIREFOX).await.ok();
    assert_eq!(told(&auth).await, 2);
    auth.wait(30 * DAY);
    sign_in(auth.client_at(ELSEWHERE), ADA, FIREFOX).await.ok();
    assert_eq!(told(&auth).await, 3);
}

/// Two sign-ins of one new device in the same second do not make each other known.
#[tokio::test]
async fn two_sign_ins_at_once_do_not_hide_each_other() {
    let (auth, _) = deployment(&[]).await;
    for _ in 0..2 {
        sign_in(auth.client_at(ELSEWHERE), ADA, SAFARI).await.ok();
    }
    assert_eq!(told(&auth).await, 2);
}

#[tokio::test]
async fn a_sign_out_everywhere_makes_devices_strangers() {
    let (auth, tokens) = deployment(&[]).await;
    auth.client().logout_everywhere(&tokens.refresh).await.ok();
    auth.stack.deliver().await;
    auth.wait(1);
    sign_in(auth.client(), ADA, FIREFOX).await.ok();
    assert_eq!(told(&auth).await, 1);
}

#[tokio::test]
async fn the_first_day_of_an_account_is_quiet() {
    let auth = Deployment::start().await;
    sign_in(auth.client(), ADA, FIREFOX).await.ok();
    auth.wait(DAY - 1);
    sign_in(auth.client_at(ELSEWHERE), ADA, SAFARI).await.ok();
    assert_eq!(told(&auth).await, 0);
    auth.wait(1);
    sign_in(auth.client_at("198.51.100.1"), ADA, SAFARI).await.ok();
    assert_eq!(told(&auth).await, 1);
}

/// No SMS: it costs money, and its text would teach people to follow links in texts.
#[tokio::test]
async fn a_user_without_an_address_gets_no_notice() {
    let auth = Deployment::start().await;
    sign_in(auth.client(), PHONE, FIREFOX).await.ok();
    auth.wait(DAY);
    sign_in(auth.client_at(ELSEWHERE), PHONE, SAFARI).await.ok();
    auth.stack.deliver().await;
    assert_eq!(auth.messages_to(PHONE), 2);
    assert_eq!(auth.stack.services().messages(ASIDE), Vec::<String>::new());
}

/// The events on the bus for the stack's own rules.
fn events(auth: &Deployment) -> Vec<Value> {
    let events = auth.stack.services().events(&auth.setting("EVENT_BUS")).into_iter();
    events.map(|found| found.event).filter(|event| event["source"] == "latchkey.stack").collect()
}

#[tokio::test]
async fn the_same_event_twice_is_one_mail() {
    let (auth, _) = deployment(&[]).await;
    theft(&auth).await;
    let [event] = events(&auth).try_into().unwrap();
    let event = json!({ "api": aws_address(), "detail": event["detail"] });
    for sent in [false, false] {
        assert_eq!(auth.stack.invoke("Notify", &event).await.unwrap(), json!({ "sent": sent }));
        auth.wait(3_600);
    }
    assert_eq!(told(&auth).await, 1);
}

/// A claim without a send runs out, so that a crash between the two loses no notice.
#[tokio::test]
async fn a_notice_that_could_not_be_sent_is_sent_later() {
    let (auth, _) = deployment(&[]).await;
    auth.faults(json!({ "delivery": "refused" }));
    sign_in_despite(&auth).await;
    assert_eq!(told(&auth).await, 0);
    auth.faults(json!({}));
    assert_eq!(told(&auth).await, 0, "Lambda waits for a minute");
    auth.wait(60);
    assert_eq!(told(&auth).await, 1);
    auth.wait(3_600);
    assert_eq!(told(&auth).await, 1);
}

/// Signs in with a new device while only notices fail.
async fn sign_in_despite(auth: &Deployment) {
    auth.faults(json!({}));
    sign_in(auth.client_at(ELSEWHERE), ADA, SAFARI).await.ok();
    auth.faults(json!({ "delivery": "refused" }));
}

/// S232: an event that failed three times is set aside, without an address.
#[tokio::test]
async fn an_event_that_keeps_failing_goes_to_a_queue() {
    let (auth, _) = deployment(&[]).await;
    sign_in_despite(&auth).await;
    for wait in [0, 60, 120, 3_600] {
        auth.wait(wait);
        auth.stack.deliver().await;
    }
    let aside = auth.stack.services().messages(ASIDE);
    assert_eq!(aside.len(), 1, "{aside:?}");
    assert!(!aside[0].contains(ADA) && !aside[0].contains("Safari"), "{}", aside[0]);
    // An operator sends it again from there.
    auth.faults(json!({}));
    let event: Value = serde_json::from_str(&aside[0]).unwrap();
    assert_eq!(auth.stack.invoke("Notify", &event["requestPayload"]).await.unwrap(), json!({ "sent": true }));
    assert_eq!(told(&auth).await, 1);
}

/// S233: a thief of the mailbox cannot bury the link under notices.
#[tokio::test]
async fn a_user_gets_five_notices_a_day() {
    let (auth, _) = deployment(&[]).await;
    for number in 0..8 {
        sign_in(auth.client_at(&format!("203.{number}.113.9")), ADA, SAFARI).await.ok();
        auth.stack.deliver().await;
        auth.wait(60);
    }
    assert_eq!(told(&auth).await, 5);
    auth.wait(DAY);
    sign_in(auth.client_at("203.9.113.9"), ADA, SAFARI).await.ok();
    assert_eq!(told(&auth).await, 6);
}

#[tokio::test]
async fn anything_else_is_no_event_of_notify() {
    let auth = Deployment::start().await;
    for event in [
        json!({}),
        json!({ "detail": { "id": "a-0", "type": "user.erased", "user": "00000000-0000-7000-8000-000000000000" } }),
        json!({ "detail": { "id": "a/0", "type": "user.created", "user": "00000000-0000-7000-8000-000000000000" } }),
        json!({ "detail": { "id": "a-0", "type": "session.opened", "user": "00000000-0000-7000-8000-000000000000" } }),
    ] {
        assert!(auth.stack.invoke("Notify", &event).await.is_err(), "{event}");
    }
    let gone =
        json!({ "detail": { "id": "a-0", "type": "user.created", "user": "00000000-0000-7000-8000-000000000000" } });
    assert_eq!(auth.stack.invoke("Notify", &gone).await.unwrap(), json!({ "sent": false }));
}

/// Notices need no setting of the deployer's bus, and a rule of the deployer gets nothing for it.
#[tokio::test]
async fn notices_are_independent_of_the_deployers_events() {
    for (events, notices, expected) in [("off", "on", 1), ("all", "on", 1), ("off", "off", 0), ("all", "off", 0)] {
        let (auth, _) = deployment(&[("EVENTS", events), ("NOTICES", notices)]).await;
        sign_in(auth.client_at(ELSEWHERE), ADA, SAFARI).await.ok();
        assert_eq!(told(&auth).await, expected, "{events} {notices}");
        assert_eq!(auth.events().is_empty(), events == "off");
        if notices == "off" {
            assert_eq!(auth.events_from("latchkey.stack"), Vec::<Value>::new());
        }
    }
}

#[tokio::test]
async fn a_new_user_is_welcomed_once_where_that_is_on() {
    for (settings, expected) in
        [(vec![], 0), (vec![("WELCOME", "on")], 1), (vec![("WELCOME", "on"), ("EVENTS", "off"), ("NOTICES", "off")], 1)]
    {
        let auth = Deployment::with(&settings).await;
        for _ in 0..2 {
            sign_in(auth.client(), ADA, FIREFOX).await.ok();
            auth.stack.deliver().await;
        }
        sign_in(auth.client(), PHONE, FIREFOX).await.ok();
        auth.stack.deliver().await;
        let messages = auth.stack.inbox().messages(None).into_iter();
        let welcomes: Vec<_> =
            messages.filter(|message| message.subject.as_deref() == Some("Welcome to Latchkey")).collect();
        assert_eq!(welcomes.len(), expected, "{settings:?}");
        assert!(welcomes.iter().all(|welcome| welcome.to == ADA && !welcome.text.contains("http")));
    }
}

/// S234: operators hear who signed in, and neither a code nor an address.
#[tokio::test]
async fn operators_hear_of_each_sign_in_without_a_code_or_an_address() {
    let auth = Deployment::with(&[("OPERATORS_TOPIC_ARN", TOPIC), ("EVENTS", "off"), ("NOTICES", "off")]).await;
    let tokens = sign_in(auth.client(), ADA, FIREFOX).await.tokens();
    auth.wait(60);
    sign_in(auth.client(), ADA, FIREFOX).await.ok();
    sign_in(auth.client(), PHONE, FIREFOX).await.ok();
    auth.stack.deliver().await;
    let mut heard: Vec<Value> =
        auth.stack.services().published(TOPIC).iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    heard.sort_by_key(|message| (message["time"].to_string(), message["type"].to_string()));
    let user = user_of(&tokens.access);
    assert_eq!(heard.len(), 3, "{heard:?}");
    let message = |kind: &str, time: &str| json!({ "type": kind, "user": user, "method": "otp_email", "time": time });
    assert_eq!(heard[0], message("new", "2026-01-01T00:00:00Z"));
    assert_eq!(heard[2], message("returning", "2026-01-01T00:01:00Z"));
    assert_eq!((&heard[1]["type"], &heard[1]["method"]), (&json!("new"), &json!("otp_sms")));
    let codes = auth.stack.inbox().messages(None).into_iter().map(|message| message.text);
    let codes: Vec<String> = codes
        .map(|text| text.split(|char: char| !char.is_ascii_digit()).max_by_key(|word| word.len()).unwrap().to_owned())
        .collect();
    for secret in codes.iter().map(String::as_str).chain([ADA, "7400123456"]) {
        assert!(!heard.iter().any(|message| message.to_string().contains(secret)), "{secret}");
    }
    // Without a topic, nothing is put for it.
    let quiet = Deployment::with(&[("EVENTS", "off"), ("NOTICES", "off")]).await;
    sign_in(quiet.client(), ADA, FIREFOX).await.ok();
    quiet.stack.deliver().await;
    assert_eq!(quiet.events_from("latchkey.stack"), Vec::<Value>::new());
}

/// S235: mail scanners open links.
#[tokio::test]
async fn opening_the_link_changes_nothing() {
    let (auth, owner) = deployment(&[]).await;
    let (thief, token) = theft(&auth).await;
    let calls = auth.stack.services().calls();
    calls.take();
    let answer = auth.client().get(&format!("/api/auth/disavow?token={token}")).await;
    assert_eq!((answer.status.as_u16(), calls.take().len()), (200, 0));
    let page = answer.body.as_str().unwrap();
    assert!(page.contains(&format!("<input type=\"hidden\" name=\"token\" value=\"{token}\">")), "{page}");
    let header = |name: &str| answer.headers[name].to_str().unwrap();
    assert_eq!((header("referrer-policy"), header("cache-control")), ("no-referrer", "no-store"));
    let policy = header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
    assert!(policy.contains("form-action 'self'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(auth.live(&mut [owner, thief]).await, 2);
    // Text of a stranger never comes into the page.
    let answer = auth.client().get("/api/auth/disavow?token=%3Cscript%3E").await;
    assert_eq!(answer.status.as_u16(), 400);
    assert!(!answer.body.as_str().unwrap().contains("script") && !answer.body.as_str().unwrap().contains("<form"));
}

/// S236: the button ends every session and every device token, and a sign-in under way with them.
#[tokio::test]
async fn the_button_ends_all_sessions_and_all_device_tokens() {
    let (auth, owner) = deployment(&[]).await;
    let signed_in = sign_in(auth.client_at(ELSEWHERE), ADA, SAFARI).await;
    let device = signed_in.clone().ok()["device"].clone();
    let thief = signed_in.tokens();
    auth.stack.deliver().await;
    let token = token(&auth, ADA);
    auth.wait(60);
    let answer = auth.client().post_form(DISAVOW, &format!("token={token}")).await;
    assert_eq!(answer.status.as_u16(), 200);
    assert!(answer.body.as_str().unwrap().contains("All devices are signed out"), "{}", answer.body);
    assert_eq!(auth.live(&mut [owner, thief]).await, 0);
    // The activity says why.
    auth.stack.deliver().await;
    let ended = auth.events().into_iter().filter(|event| event["reason"] == "disavowed").count();
    assert_eq!(ended, 2);
    // The thief's device is a stranger again, with its token or without.
    auth.wait(60);
    for (number, device) in [(1, device), (2, json!(null))] {
        let client = auth.client_at(ELSEWHERE);
        let asked = client.ask(ADA).await;
        let body =
            json!({ "identifier": ADA, "otp_code": asked.code, "challenge_id": asked.challenge, "device": device });
        client.post_with("user-agent", SAFARI, VERIFY, body).await.ok();
        assert_eq!(told(&auth).await, 1 + number);
    }
}

#[tokio::test]
async fn a_second_time_ends_no_later_session() {
    let (auth, _) = deployment(&[]).await;
    let (_, token) = theft(&auth).await;
    assert_eq!(disavow(&auth, &token).await.ok()["done_before"], json!(false));
    let owner = auth.client().sign_in(ADA).await;
    assert_eq!(disavow(&auth, &token).await.ok()["done_before"], json!(true));
    let page = auth.client().post_form(DISAVOW, &format!("token={token}")).await.body;
    assert!(page.as_str().unwrap().contains("This was done before"), "{page}");
    assert_eq!(auth.live(&mut [owner]).await, 1);
}

/// S236: the epoch stops a sign-in that read the user before.
#[tokio::test]
async fn a_sign_in_under_way_does_not_outlive_a_disavowal() {
    let (auth, _) = deployment(&[]).await;
    let (_, token) = theft(&auth).await;
    let client = auth.client_at(ELSEWHERE);
    let asked = client.ask(ADA).await;
    let is_entry =
        |call: &Held| call.caller == "VerifyOtp" && call.operation == "UpdateItem" && call.keys[0].starts_with("U#");
    let button = async { drop(disavow(&auth, &token).await.ok()) };
    held(&auth, is_entry, client.answer(ADA, &asked), button).await.refused(400, "invalid_otp");
}

/// S237: a thief who signs out takes the link away from nobody.
#[tokio::test]
async fn a_session_that_has_ended_can_be_disavowed() {
    let (auth, _) = deployment(&[]).await;
    let (first, token) = theft(&auth).await;
    let second = sign_in(auth.client_at(ELSEWHERE), ADA, SAFARI).await.tokens();
    auth.client_at(ELSEWHERE).logout(&first.refresh).await.ok();
    disavow(&auth, &token).await.ok();
    assert_eq!(auth.live(&mut [second]).await, 0);
}

/// S237: each token is of one sign-in, and only the mail has it.
#[tokio::test]
async fn every_other_token_has_one_answer() {
    let (auth, owner) = deployment(&[]).await;
    sign_in(auth.client(), BOB, FIREFOX).await.ok();
    auth.wait(DAY);
    let (thief, mine) = theft(&auth).await;
    sign_in(auth.client_at(ELSEWHERE), BOB, SAFARI).await.ok();
    auth.stack.deliver().await;
    let bobs = token(&auth, BOB);
    let [(session, mac), (_, other)] = [&mine, &bobs].map(|token| token.split_once('.').unwrap());
    let unknown = format!("{}.{mac}", session_of(&owner.access));
    let nobodys = format!("AAAAAAAAAAAAAAAAAAAAAA.{mac}");
    let mut answers = Vec::new();
    for wrong in [&format!("{session}.{other}"), &unknown, &nobodys, "x", &mine[1..], &thief.refresh, &thief.access] {
        answers.push(disavow(&auth, wrong).await);
    }
    auth.wait(10 * DAY);
    answers.push(disavow(&auth, &mine).await);
    for answer in &answers {
        answer.refused(400, "invalid_request");
        assert_eq!(answer.body, answers[0].body);
    }
    let form = auth.client().post_form(DISAVOW, &format!("token={mine}")).await;
    assert_eq!(form.status.as_u16(), 400);
    assert_eq!(auth.client().post_form(DISAVOW, "other=1").await.body, form.body);
}

/// The last second of the ten days, and an account that was deleted.
#[tokio::test]
async fn a_link_works_for_ten_days_and_for_no_deleted_account() {
    let (auth, _) = deployment(&[]).await;
    let (_, token) = theft(&auth).await;
    auth.wait(10 * DAY - 1);
    disavow(&auth, &token).await.ok();

    let (auth, _) = deployment(&[]).await;
    let (_, token) = theft(&auth).await;
    let user = auth.items("U#").pop().unwrap();
    auth.delete_item(user["pk"]["S"].as_str().unwrap());
    disavow(&auth, &token).await.refused(400, "invalid_request");
    assert_eq!(auth.items("U#"), Vec::<Value>::new(), "nothing is written about a user who is gone");
}

/// A fault in the middle is an error, and the next attempt does the rest.
#[tokio::test]
async fn a_disavowal_that_failed_half_way_can_be_repeated() {
    let (auth, owner) = deployment(&[]).await;
    let (thief, token) = theft(&auth).await;
    let epoch = || auth.identifier(ADA).unwrap()["ep"].clone();
    for key in ["U#", "I#", "S#"] {
        let fault = json!({ "operation": "UpdateItem", "key": key, "error": "ThrottlingException", "times": 9 });
        auth.faults(json!({ "aws": [fault] }));
        disavow(&auth, &token).await.refused(503, "unavailable");
    }
    auth.faults(json!({}));
    assert_eq!(disavow(&auth, &token).await.ok()["done_before"], json!(false));
    assert!(epoch().is_object());
    assert_eq!(auth.live(&mut [owner, thief]).await, 0);
}

/// The rows of notices belong to the user, and go with the user.
#[tokio::test]
async fn an_erased_user_leaves_no_row_of_notices() {
    let (auth, _) = deployment(&[]).await;
    theft(&auth).await;
    let rows = || {
        let items = auth.items_of("RECORD_TABLE", "A#").into_iter();
        items.filter(|item| item["sk"]["S"].as_str().unwrap().starts_with("notices.")).count()
    };
    assert_eq!(rows(), 1);
    let user = auth.items("U#").pop().unwrap();
    auth.delete_item(user["pk"]["S"].as_str().unwrap());
    auth.stack.deliver().await;
    assert_eq!(rows(), 0);
}

/// A sign-in that is asked for is no notice, and a browser cannot hide behind a broken cookie.
#[tokio::test]
async fn an_unusable_device_token_keeps_nobody_from_signing_in() {
    let (auth, _) = deployment(&[]).await;
    let client = auth.client_at(ELSEWHERE);
    let asked = client.ask(ADA).await;
    let body = json!({ "identifier": ADA, "otp_code": asked.code, "challenge_id": asked.challenge, "token_delivery": "cookie" });
    let cookies = format!("{DEVICE_COOKIE}=a; {DEVICE_COOKIE}=b");
    client.post_with("cookie", &cookies, VERIFY, body).await.ok();
    assert_eq!(told(&auth).await, 1);
    client.post(REQUEST, json!({ "identifier": ADA })).await.ok();
    assert_eq!(told(&auth).await, 1);
}
