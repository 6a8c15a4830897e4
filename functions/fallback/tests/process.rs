//! Runs the real binary like Lambda does.

use serde_json::json;
use tests::client::LOGOUT;
use tests::runtime_api::{Process, deployment};

const BINARY: &str = env!("CARGO_BIN_EXE_fallback");

#[tokio::test]
async fn the_binary_answers_what_no_route_names() {
    let auth = deployment(&[]).await;
    let mut function = Process::start(&auth, BINARY).await;

    function.get("/").await.refused(404, "not_found");
    let answer = function.get(LOGOUT).await;
    answer.refused(405, "method_not_allowed");
    assert_eq!(answer.headers["allow"], "POST");
    auth.stack.api().unwrap().gateway().set_ignores_empty_rest(true);
    let answer = function.post(LOGOUT, json!({})).await;
    assert_eq!((answer.status.as_u16(), &answer.headers["location"]), (308, &"/api/auth/logout".parse().unwrap()));

    assert_eq!(function.end().await.len(), 3);
    assert!(auth.stack.services().calls().take().iter().all(|call| call.caller != "Fallback"), "it called AWS");
}

#[tokio::test]
async fn the_binary_reports_an_invalid_event_and_continues() {
    let auth = deployment(&[]).await;
    let mut function = Process::start(&auth, BINARY).await;
    assert!(function.invoke(json!({ "neither": "method nor path" })).await.is_err());
    function.get("/").await.refused(404, "not_found");
}

tests::every_binarys_tests!(BINARY, []);
