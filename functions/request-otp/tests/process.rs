//! Runs the real binary like Lambda does.

use serde_json::json;
use tests::Asked;
use tests::client::REQUEST;
use tests::runtime_api::{Process, deployment};

const BINARY: &str = env!("CARGO_BIN_EXE_request-otp");
const ADA: &str = "ada@example.com";

#[tokio::test]
async fn the_binary_mails_a_code_that_signs_in() {
    let auth = deployment(&[]).await;
    let mut function = Process::start(&auth, BINARY).await;
    let answer = function.post(REQUEST, json!({ "identifier": ADA })).await.ok();

    let challenge = answer["challenge_id"].as_str().unwrap().to_owned();
    let asked = Asked { challenge, code: auth.newest_code(ADA) };
    auth.client().answer(ADA, &asked).await.tokens();

    let log = function.end().await;
    assert_eq!((log.len(), &log[0]["function"], &log[0]["outcome"]), (1, &json!("request-otp"), &json!("ok")));
    let log = log[0].to_string();
    assert!(!log.contains(&asked.code) && !log.contains(ADA) && !log.contains(&asked.challenge), "{log}");
}

tests::every_binarys_tests!(BINARY, ["dynamodb", "pinpointsmsvoicev2", "secretsmanager", "sesv2", "sns"]);
