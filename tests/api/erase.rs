//! The function `erase`: what is left of a user whose item is gone, whatever comes twice, late or in parts.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use local_aws::gate::{Held, Release};
use serde_json::{Value, json};
use tests::Deployment;
use tests::authenticator::TOTP;
use tests::deployment::session_of;
use tests::operations::SETTINGS;
use tests::orders::Draw;

use crate::record::user_of;

const ADA: &str = "ada@example.com";
const PHONE: &str = "+447400123456";
const DAY: u64 = 86_400;

/// The tables in which something is about a user.
const TABLES: [&str; 3] = ["OTP_TABLE", "USER_TABLE", "RECORD_TABLE"];

/// The items that contain one of these texts, in all tables.
pub(crate) fn items_with(auth: &Deployment, texts: &[&str]) -> Vec<Value> {
    let has = |item: &Value| texts.iter().any(|text| item.to_string().contains(text));
    TABLES.iter().flat_map(|table| auth.items_of(table, "")).filter(has).collect()
}

/// Delivers all records, and then runs the sweeps of two days.
pub(crate) async fn let_days_pass(auth: &Deployment) {
    for _ in 0..3 {
        auth.stack.deliver().await;
        auth.wait(DAY);
    }
    auth.stack.deliver().await;
}

/// The list of users who left.
fn left(auth: &Deployment) -> Vec<Value> {
    auth.items_of("RECORD_TABLE", "LEFT")
}

/// A sweep, as the schedule invokes it.
async fn sweep(auth: &Deployment) -> Result<Value, String> {
    let event = json!({ "source": "aws.events", "detail-type": "Scheduled Event" });
    auth.stack.invoke("Erase", &event).await.map_err(|failure| failure.to_string())
}

fn swept(users: usize) -> Value {
    json!({ "swept": users, "complete": true })
}

/// Has a source, a session that was signed out, one that is active, and activity of both.
async fn person(auth: &Deployment, address: &str) -> String {
    let tokens = auth.client().sign_in_from(address, "https://example.org/").await;
    auth.client().logout(&tokens.refresh).await.ok();
    let tokens = auth.client().sign_in(address).await;
    auth.client().refresh(&tokens.refresh).await.ok();
    user_of(&tokens.access)
}

#[tokio::test]
async fn nothing_of_a_deleted_user_is_left() {
    let auth = Deployment::start().await;
    let bob = person(&auth, "bob@example.com").await;
    for address in [ADA, PHONE] {
        let user = person(&auth, address).await;
        auth.stack.deliver().await;
        assert_eq!(items_with(&auth, &[&user]).len(), 9, "a user, an identifier, two sessions, a source and four rows");
        auth.delete_item(&format!("U#{user}"));
        auth.stack.deliver().await;
        let (items, listed) = (items_with(&auth, &[&user, address, &address[1..]]), left(&auth));
        assert_eq!(items, listed, "the list names the user until nothing can come later");
        let told =
            auth.events().into_iter().filter(|event| event["type"] == "user.erased" && event["user"] == user.as_str());
        assert_eq!(told.count(), 1);
        let_days_pass(&auth).await;
        assert_eq!(items_with(&auth, &[&user, address, &address[1..]]), Vec::<Value>::new());
    }
    assert_eq!(items_with(&auth, &[&bob]).len(), 9);
    assert_eq!(auth.items("U#").len(), 1);
    assert!(auth.failed_records().is_empty());
}

/// The secrets and the backup codes go with their user, in an enrolment too, and those of others stay.
#[tokio::test]
async fn the_second_factors_of_a_deleted_user_are_erased() {
    let auth = Deployment::start().await;
    let user = user_of(&auth.client().enrol(ADA).await.tokens.access);
    let begun = auth.client().sign_in("carol@example.com").await;
    auth.client().post_as(&begun.access, TOTP, json!({})).await.ok();
    let bob = auth.client().enrol("bob@example.com").await;
    let keys = || auth.items("F#").iter().map(|item| item["pk"]["S"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let (bobs, carol) = (format!("F#{}", user_of(&bob.tokens.access)), user_of(&begun.access));
    assert_eq!(keys().len(), 3);
    for user in [&user, &carol] {
        auth.delete_item(&format!("U#{user}"));
    }
    auth.stack.deliver().await;
    assert_eq!(keys(), std::slice::from_ref(&bobs));
    let_days_pass(&auth).await;
    assert_eq!(items_with(&auth, &[&user, &carol]), Vec::<Value>::new());
    assert_eq!(keys(), [bobs]);
    auth.client().sign_in_with("bob@example.com", &bob.app).await;
}

/// TTL deletes an item whose time is over. So will a user's who left.
#[tokio::test]
async fn a_user_whose_time_is_over_is_erased() {
    let auth = Deployment::start().await;
    let user = person(&auth, ADA).await;
    let ends = json!({ "TableName": auth.setting("USER_TABLE"), "Key": { "pk": { "S": format!("U#{user}") } },
        "UpdateExpression": "SET #ttl = :end", "ExpressionAttributeNames": { "#ttl": "ttl" },
        "ExpressionAttributeValues": { ":end": { "N": (tests::deployment::START + 60).to_string() } } });
    auth.stack.services().dynamodb("UpdateItem", ends).unwrap();
    auth.stack.deliver().await;
    auth.wait(61);
    auth.stack.services().sweep_expired().unwrap();
    auth.stack.deliver().await;
    assert_eq!(items_with(&auth, &[&user]), left(&auth));
    assert_eq!(left(&auth).len(), 1);
}

/// Someone signs up at the identifier before the erasure. The new user keeps the identifier.
#[tokio::test]
async fn a_new_user_of_the_identifier_stays() {
    let auth = Deployment::start().await;
    let old = person(&auth, ADA).await;
    auth.delete_item(&format!("U#{old}"));
    let tokens = auth.client().sign_in(ADA).await;
    let new = user_of(&tokens.access);
    assert_ne!(new, old);
    let_days_pass(&auth).await;
    assert_eq!(items_with(&auth, &[&old]), Vec::<Value>::new());
    let tokens = auth.client().refresh(&tokens.refresh).await.tokens();
    assert_eq!(user_of(&tokens.access), new);
    assert_eq!(user_of(&auth.client().sign_in(ADA).await.access), new);
}

/// Someone deletes the wrong user, and puts the item back from a backup.
#[tokio::test]
async fn a_restored_user_stays() {
    let auth = Deployment::start().await;
    let tokens = auth.client().sign_in(ADA).await;
    let item = auth.items("U#").pop().unwrap();
    auth.stack.deliver().await;
    let before = items_with(&auth, &[&user_of(&tokens.access)]);
    auth.delete_item(item["pk"]["S"].as_str().unwrap());
    let put = json!({ "TableName": auth.setting("USER_TABLE"), "Item": item });
    auth.stack.services().dynamodb("PutItem", put).unwrap();
    auth.stack.deliver().await;
    auth.wait(DAY);
    auth.stack.deliver().await;
    assert_eq!(left(&auth), Vec::<Value>::new());
    assert_eq!(items_with(&auth, &[&user_of(&tokens.access)]), before);
    auth.client().refresh(&tokens.refresh).await.ok();
}

/// The schedule of the template, by the stack's clock.
#[tokio::test]
async fn the_sweep_comes_once_a_day() {
    let auth = Deployment::start().await;
    let sweeps = || auth.stack.logs().iter().filter(|line| line.contains(r#""kind":"sweep""#)).count();
    for (seconds, expected) in [(0, 0), (DAY - 1, 0), (1, 1), (0, 1), (DAY, 2), (5 * DAY, 3)] {
        auth.wait(seconds);
        auth.stack.deliver().await;
        assert_eq!(sweeps(), expected);
    }
}

/// The list tells who left, and the sweep fails while somebody is not erased. An operator names what a table export still has.
#[tokio::test]
async fn an_erasure_that_failed_is_noticed_and_done_later() {
    let auth = Deployment::start().await;
    let tokens = auth.client().sign_in(ADA).await;
    let (user, session) = (user_of(&tokens.access), session_of(&tokens.access));
    let identifier = auth.items("ID#").pop().unwrap()["pk"]["S"].clone();
    auth.stack.deliver().await;
    auth.delete_item(&format!("U#{user}"));
    auth.faults(json!({ "aws": [{ "service": "secretsmanager", "error": "AccessDeniedException", "times": 1000 }] }));
    for _ in 0..30 {
        auth.stack.deliver().await;
    }
    auth.faults(json!({}));
    assert_eq!(auth.items("ID#").len(), 1);

    assert_eq!(sweep(&auth).await, Ok(swept(1)), "it may still come");
    auth.wait(3_600);
    let failure = sweep(&auth).await.unwrap_err();
    assert!(failure.contains("1 deleted users are not erased: `erase` is behind"), "{failure}");
    assert!(auth.stack.logs().iter().any(|line| line.contains("erasure_overdue") && line.contains(&user)));

    let items = json!({ "user": user, "items": [identifier, format!("S#{session}")] });
    assert_eq!(auth.stack.invoke("Erase", &items).await.unwrap(), json!({ "erased": true }));
    assert_eq!(sweep(&auth).await, Ok(swept(1)));
    assert_eq!(items_with(&auth, &[&user]), left(&auth));
    auth.wait(2 * DAY);
    assert_eq!(sweep(&auth).await, Ok(swept(1)));
    assert_eq!(left(&auth), Vec::<Value>::new());
}

/// A mapping that is disabled or dead raises no alarm by itself, so the sweep tells.
#[tokio::test]
async fn the_sweep_tells_that_record_is_behind() {
    let auth = Deployment::start().await;
    let user = person(&auth, ADA).await;
    auth.stack.deliver().await;
    auth.delete_item(&format!("U#{user}"));
    let no_cursor = json!({ "service": "dynamodb", "operation": "GetItem", "key": "SEQ#", "error": "AccessDeniedException", "times": 1000 });
    auth.faults(json!({ "aws": [no_cursor] }));
    auth.stack.deliver().await;
    assert!(left(&auth)[0]["at"].is_null() && left(&auth)[0]["e"].is_object(), "{:?}", left(&auth));
    assert_eq!(sweep(&auth).await, Ok(swept(1)), "it may still come");
    auth.wait(3_600);
    let failure = sweep(&auth).await.unwrap_err();
    assert!(failure.contains("1 erased users have no event of it: `record` is behind"), "{failure}");
    assert!(auth.stack.logs().iter().any(|line| line.contains("record_overdue") && line.contains(&user)));

    auth.faults(json!({}));
    auth.stack.deliver().await;
    assert_eq!(sweep(&auth).await, Ok(swept(1)));
}

/// After an outage of a day `record` never reads of a deletion that an operator knows from an export.
#[tokio::test]
async fn an_erasure_by_hand_does_not_wait_for_record() {
    let auth = Deployment::start().await;
    let user = person(&auth, ADA).await;
    auth.delete_item(&format!("U#{user}"));
    let event = json!({ "user": user, "items": [] });
    assert_eq!(auth.stack.invoke("Erase", &event).await.unwrap(), json!({ "erased": true }));
    auth.wait(3_600);
    assert_eq!(sweep(&auth).await, Ok(swept(1)));
}

/// After a mass deletion the list may be too long for one sweep. Some users are erased at the same time, and no sweep is cut off.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_stops_before_its_timeout_and_the_next_one_goes_on() {
    const USERS: usize = 25;
    const AT_ONCE: usize = 10;
    let auth = Deployment::start().await;
    for number in 0..USERS {
        let user = user_of(&auth.client().sign_in(&format!("p{number}@example.com")).await.access);
        auth.delete_item(&format!("U#{user}"));
    }
    auth.stack.deliver().await;
    let gate = auth.stack.services().gate();
    let mut begun = BTreeSet::new();
    for part in 1..=2 {
        gate.close();
        let steering = async {
            let is_asking = |held: &&Held| held.operation == "GetItem" && held.keys[0].starts_with("U#");
            loop {
                let held = gate.held();
                let asking: Vec<_> = held.iter().filter(is_asking).map(|held| held.keys[0].clone()).collect();
                if asking.len() == AT_ONCE {
                    begun.extend(asking);
                    break;
                }
                for held in held.iter().filter(|held| !is_asking(held)) {
                    gate.release(held.number, Release::Answered);
                }
                tokio::task::yield_now().await;
            }
            auth.wait(4 * 60);
            gate.open();
        };
        let both = async { tokio::join!(sweep(&auth), steering) };
        let both = tokio::time::timeout(Duration::from_secs(60), both).await;
        let (answer, ()) = both.expect("the sweep reads fewer users at the same time");
        assert_eq!(answer, Ok(json!({ "swept": AT_ONCE, "complete": false })));
        assert_eq!(begun.len(), part * AT_ONCE, "a sweep goes on where the last one stopped");
    }
    assert!(auth.stack.logs().iter().any(|line| line.contains("sweep_stopped")));
    assert_eq!(sweep(&auth).await, Ok(swept(USERS)));

    // The users that it has begun with have a minute.
    let template = crate::policies::template();
    assert_eq!(template.functions["Erase"].timeout, Some(5 * 60));
}

/// Whoever may invoke it cannot use it against a user who exists, or against other items.
#[tokio::test]
async fn an_operator_can_erase_no_user_who_exists() {
    let auth = Deployment::start().await;
    let user = person(&auth, ADA).await;
    let bob = person(&auth, "bob@example.com").await;
    let all = |of: &str| items_with(&auth, &[of]).len();
    let before = all(&user);
    let keys = |kind: &str| auth.items(kind).iter().map(|item| item["pk"]["S"].clone()).collect::<Vec<_>>();
    let items = [keys("ID#"), keys("S#")].concat();
    let event = json!({ "user": user, "items": items });
    assert_eq!(auth.stack.invoke("Erase", &event).await.unwrap(), json!({ "erased": false }));
    assert_eq!(all(&user), before);
    auth.delete_item(&format!("U#{user}"));
    assert_eq!(auth.stack.invoke("Erase", &event).await.unwrap(), json!({ "erased": true }));
    assert_eq!(all(&bob), before, "the items of others stay");
    for wrong in [json!([format!("U#{bob}")]), json!([format!("F#{bob}")]), json!(["JWKS"]), json!(null)] {
        let event = json!({ "user": user, "items": wrong });
        assert!(auth.stack.invoke("Erase", &event).await.is_err(), "{event}");
    }
    assert_eq!(all(&bob), before);
}

/// Deliveries with every fault of the stream, and with crashes between the steps of `record` and `erase`.
#[tokio::test(start_paused = true)]
async fn nothing_is_left_after_every_fault() {
    let settings = [&SETTINGS[..], &[("EVENTS", "all")]].concat();
    let auth = Deployment::in_process(&settings, Arc::new(|_| {})).await;
    for seed in 0..30 {
        let mut draw = Draw::of(seed);
        let (stays, goes) = (format!("s{seed}@example.com"), format!("g{seed}@example.com"));
        let (stays, goes) = (person(&auth, &stays).await, person(&auth, &goes).await);
        if draw.below(2) == 0 {
            faulty(&auth, &mut draw).await;
        }
        auth.delete_item(&format!("U#{goes}"));
        faulty(&auth, &mut draw).await;
        let_days_pass(&auth).await;
        assert_eq!(items_with(&auth, &[&goes]), Vec::<Value>::new(), "seed {seed}");
        assert_eq!(items_with(&auth, &[&stays]).len(), 9, "seed {seed}");
    }
}

/// A delivery with random faults.
async fn faulty(auth: &Deployment, draw: &mut Draw) {
    let kinds = ["duplicate", "split", "overlap", "delay", "reorder"];
    let stream: Vec<Value> =
        kinds.into_iter().filter(|_| draw.below(3) == 0).map(|kind| json!({ "fault": kind, "times": 1 })).collect();
    let operations = ["GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "TransactWriteItems"];
    let mut aws = Vec::new();
    for operation in operations {
        if draw.below(3) == 0 {
            let when = ["before", "after"][draw.below(2)];
            // The SDK does not repeat a denied call, so the function ends there, as in a crash.
            aws.push(json!({ "service": "dynamodb", "operation": operation, "when": when,
                "error": "AccessDeniedException", "times": 1 + draw.below(3) }));
        }
    }
    auth.faults(json!({ "stream": stream, "aws": aws }));
    auth.stack.deliver().await;
    auth.faults(json!({}));
}
