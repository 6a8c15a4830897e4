//! Runs the real binary like Lambda does.

use serde_json::json;
use tests::client::ACTIVITY;
use tests::runtime_api::{Process, deployment};

const BINARY: &str = env!("CARGO_BIN_EXE_account");

#[tokio::test]
async fn the_binary_lists_what_happened() {
    let auth = deployment(&[]).await;
    let tokens = auth.client().sign_in("ada@example.com").await;
    auth.stack.deliver().await;
    let mut function = Process::start(&auth, BINARY).await;

    let listed = function.with_token("GET", ACTIVITY, &tokens.access).await.ok();
    let types: Vec<_> = listed["activity"].as_array().unwrap().iter().map(|row| row["type"].clone()).collect();
    assert_eq!(types, ["user.created", "session.opened"]);
    auth.client().logout(&tokens.refresh).await.ok();
    function.with_token("GET", ACTIVITY, &tokens.access).await.needs_a_token();

    let log = function.end().await;
    assert_eq!((log.len(), &log[0]["outcome"], &log[1]["outcome"]), (2, &json!("ok"), &json!("invalid_token")));
}

tests::every_binarys_tests!(BINARY, ["dynamodb", "secretsmanager"]);
