//! Runs the real binary like Lambda does.

use serde_json::json;
use tests::authenticator::{SECOND_FACTOR, STEP_UP, STEP_UP_OPTIONS};
use tests::deployment::unverified;
use tests::runtime_api::{Process, deployment};

const BINARY: &str = env!("CARGO_BIN_EXE_second-factor");
const ADA: &str = "ada@example.com";

#[tokio::test]
async fn the_binary_finishes_a_sign_in_and_steps_a_session_up() {
    let auth = deployment(&[]).await;
    let enrolled = auth.client().enrol(ADA).await;
    let challenge = auth.client().first_step(ADA).await;
    let mut function = Process::start(&auth, BINARY).await;
    let body = |code: &str| json!({ "challenge_id": challenge, "method": "totp", "code": code });

    // The deployment's clock is half a minute ahead of the binary's, and so is the app. The step after the current one is accepted.
    function.post(SECOND_FACTOR, body(&enrolled.app.wrong(&auth))).await.refused(400, "invalid_otp");
    let code = enrolled.app.code(&auth);
    let tokens = function.post(SECOND_FACTOR, body(&code)).await.tokens();
    function.post(SECOND_FACTOR, body(&code)).await.refused(400, "invalid_otp");
    auth.client().refresh(&tokens.refresh).await.ok();

    let access = &enrolled.tokens.access;
    let options = function.post_as(access, STEP_UP_OPTIONS, json!({})).await.ok();
    let backup_code = &enrolled.backup_codes[0];
    let body = json!({ "challenge_id": options["challenge_id"], "method": "backup_code", "code": backup_code });
    let stepped = function.post_as(access, STEP_UP, body.clone()).await.ok();
    assert_eq!(stepped["backup_codes_left"], json!(7));
    assert_eq!(unverified(stepped["tokens"]["access"].as_str().unwrap()).1["acr"], json!("2f"));
    function.post_as(access, STEP_UP, body).await.refused(400, "invalid_otp");

    let log = function.end().await;
    let lines: Vec<_> = log.iter().filter(|line| line["function"] == "second-factor").collect();
    let outcomes: Vec<_> = lines.iter().map(|line| line["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["invalid_otp", "ok", "invalid_otp", "ok", "ok", "invalid_otp"]);
}

tests::every_binarys_tests!(BINARY, ["dynamodb", "secretsmanager"]);
