//! Runs the real binary like Lambda does.

use serde_json::{Value, json};
use tests::runtime_api::{Process, deployment};

const BINARY: &str = env!("CARGO_BIN_EXE_record");

/// A sign-up, as the stream tells it.
fn sign_up(sequence: &str) -> Value {
    json!({ "eventID": format!("event{sequence}"), "eventName": "INSERT", "eventSource": "aws:dynamodb",
        "dynamodb": { "ApproximateCreationDateTime": 1_767_225_600, "Keys": { "pk": { "S": "ID#x" } },
            "SequenceNumber": sequence, "StreamViewType": "NEW_AND_OLD_IMAGES", "SizeBytes": 9,
            "NewImage": { "pk": { "S": "ID#x" }, "uid": { "S": "00000000-0000-7000-8000-000000000000" },
                "at": { "N": "1767225600" }, "via": { "S": "otp_email" } } } })
}

fn batch(records: &[Value]) -> Value {
    json!({ "Records": records, "shardId": "shard", "eventSourceARN": "arn:stream", "state": {},
        "window": { "start": "2026-01-01T00:00:00Z", "end": "2026-01-01T00:01:00Z" },
        "isFinalInvokeForWindow": false, "isWindowTerminatedEarly": false })
}

#[tokio::test]
async fn the_binary_records_a_batch_once() {
    let auth = deployment(&[]).await;
    let mut function = Process::start(&auth, BINARY).await;
    let done = json!({ "state": {} });
    let two = batch(&[sign_up("100000000000000000001"), sign_up("100000000000000000002")]);
    for _ in 0..2 {
        assert_eq!(function.invoke(two.clone()).await, Ok(done.clone()));
    }
    assert_eq!(function.invoke(batch(&[])).await, Ok(done));
    let days = auth.items_of("RECORD_TABLE", "DAY#");
    assert!(days.iter().any(|day| day["up_otp_email"]["N"] == "2"), "{days:?}");

    let refused = function.invoke(json!({ "Records": [] })).await.unwrap_err();
    assert!(refused["errorMessage"].as_str().unwrap().contains("TumblingWindowInSeconds"), "{refused}");
    let log = function.end().await;
    let kinds: Vec<_> = log.iter().filter(|line| !line["kind"].is_null()).map(|line| line["kind"].clone()).collect();
    assert_eq!(kinds, ["batch", "batch", "window_end", "window_end"]);
}

tests::every_binarys_tests!(BINARY, ["dynamodb", "eventbridge", "sqs"]);
