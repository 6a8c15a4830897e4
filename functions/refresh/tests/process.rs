//! Runs the real binary like Lambda does.

use serde_json::json;
use tests::client::REFRESH;
use tests::runtime_api::{Process, deployment};

const BINARY: &str = env!("CARGO_BIN_EXE_refresh");

#[tokio::test]
async fn the_binary_trades_a_refresh_token_for_its_successor() {
    let auth = deployment(&[]).await;
    let first = auth.client().sign_in("ada@example.com").await;
    let mut function = Process::start(&auth, BINARY).await;

    let second = function.post(REFRESH, json!({ "refresh": first.refresh })).await.tokens();
    assert_ne!(first.refresh, second.refresh);
    auth.client().refresh(&second.refresh).await.ok();
    // Two generations old, so it counts as a copy.
    function.post(REFRESH, json!({ "refresh": first.refresh })).await.refused(401, "invalid_token");

    let log = function.end().await;
    assert_eq!((log.len(), &log[0]["function"], &log[0]["outcome"]), (3, &json!("refresh"), &json!("ok")));
    assert_eq!((&log[1]["event"], &log[2]["outcome"]), (&json!("refresh_reuse"), &json!("invalid_token")));
}

tests::every_binarys_tests!(BINARY, ["dynamodb", "secretsmanager"]);
