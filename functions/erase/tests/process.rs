//! Runs the real binary like Lambda does.

use serde_json::{Value, json};
use tests::runtime_api::{Process, deployment};

const BINARY: &str = env!("CARGO_BIN_EXE_erase");
const ADA: &str = "ada@example.com";

/// The deletion of a user's item, as the stream tells it.
fn deletion(item: &Value) -> Value {
    json!({ "Records": [{ "eventID": "event1", "eventName": "REMOVE", "eventSource": "aws:dynamodb",
            "dynamodb": { "ApproximateCreationDateTime": 1_767_225_600, "Keys": { "pk": item["pk"] },
                "SequenceNumber": "100000000000000000001", "StreamViewType": "NEW_AND_OLD_IMAGES", "SizeBytes": 9,
                "OldImage": item } }],
        "shardId": "shard", "eventSourceARN": "arn:stream", "state": {},
        "window": { "start": "2026-01-01T00:00:00Z", "end": "2026-01-01T00:01:00Z" },
        "isFinalInvokeForWindow": false, "isWindowTerminatedEarly": false })
}

#[tokio::test]
async fn the_binary_erases_a_deleted_user() {
    let auth = deployment(&[]).await;
    let mut function = Process::start(&auth, BINARY).await;
    auth.client().sign_in(ADA).await;
    let item = auth.items("U#").pop().unwrap();
    let done = json!({ "state": {} });
    assert_eq!(function.invoke(deletion(&item)).await, Ok(done.clone()));
    assert_eq!(auth.items("ID#").len() + auth.items("S#").len(), 2, "the user's item still exists");
    auth.delete_item(item["pk"]["S"].as_str().unwrap());
    for _ in 0..2 {
        assert_eq!(function.invoke(deletion(&item)).await, Ok(done.clone()));
        assert_eq!(auth.items("ID#").len() + auth.items("S#").len(), 0);
    }
    let swept = function.invoke(json!({ "source": "aws.events", "detail-type": "Scheduled Event" })).await;
    assert_eq!(swept, Ok(json!({ "swept": 1, "complete": true })));
    for wrong in [json!({}), json!({ "user": "x", "items": [] }), json!({ "user": null })] {
        assert!(function.invoke(wrong).await.is_err());
    }
    let log = function.end().await;
    let kinds: Vec<_> = log.iter().filter(|line| !line["kind"].is_null()).map(|line| line["kind"].clone()).collect();
    assert_eq!(kinds, ["batch", "batch", "batch", "sweep", "unknown", "user", "user"]);
}

tests::every_binarys_tests!(BINARY, ["dynamodb", "secretsmanager", "sqs"]);
