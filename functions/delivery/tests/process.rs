//! Runs the real binary like Lambda does.

use local_aws::MailEvent;
use local_aws::mapping::notification;
use serde_json::{Value, json};
use tests::runtime_api::{Process, deployment};

const BINARY: &str = env!("CARGO_BIN_EXE_delivery");
const ADA: &str = "ada@example.com";

#[tokio::test]
async fn the_binary_keeps_a_receipt() {
    let auth = deployment(&[]).await;
    let asked = auth.client().ask(ADA).await;
    let sending = auth.sendings(ADA).pop().unwrap();
    let mut function = Process::start(&auth, BINARY).await;
    let event =
        |message: &Value| notification("arn:aws:sns:us-east-1:000000000000:topic", message, "2026-01-01T00:00:00Z");

    let bounce = sending.event(MailEvent::PermanentBounce, sending.at);
    assert_eq!(function.invoke(event(&bounce)).await, Ok(json!({ "events": 1 })));
    assert_eq!(auth.client().status(ADA, &asked.challenge).await.ok()["state"], "failed");
    assert_eq!(function.invoke(event(&json!("Successfully validated SNS topic"))).await, Ok(json!({ "events": 0 })));
    assert_eq!(function.invoke(json!({})).await, Ok(json!({ "events": 0 })));

    let log = function.end().await;
    let kinds: Vec<_> = log.iter().map(|line| line["kind"].clone()).collect();
    assert_eq!(kinds, ["bounce", "validation", "unknown"]);
    assert!(!format!("{log:?}").contains(&asked.code));
}

tests::every_binarys_tests!(BINARY, ["dynamodb"]);
