//! Runs the real binary like Lambda does.

use serde_json::json;
use tests::client::VERIFY;
use tests::deployment::wrong;
use tests::runtime_api::{Process, deployment};

const BINARY: &str = env!("CARGO_BIN_EXE_verify-otp");
const ADA: &str = "ada@example.com";

#[tokio::test]
async fn the_binary_trades_a_right_code_for_a_session_once() {
    let auth = deployment(&[]).await;
    let asked = auth.client().ask(ADA).await;
    let mut function = Process::start(&auth, BINARY).await;
    let body = |code: &str| json!({ "identifier": ADA, "otp_code": code, "challenge_id": asked.challenge });

    function.post(VERIFY, body(&wrong(&asked.code))).await.refused(400, "invalid_otp");
    let tokens = function.post(VERIFY, body(&asked.code)).await.tokens();
    function.post(VERIFY, body(&asked.code)).await.refused(400, "invalid_otp");
    auth.client().refresh(&tokens.refresh).await.ok();

    let log = function.end().await;
    assert_eq!((log.len(), &log[1]["function"], &log[1]["outcome"]), (3, &json!("verify-otp"), &json!("ok")));
}

/// One answer may set several cookies.
#[tokio::test]
async fn the_binary_sets_every_cookie() {
    let auth = deployment(&[]).await;
    let asked = auth.client().ask(ADA).await;
    let mut function = Process::start(&auth, BINARY).await;
    let body = json!({
        "identifier": ADA, "otp_code": asked.code, "challenge_id": asked.challenge, "token_delivery": "cookie",
    });
    let answer = function.post(VERIFY, body).await;
    let cookies = answer.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap());
    let names: Vec<_> = cookies.map(|cookie| cookie.split('=').next().unwrap().to_owned()).collect();
    assert_eq!(names, ["__Host-refresh", "__Host-device", "__Host-challenge"]);
    assert!(answer.ok()["tokens"]["refresh"].is_null());
    function.end().await;
}

tests::every_binarys_tests!(BINARY, ["dynamodb", "secretsmanager"]);
