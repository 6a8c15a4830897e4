//! Reconciliation: what a stream has lost is rebuilt from exports of both tables.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use local::reconcile;
use serde_json::{Value, json};
use shared::words::{Entropy, random_id};
use tests::Deployment;

use crate::erase::{items_with, let_days_pass};
use crate::record::{numbers, user_of};

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";
const DAY: u64 = 86_400;

/// A folder for exports, until the end of a test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        Folder(std::env::temp_dir().join(format!("latchkey-exports-{}", random_id(&Entropy).unwrap())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// All counts that are not zero, by their item and name.
fn counts(auth: &Deployment) -> BTreeMap<(String, String), i64> {
    let mut counts = BTreeMap::new();
    for kind in ["DAY#", "LA#"] {
        for item in auth.items_of("RECORD_TABLE", kind) {
            let place = format!("{} {}", item["pk"]["S"], item["sk"]["S"]);
            let found = numbers(&item).into_iter().filter(|(_, count)| *count != 0);
            counts.extend(found.map(|(name, count)| ((place.clone(), name), count)));
        }
    }
    counts
}

/// Exports of both tables.
fn exports(auth: &Deployment, folder: &Path) -> [PathBuf; 2] {
    ["USER_TABLE", "RECORD_TABLE"].map(|table| auth.stack.services().export(&auth.setting(table), folder).unwrap())
}

/// Two days of a few people. With an outage, the stream has forgotten the second day when `record` and `erase` work again.
async fn history(auth: &Deployment, has_outage: bool) -> String {
    let ada = auth.client().sign_in_from(ADA, "https://example.org/a").await;
    let bob = auth.client().sign_in_from(BOB, "https://example.net/").await;
    auth.stack.deliver().await;
    auth.wait(DAY);
    auth.client().sign_in_from("cy@example.com", "https://example.org/b").await;
    auth.client().refresh(&ada.refresh).await.ok();
    auth.client().sign_in("+447400123456").await;
    auth.client().sign_in("+447400123456").await;
    let bob = user_of(&bob.access);
    auth.delete_item(&format!("U#{bob}"));
    if !has_outage {
        auth.stack.deliver().await;
    }
    auth.wait(DAY + 60);
    // Each shard of the stream forgets old records when it gets a new one.
    for number in 0..12 {
        auth.client().sign_in(&format!("p{number}@example.com")).await;
    }
    auth.stack.deliver().await;
    bob
}

async fn carry_out(auth: &Deployment, function: &str, events: &[Value]) -> Vec<Value> {
    let mut answers = Vec::new();
    for event in events {
        answers.push(auth.stack.invoke(function, event).await.unwrap());
    }
    answers
}

#[tokio::test]
async fn what_the_stream_forgot_is_rebuilt_from_exports() {
    let (whole, lossy) = (Deployment::start().await, Deployment::start().await);
    history(&whole, false).await;
    let bob = history(&lossy, true).await;
    assert_ne!(counts(&lossy), counts(&whole), "nothing was lost");
    let left = items_with(&lossy, &[&bob]).len();
    assert_eq!(left, 5, "an identifier, a session, a source and two rows");

    let folder = Folder::new();
    let [users, records] = exports(&lossy, &folder.0);
    let plan = reconcile([&users, &records]).unwrap();
    assert_eq!(plan, reconcile([&records, &users]).unwrap());
    assert_eq!((plan.counts.len(), plan.erasures.len()), (1, 1), "{plan:?}");

    // A sign-in after the export is counted by the stream.
    for auth in [&whole, &lossy] {
        auth.client().sign_in("dan@example.com").await;
        auth.stack.deliver().await;
    }
    for counted in [true, false] {
        assert_eq!(carry_out(&lossy, "Record", &plan.counts).await, [json!({ "counted": counted })]);
        assert_eq!(counts(&lossy), counts(&whole));
    }
    for _ in 0..2 {
        assert_eq!(carry_out(&lossy, "Erase", &plan.erasures).await, [json!({ "erased": true })]);
    }
    let_days_pass(&lossy).await;
    assert_eq!(items_with(&lossy, &[&bob, BOB]), Vec::<Value>::new());

    let [users, records] = exports(&lossy, &folder.0);
    assert_eq!(reconcile([&users, &records]).unwrap(), shared::store::Plan::default(), "nothing is missing any more");
}

/// Each part counts once, and in its order. Other events are refused.
#[tokio::test]
async fn parts_of_a_correction_count_once_and_in_order() {
    let auth = Deployment::start().await;
    let part = |part: u32, count: i64| json!({ "export": "x", "part": part, "counts": { "days": {}, "last_active": { "20454": count } } });
    let refused = auth.stack.invoke("Record", &part(2, 5)).await.unwrap_err().to_string();
    assert!(refused.contains("part 1"), "{refused}");
    for (event, counted) in
        [(part(1, 5), true), (part(1, 5), false), (part(2, -2), true), (part(1, 5), false), (part(2, -2), false)]
    {
        assert_eq!(auth.stack.invoke("Record", &event).await.unwrap(), json!({ "counted": counted }), "{event}");
    }
    auth.wait(30 * 86_400);
    auth.stack.services().sweep_expired().unwrap();
    assert_eq!(auth.stack.invoke("Record", &part(1, 5)).await.unwrap(), json!({ "counted": false }), "a month later");
    assert_eq!(counts(&auth).values().copied().collect::<Vec<_>>(), [3]);
    for wrong in [
        json!({ "export": "x", "part": 0, "counts": { "days": {}, "last_active": {} } }),
        json!({ "export": "", "part": 1, "counts": { "days": {}, "last_active": {} } }),
        json!({ "export": "x".repeat(65), "part": 1, "counts": { "days": {}, "last_active": {} } }),
        json!({ "export": "x", "part": 3 }),
        json!({ "export": null }),
    ] {
        assert!(auth.stack.invoke("Record", &wrong).await.is_err(), "{wrong}");
    }
}

/// DynamoDB writes some files for each table, however few its items are.
#[tokio::test]
async fn a_file_without_items_is_whole() {
    const NO_BYTES: &str = "1B2M2Y8AsgTpgAmY7PhCfg==";
    let auth = Deployment::start().await;
    auth.client().sign_in(ADA).await;
    auth.stack.deliver().await;
    let folder = Folder::new();
    let [users, records] = exports(&auth, &folder.0);
    let files = fs::read_to_string(users.join("manifest-files.json")).unwrap();
    fs::write(users.join("data/empty.json.gz"), "").unwrap();
    let with = |items: u32| {
        let file =
            json!({ "itemCount": items, "md5Checksum": NO_BYTES, "dataFileS3Key": "AWSDynamoDB/x/data/empty.json.gz" });
        fs::write(users.join("manifest-files.json"), format!("{files}{file}\n")).unwrap();
        reconcile([&users, &records])
    };
    assert_eq!(with(0).unwrap(), shared::store::Plan::default());
    assert!(with(1).unwrap_err().to_string().contains("it has 0 of 1 items"));
}

/// A part of an export would look like users who left, and like wrong counts.
#[tokio::test]
async fn a_damaged_export_is_refused() {
    let auth = Deployment::start().await;
    auth.client().sign_in(ADA).await;
    auth.stack.deliver().await;
    let folder = Folder::new();
    let [users, records] = exports(&auth, &folder.0);
    let refused = |one: &Path, other: &Path| reconcile([one, other]).unwrap_err().to_string();
    assert!(refused(&users, &users).contains("one table"));
    auth.wait(1);
    let [_, later] = exports(&auth, &folder.0);
    assert!(refused(&users, &later).contains("--export-time"));

    let files = fs::read_to_string(users.join("manifest-files.json")).unwrap();
    let first: Value = serde_json::from_str(files.lines().next().unwrap()).unwrap();
    let data = users.join("data").join(first["dataFileS3Key"].as_str().unwrap().rsplit('/').next().unwrap());
    let bytes = fs::read(&data).unwrap();
    fs::write(&data, &bytes[..bytes.len() - 1]).unwrap();
    assert!(refused(&users, &records).contains("differs from its checksum"));
    fs::remove_file(&data).unwrap();
    assert!(refused(&users, &records).contains(data.file_name().unwrap().to_str().unwrap()));
    fs::write(&data, bytes).unwrap();

    let rest: String = files.lines().skip(1).map(|line| format!("{line}\n")).collect();
    fs::write(users.join("manifest-files.json"), rest).unwrap();
    assert!(refused(&users, &records).contains("items"));
    fs::write(users.join("manifest-files.json"), files).unwrap();
    reconcile([&users, &records]).unwrap();

    let summary = users.join("manifest-summary.json");
    let text = fs::read_to_string(&summary).unwrap();
    for (from, to) in [("DYNAMODB_JSON", "ION"), ("FULL_EXPORT", "INCREMENTAL_EXPORT")] {
        fs::write(&summary, text.replace(from, to)).unwrap();
        assert!(refused(&users, &records).contains("no full export"));
    }
}
