//! Runs the real binary like Lambda does.

use serde_json::json;
use tests::client::SESSIONS;
use tests::deployment::session_of;
use tests::runtime_api::{Process, deployment};

const BINARY: &str = env!("CARGO_BIN_EXE_sessions");

#[tokio::test]
async fn the_binary_lists_sessions_and_ends_them() {
    let auth = deployment(&[]).await;
    let [here, there] =
        [auth.client().sign_in("ada@example.com").await, auth.client().sign_in("ada@example.com").await];
    let mut function = Process::start(&auth, BINARY).await;

    let listed = function.with_token("GET", SESSIONS, &here.access).await.ok();
    assert_eq!(listed["sessions"].as_array().unwrap().len(), 2);
    let path = format!("{SESSIONS}{}/", session_of(&there.access));
    function.with_token("DELETE", &path, &here.access).await.ok();
    function.with_token("DELETE", SESSIONS, &there.access).await.needs_a_token();
    function.with_token("DELETE", SESSIONS, &here.access).await.ok();
    auth.client().refresh(&there.refresh).await.refused(401, "invalid_token");
    auth.client().refresh(&here.refresh).await.ok();

    let log = function.end().await;
    let events: Vec<_> = log.iter().filter_map(|line| line["event"].as_str()).collect();
    assert_eq!(events, ["session_ended", "other_sessions_ended"]);
    assert!(log.iter().any(|line| line["outcome"] == json!("invalid_token")));
}

tests::every_binarys_tests!(BINARY, ["dynamodb", "secretsmanager"]);
