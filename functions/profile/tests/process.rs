//! Runs the real binary like Lambda does.

use serde_json::json;
use tests::client::{LOGOUT, PROFILE};
use tests::runtime_api::{Process, deployment};

const BINARY: &str = env!("CARGO_BIN_EXE_profile");

#[tokio::test]
async fn the_binary_returns_the_user() {
    let auth = deployment(&[]).await;
    let tokens = auth.client().sign_in("ada@example.com").await;
    let mut function = Process::start(&auth, BINARY).await;

    let user = function.with_token("GET", PROFILE, &tokens.access).await.ok();
    assert_eq!((&user["email"], &user["is_new_user"]), (&json!("ada@example.com"), &json!(false)));
    auth.client().post(LOGOUT, json!({ "refresh": tokens.refresh })).await.ok();
    function.with_token("GET", PROFILE, &tokens.access).await.needs_a_token();

    let log = function.end().await;
    assert_eq!((log.len(), &log[0]["outcome"], &log[1]["outcome"]), (2, &json!("ok"), &json!("invalid_token")));
}

tests::every_binarys_tests!(BINARY, ["dynamodb", "secretsmanager"]);
