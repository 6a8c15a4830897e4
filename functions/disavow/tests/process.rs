//! Runs the real binary like Lambda does.

use serde_json::json;
use tests::client::DISAVOW;
use tests::runtime_api::{Process, deployment};

const BINARY: &str = env!("CARGO_BIN_EXE_disavow");

#[tokio::test]
async fn the_binary_asks_and_refuses() {
    let auth = deployment(&[]).await;
    let mut function = Process::start(&auth, BINARY).await;
    let token = "AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA";
    let page = function.get(&format!("/api/auth/disavow?token={token}")).await;
    assert!(page.body.as_str().unwrap().contains("<form method=\"post\">"), "{}", page.body);
    function.post(DISAVOW, json!({ "token": token })).await.refused(400, "invalid_request");
    let log = function.end().await;
    assert_eq!((log.len(), &log[1]["function"], &log[1]["outcome"]), (2, &json!("disavow"), &json!("invalid_request")));
}

tests::every_binarys_tests!(BINARY, ["dynamodb", "secretsmanager"]);
