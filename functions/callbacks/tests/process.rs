//! Runs the real binary like Lambda does.

use serde_json::json;
use tests::runtime_api::{Process, deployment};

const BINARY: &str = env!("CARGO_BIN_EXE_callbacks");

#[tokio::test]
async fn the_binary_refuses_what_sendgrid_did_not_sign() {
    let auth = deployment(&[("MAIL_PROVIDER", "ses,sendgrid")]).await;
    let mut function = Process::start(&auth, BINARY).await;
    function.post("/api/webhooks/sendgrid/", json!([])).await.refused(403, "forbidden");
    let log = function.end().await;
    assert_eq!((&log[0]["function"], &log[0]["outcome"]), (&json!("callbacks"), &json!("forbidden")));
}

tests::every_binarys_tests!(BINARY, ["dynamodb", "secretsmanager"]);
