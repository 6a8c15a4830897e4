//! The function `record`: events, activity and counts from UserTable's stream, whatever comes twice, late or in parts.

mod histories;

use std::collections::BTreeMap;

use local_aws::gate::Held;
use serde_json::{Value, json};
use tests::client::SESSIONS;
use tests::deployment::{START, session_of, unverified};
use tests::{Deployment, Tokens};

use crate::withdrawals::held;

const ADA: &str = "ada@example.com";
const DAY: u64 = 86_400;

/// The user of an access token.
pub(crate) fn user_of(access: &str) -> String {
    unverified(access).1["sub"].as_str().unwrap().to_owned()
}

/// The numbers in an item of RecordTable, by their names.
pub(crate) fn numbers(item: &Value) -> BTreeMap<String, i64> {
    let number = |(name, value): (&String, &Value)| Some((name.clone(), value["N"].as_str()?.parse().ok()?));
    item.as_object().unwrap().iter().filter_map(number).collect()
}

/// The numbers of the item with these keys.
fn counts(auth: &Deployment, pk: &str, sk: &str) -> BTreeMap<String, i64> {
    let items = auth.items_of("RECORD_TABLE", pk);
    let item = items.iter().find(|item| item["pk"]["S"] == pk && item["sk"]["S"] == sk);
    item.map(numbers).unwrap_or_default()
}

/// The counts of the first day.
fn of_first_day(auth: &Deployment, sk: &str) -> BTreeMap<String, i64> {
    counts(auth, &format!("DAY#{}", START / DAY), sk)
}

fn named<const N: usize>(counts: [(&str, i64); N]) -> BTreeMap<String, i64> {
    counts.map(|(name, count)| (name.to_owned(), count)).into()
}

/// The events of one type on the bus.
fn events(auth: &Deployment, kind: &str) -> Vec<Value> {
    auth.events().into_iter().filter(|event| event["type"] == kind).collect()
}

#[tokio::test]
async fn a_sign_up_and_its_end_are_thin_events() {
    let auth = Deployment::with(&[("EVENTS", "all")]).await;
    let tokens = auth.client().sign_in_from(ADA, "https://www.example.org/pricing?email=ada@example.com").await;
    auth.wait(60);
    auth.client().logout(&tokens.refresh).await.ok();
    auth.stack.deliver().await;
    let (user, session) = (user_of(&tokens.access), session_of(&tokens.access));
    let about = |kind: &str, time: &str, more: Value| {
        let event = events(&auth, kind).pop().unwrap_or_else(|| panic!("no {kind}"));
        let mut expected = json!({ "id": event["id"], "type": kind, "time": time, "tenant": "default", "user": user });
        expected.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_eq!(event, expected);
    };
    let started = "2026-01-01T00:00:00Z";
    about(
        "user.created",
        started,
        json!({ "method": "otp_email", "source": "Example",
        "category": "Pricing Page", "url": "https://example.org/pricing" }),
    );
    let opened = json!({ "method": "otp_email", "session": session, "known_device": false, "is_new_user": true });
    about("session.opened", started, opened);
    about("session.ended", "2026-01-01T00:01:00Z", json!({ "reason": "logout", "session": session }));
    assert_eq!(auth.events().len(), 3);
}

/// The session and its entry in the user's item are written at the same time, and only the entry has a condition.
#[tokio::test]
async fn a_session_whose_sign_in_was_refused_is_an_event_too() {
    let auth = Deployment::with(&[("EVENTS", "all")]).await;
    let client = auth.client();
    let first = client.sign_in(ADA).await;
    let asked = client.ask(ADA).await;
    let is_entry =
        |call: &Held| call.caller == "VerifyOtp" && call.operation == "UpdateItem" && call.keys[0].starts_with("U#");
    let sign_out = async { drop(client.logout_everywhere(&first.refresh).await.ok()) };
    held(&auth, is_entry, client.answer(ADA, &asked), sign_out).await.refused(400, "invalid_otp");
    auth.stack.deliver().await;
    assert_eq!(events(&auth, "session.opened").len(), 2);
    assert_eq!(reasons(&auth), BTreeMap::from([(session_of(&first.access), "everywhere".to_owned())]));
}

/// Every sign-in costs a message on the bus with `all`, and none with `security`.
#[tokio::test]
async fn the_setting_decides_what_the_bus_gets() {
    for (setting, kinds) in [
        ("off", vec![]),
        ("security", vec!["session.ended", "user.created"]),
        ("all", vec!["session.ended", "session.opened", "user.created"]),
    ] {
        let auth = Deployment::with(&[("EVENTS", setting)]).await;
        let tokens = auth.client().sign_in(ADA).await;
        auth.client().logout(&tokens.refresh).await.ok();
        auth.stack.deliver().await;
        let mut found: Vec<_> = auth.events().iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect();
        found.sort();
        assert_eq!(found, kinds, "{setting}");
        assert_eq!(auth.items_of("RECORD_TABLE", "A#").len(), 3, "the activity is independent of the bus");
    }
}

#[tokio::test]
async fn counts_tell_ways_sources_and_last_activity() {
    let auth = Deployment::start().await;
    auth.client().sign_in_from(ADA, "https://example.org/a").await;
    auth.client().sign_in_from("bob@example.com", "https://example.org/b").await;
    auth.client().sign_in("+447400123456").await;
    auth.client().sign_in(ADA).await;
    auth.stack.deliver().await;
    let all = [("in_otp_email", 3), ("in_otp_sms", 1), ("up_otp_email", 2), ("up_otp_sms", 1)];
    assert_eq!(of_first_day(&auth, "all"), named(all));
    assert_eq!(of_first_day(&auth, "sources"), named([("n", 2), ("s_https://example.org", 2), ("s_none", 1)]));
    let day = START / DAY;
    let active = |day: u64| counts(&auth, &format!("LA#{}", day / 32), "all").get(&format!("d{day}")).copied();
    assert_eq!(active(day), Some(3));
    auth.wait(DAY);
    auth.client().sign_in(ADA).await;
    auth.stack.deliver().await;
    assert_eq!((active(day), active(day + 1)), (Some(2), Some(1)), "Ada was last active on the second day");
}

/// The reasons of all events `session.ended`, by session.
fn reasons(auth: &Deployment) -> BTreeMap<String, String> {
    let text = |event: &Value, name: &str| event[name].as_str().unwrap().to_owned();
    events(auth, "session.ended").iter().map(|event| (text(event, "session"), text(event, "reason"))).collect()
}

#[tokio::test]
async fn an_ended_session_has_its_reason() {
    let auth = Deployment::with(&[("SESSIONS_PER_USER", "4")]).await;
    let (client, mut expected) = (auth.client(), BTreeMap::new());
    let mut sessions = Vec::new();
    for _ in 0..5 {
        sessions.push(client.sign_in(ADA).await);
        auth.wait(1);
    }
    let mut expect = |tokens: &Tokens, reason: &str| expected.insert(session_of(&tokens.access), reason.to_owned());
    let [first, thief, left, ended, last] = &sessions[..] else { panic!() };
    expect(first, "limit");
    client.refresh(&thief.refresh).await.ok();
    auth.wait(11);
    client.refresh(&thief.refresh).await.refused(401, "invalid_token");
    expect(thief, "reuse");
    client.logout(&left.refresh).await.ok();
    expect(left, "logout");
    client.with_token("DELETE", &format!("{SESSIONS}{}", session_of(&ended.access)), &last.access).await.ok();
    expect(ended, "revoked");
    let (other, everywhere) = (client.sign_in(ADA).await, client.sign_in(ADA).await);
    client.with_token("DELETE", &format!("{SESSIONS}{}", session_of(&other.access)), &other.access).await.ok();
    expect(&other, "logout");
    client.with_token("DELETE", SESSIONS, &everywhere.access).await.ok();
    expect(last, "revoked");
    client.logout_everywhere(&everywhere.refresh).await.ok();
    expect(&everywhere, "everywhere");
    auth.stack.deliver().await;
    assert_eq!(reasons(&auth), expected);
}

/// How many users were last active on each day.
fn last_active(auth: &Deployment) -> BTreeMap<u64, i64> {
    let blocks = auth.items_of("RECORD_TABLE", "LA#");
    let days = blocks.iter().flat_map(numbers).filter(|(_, count)| *count != 0);
    days.map(|(name, count)| (name[1..].parse().unwrap(), count)).collect()
}

/// The sums of the last 1, 7 and 30 days are the active users.
#[tokio::test]
async fn a_refresh_is_activity_too() {
    let auth = Deployment::with(&[("REFRESH_IDLE_DAYS", "30"), ("REFRESH_ABSOLUTE_DAYS", "90")]).await;
    let (client, today) = (auth.client(), START / DAY);
    let mut refresh = client.sign_in(ADA).await.refresh;
    client.sign_in("bob@example.com").await;
    auth.stack.deliver().await;
    for days in [1_u64, 1, 5] {
        auth.wait(days * DAY);
        for _ in 0..2 {
            refresh = client.refresh(&refresh).await.tokens().refresh;
        }
        auth.stack.deliver().await;
    }
    assert_eq!(last_active(&auth), BTreeMap::from([(today, 1), (today + 7, 1)]));
    let active = |days: u64| last_active(&auth).range(today + 8 - days..).map(|(_, count)| count).sum::<i64>();
    assert_eq!([1, 7, 8, 30].map(active), [1, 1, 2, 2]);

    auth.wait(DAY);
    client.sign_in(ADA).await;
    client.refresh(&refresh).await.ok();
    auth.stack.deliver().await;
    assert_eq!(last_active(&auth), BTreeMap::from([(today, 1), (today + 8, 1)]));
}

/// The refresh has happened. Only the day of the last activity is not noted.
#[tokio::test]
async fn a_fault_while_activity_is_noted_costs_the_person_nothing() {
    let auth = Deployment::start().await;
    let tokens = auth.client().sign_in(ADA).await;
    auth.wait(DAY);
    let fault = json!({ "service": "dynamodb", "operation": "UpdateItem", "key": "U#", "error": "AccessDeniedException", "times": 1 });
    auth.faults(json!({ "aws": [fault] }));
    let tokens = auth.client().refresh(&tokens.refresh).await.tokens();
    auth.client().refresh(&tokens.refresh).await.ok();
    auth.stack.deliver().await;
    assert_eq!(last_active(&auth), BTreeMap::from([(START / DAY + 1, 1)]));
}

/// The identifier's item still names the deleted user, so it changes instead of being new.
#[tokio::test]
async fn a_sign_up_after_a_deletion_by_hand_is_one() {
    let auth = Deployment::start().await;
    let deleted = user_of(&auth.client().sign_in(ADA).await.access);
    auth.delete_item(&format!("U#{deleted}"));
    let user = user_of(&auth.client().sign_in(ADA).await.access);
    auth.stack.deliver().await;
    let created: Vec<_> = events(&auth, "user.created").iter().map(|event| event["user"].clone()).collect();
    assert_eq!((created.len(), created.contains(&json!(user))), (2, true), "{created:?}");
    assert_eq!(of_first_day(&auth, "all"), named([("in_otp_email", 2), ("up_otp_email", 2)]));
    let day = START / DAY;
    assert_eq!(counts(&auth, &format!("LA#{}", day / 32), "all")[&format!("d{day}")], 1);
}

/// No route changes a name yet, so an operator does.
#[tokio::test]
async fn an_update_names_its_fields_only() {
    let auth = Deployment::with(&[("EVENTS", "all")]).await;
    let tokens = auth.client().sign_in(ADA).await;
    let key = format!("U#{}", user_of(&tokens.access));
    let update = json!({ "TableName": auth.setting("USER_TABLE"), "Key": { "pk": { "S": key } },
        "UpdateExpression": "SET #first = :first", "ExpressionAttributeNames": { "#first": "first" },
        "ExpressionAttributeValues": { ":first": { "S": "Augusta" } } });
    auth.stack.services().dynamodb("UpdateItem", update).unwrap();
    auth.stack.deliver().await;
    let updated = events(&auth, "user.updated");
    assert_eq!((updated.len(), &updated[0]["fields"]), (1, &json!(["first_name"])));
    let everything = json!([auth.events(), auth.items_of("RECORD_TABLE", "")]).to_string();
    assert!(!everything.contains("Augusta"), "{everything}");
}

/// The place of an unreadable record goes to the queue, without its content. The others are recorded.
#[tokio::test]
async fn an_unreadable_record_is_set_aside() {
    let auth = Deployment::start().await;
    for number in 0..12 {
        auth.client().sign_in(&format!("p{number}@example.com")).await;
        if number % 4 == 0 {
            let item = json!({ "pk": { "S": format!("S#broken{number}") }, "uid": { "S": "who@example.com" } });
            let put = json!({ "TableName": auth.setting("USER_TABLE"), "Item": item });
            auth.stack.services().dynamodb("PutItem", put).unwrap();
        }
    }
    auth.stack.deliver().await;
    assert_eq!(of_first_day(&auth, "all"), named([("in_otp_email", 12), ("up_otp_email", 12)]));
    let failed = auth.failed_records();
    assert_eq!(failed.len(), 3, "{failed:?}");
    for message in &failed {
        let stream = "arn:aws:dynamodb:us-east-1:000000000000:table/latchkey-UserTable/stream/2026-01-01T00:00:00.000";
        let reason = "the record has another form than those of UserTable's stream";
        let expected = json!({ "function": "record", "reason": reason, "streamArn": stream,
            "shardId": message["shardId"], "sequenceNumber": message["sequenceNumber"] });
        assert_eq!(*message, expected);
        let (shard, sequence) = (message["shardId"].as_str().unwrap(), message["sequenceNumber"].as_str().unwrap());
        assert!(shard.starts_with("shardId-") && sequence.parse::<u128>().unwrap() > 0 && !sequence.starts_with('0'));
    }
    let told = json!([failed, auth.stack.logs()]).to_string();
    assert!(!told.contains("who@example.com"), "{told}");
}

/// The batch comes again until the queue has the place. The readable records of the batch count once.
#[tokio::test]
async fn an_unreadable_record_waits_for_the_queue() {
    let auth = Deployment::start().await;
    let refused =
        |times: u32| json!({ "aws": [{ "service": "sqs", "error": "AccessDeniedException", "times": times }] });
    auth.faults(refused(1_000));
    let item = json!({ "pk": { "S": "S#broken" }, "uid": { "S": "who@example.com" } });
    let put = json!({ "TableName": auth.setting("USER_TABLE"), "Item": item });
    auth.stack.services().dynamodb("PutItem", put).unwrap();
    for number in 0..12 {
        auth.client().sign_in(&format!("p{number}@example.com")).await;
    }
    for _ in 0..30 {
        auth.stack.deliver().await;
    }
    assert_eq!(auth.failed_records(), Vec::<Value>::new());
    auth.faults(json!({}));
    auth.stack.deliver().await;
    assert_eq!(auth.failed_records().len(), 1);
    assert_eq!(of_first_day(&auth, "all"), named([("in_otp_email", 12), ("up_otp_email", 12)]));
}

/// A service that is down for hours fails far more attempts than a mapping may repeat by itself.
#[tokio::test]
async fn an_outage_loses_nothing() {
    let auth = Deployment::with(&[("EVENTS", "all")]).await;
    auth.client().sign_in(ADA).await;
    auth.faults(json!({ "aws": [{ "service": "events", "error": "AccessDeniedException", "times": 1_000 }] }));
    for _ in 0..60 {
        auth.stack.deliver().await;
    }
    auth.wait(DAY - 60);
    auth.faults(json!({}));
    auth.stack.deliver().await;
    assert_eq!((events(&auth, "user.created").len(), events(&auth, "session.opened").len()), (1, 1));
    assert_eq!(of_first_day(&auth, "all"), named([("in_otp_email", 1), ("up_otp_email", 1)]));
    assert_eq!(auth.failed_records(), Vec::<Value>::new());
}

/// Anybody can invent sources, and each makes an item longer.
#[tokio::test]
async fn a_day_has_at_most_300_sources() {
    let auth = Deployment::start().await;
    let sign_up = |number: usize| {
        json!({ "pk": { "S": format!("ID#{number}") }, "uid": { "S": format!("00000000-0000-7000-8000-{number:012}") },
            "at": { "N": START.to_string() }, "via": { "S": "otp_email" },
            "source_url": { "S": format!("https://{number}.example/") } })
    };
    let put = |number: usize| {
        let put = json!({ "TableName": auth.setting("USER_TABLE"), "Item": sign_up(number) });
        auth.stack.services().dynamodb("PutItem", put).unwrap();
    };
    (0..290).for_each(put);
    auth.stack.deliver().await;
    (290..340).for_each(put);
    auth.stack.deliver().await;
    let sources = of_first_day(&auth, "sources");
    assert_eq!((sources["n"], sources["s_other"], sources.len()), (300, 40, 302));
    assert!(
        sources.iter().filter(|(name, _)| !["n", "s_other"].contains(&name.as_str())).all(|(_, count)| *count == 1)
    );
    assert_eq!(of_first_day(&auth, "all"), named([("up_otp_email", 340)]));
    assert!(auth.failed_records().is_empty());
}

/// A batch that comes again while its first invocation still runs counts once.
#[tokio::test]
async fn two_invocations_with_the_same_batch_count_it_once() {
    let auth = Deployment::start().await;
    let record = |sequence: u32| {
        json!({ "eventID": format!("event{sequence}"), "eventName": "INSERT",
            "dynamodb": { "ApproximateCreationDateTime": START, "Keys": { "pk": { "S": "ID#x" } },
                "SequenceNumber": sequence.to_string(), "NewImage": { "pk": { "S": "ID#x" },
                    "uid": { "S": "00000000-0000-7000-8000-000000000000" }, "at": { "N": START.to_string() },
                    "via": { "S": "otp_email" } } } })
    };
    let batch = |records: std::ops::Range<u32>| json!({ "shardId": "shard", "Records": records.map(record).collect::<Vec<_>>() });
    // The numbers get another length on the way.
    for (one, other) in [(5..8, 5..8), (8..20, 8..30), (30..110, 30..40)] {
        let stack = &auth.stack;
        let done = |batch: Value| async move { stack.invoke("Record", &batch).await.unwrap() };
        let (one, other) = tokio::join!(done(batch(one)), done(batch(other)));
        assert_eq!([&one, &other], [&json!({ "state": {} }); 2]);
    }
    assert_eq!(of_first_day(&auth, "all"), named([("up_otp_email", 105)]));
    let cursor = &auth.items_of("RECORD_TABLE", "SEQ#shard")[0]["q"]["S"];
    assert_eq!(*cursor, json!(format!("{:040}", 109)));
}
