//! Runs the real binary like Lambda does.

use serde_json::json;
use tests::client::LOGOUT;
use tests::runtime_api::{Process, deployment};

const BINARY: &str = env!("CARGO_BIN_EXE_logout");

#[tokio::test]
async fn the_binary_ends_a_session() {
    let auth = deployment(&[]).await;
    let tokens = auth.client().sign_in("ada@example.com").await;
    let mut function = Process::start(&auth, BINARY).await;

    let answer = function.post(LOGOUT, json!({ "refresh": tokens.refresh })).await.ok();
    assert_eq!(answer, json!({ "success": true, "message": "Logged out." }));
    auth.client().refresh(&tokens.refresh).await.refused(401, "invalid_token");

    let log = function.end().await;
    assert_eq!((&log[0]["event"], &log[1]["function"]), (&json!("signed_out"), &json!("logout")));
}

tests::every_binarys_tests!(BINARY, ["dynamodb", "secretsmanager"]);
