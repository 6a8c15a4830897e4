//! Runs the real binary like Lambda does.

use serde_json::json;
use tests::deployment::unverified;
use tests::runtime_api::{Process, deployment};

const BINARY: &str = env!("CARGO_BIN_EXE_notify");
const ADA: &str = "ada@example.com";

#[tokio::test]
async fn the_binary_sends_a_notice_once() {
    let auth = deployment(&[]).await;
    let tokens = auth.client().sign_in(ADA).await;
    let mut function = Process::start(&auth, BINARY).await;
    let user = unverified(&tokens.access).1["sub"].clone();
    let event = json!({ "detail-type": "user.created", "source": "latchkey",
        "detail": { "id": "event1-0", "type": "user.created", "user": user } });
    for sent in [true, false] {
        assert_eq!(function.invoke(event.clone()).await, Ok(json!({ "sent": sent })));
    }
    assert_eq!(auth.messages_to(ADA), 2, "the code and the notice");
    let refused = function.invoke(json!({ "detail": {} })).await.unwrap_err();
    assert!(refused["errorMessage"].as_str().unwrap().contains("session.opened"), "{refused}");
    let log = function.end().await;
    let kinds: Vec<_> = log.iter().filter(|line| !line["kind"].is_null()).map(|line| line["kind"].clone()).collect();
    assert_eq!(kinds, ["user_created", "user_created", "unknown"]);
}

tests::every_binarys_tests!(BINARY, ["dynamodb", "secretsmanager", "sesv2"]);
