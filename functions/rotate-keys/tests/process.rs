//! Runs the real binary like Lambda does.

use serde_json::{Value, json};
use tests::runtime_api::{Process, deployment};

const BINARY: &str = env!("CARGO_BIN_EXE_rotate-keys");

#[tokio::test]
async fn the_binary_rotates_a_keyring_in_four_steps() {
    let auth = deployment(&[]).await;
    let mut function = Process::start(&auth, BINARY).await;
    for step in ["createSecret", "setSecret", "testSecret", "finishSecret"] {
        let event = json!({ "Step": step, "SecretId": auth.setting("CODES_SECRET_ARN"),
            "ClientRequestToken": "00000000-0000-4000-8000-000000000000" });
        assert_eq!(function.invoke(event).await, Ok(Value::Null), "{step}");
    }
    assert_eq!(auth.code_keys().peppers.all().len(), 2);

    let refused = function.invoke(json!({ "mode": "rotate" })).await.unwrap_err();
    assert!(refused["errorMessage"].as_str().unwrap().contains("modes are"), "{refused}");

    let log = function.end().await;
    let told = |line: &Value| (line["kind"].clone(), line["outcome"].clone(), line["cold_start"].clone());
    let told: Vec<_> = log.iter().filter(|line| !line["kind"].is_null()).map(told).collect();
    assert_eq!(told.len(), 5, "{log:?}");
    assert_eq!(told[0], (json!("createSecret"), json!("ok"), json!(true)));
    assert_eq!(told[4], (json!("unknown"), json!("invalid_request"), json!(false)));
}

tests::every_binarys_tests!(BINARY, ["dynamodb", "secretsmanager"]);
