//! Runs the real binary like Lambda does.

use serde_json::json;
use tests::client::{LOGOUT, PROFILE, SOURCES};
use tests::runtime_api::{Process, deployment};

const BINARY: &str = env!("CARGO_BIN_EXE_profile");

#[tokio::test]
async fn the_binary_returns_the_user() {
    let auth = deployment(&[]).await;
    let tokens = auth.client().sign_in_from("ada@example.com", "https://example.org/register").await;
    auth.stack.deliver().await;
    let mut function = Process::start(&auth, BINARY).await;

    let user = function.with_token("GET", PROFILE, &tokens.access).await.ok();
    assert_eq!((&user["email"], &user["is_new_user"]), (&json!("ada@example.com"), &json!(false)));
    let listed = function.with_token("GET", SOURCES, &tokens.access).await.ok();
    assert_eq!(listed["sources"][0]["category"], json!("Website Registration"));
    auth.client().post(LOGOUT, json!({ "refresh": tokens.refresh })).await.ok();
    function.with_token("GET", PROFILE, &tokens.access).await.needs_a_token();

    let log = function.end().await;
    assert_eq!((log.len(), &log[1]["outcome"], &log[2]["outcome"]), (3, &json!("ok"), &json!("invalid_token")));
}

tests::every_binarys_tests!(BINARY, ["dynamodb", "secretsmanager"]);
