//! Runs the real binary like Lambda does.

use serde_json::json;
use tests::client::STATUS;
use tests::runtime_api::{Process, deployment};

const BINARY: &str = env!("CARGO_BIN_EXE_status");
const ADA: &str = "ada@example.com";

#[tokio::test]
async fn the_binary_tells_what_became_of_a_mail() {
    let auth = deployment(&[]).await;
    let asked = auth.client().ask(ADA).await;
    auth.stack.deliver().await;
    let mut function = Process::start(&auth, BINARY).await;

    let ask = || json!({ "identifier": ADA, "challenge_id": asked.challenge });
    assert_eq!(function.post(STATUS, ask()).await.ok()["state"], "delivered");
    auth.client().answer(ADA, &asked).await.tokens();
    assert_eq!(function.post(STATUS, ask()).await.ok()["state"], "over");

    let log = function.end().await;
    assert_eq!((log.len(), &log[0]["function"], &log[1]["outcome"]), (2, &json!("status"), &json!("ok")));
}

tests::every_binarys_tests!(BINARY, ["dynamodb", "secretsmanager"]);
