//! Runs the real binary like Lambda does.

use local_aws::Services;
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

/// Another function would stop at start. CloudFormation would then wait in vain, and a rollback could not end.
#[tokio::test]
async fn a_binary_that_cannot_start_still_answers_cloudformation() {
    let auth = deployment(&[]).await;
    for (setting, value, reason) in [
        ("TRUSTED_PROXIES", "10.0.0.0/99", "TRUSTED_PROXIES: expected networks such as 192.0.2.0/24"),
        ("AWS_CA_BUNDLE", "/nowhere.pem", "AWS_CA_BUNDLE: /nowhere.pem: No such file"),
        ("USER_TABLE", "", "USER_TABLE is not set"),
    ] {
        let mut function = Process::with(&auth, BINARY, vec![(setting.to_owned(), value.to_owned())]).await;
        for (request, status) in [("Create", "FAILED"), ("Update", "FAILED"), ("Delete", "SUCCESS")] {
            let address = auth.stack.addresses().aws;
            let event = json!({ "RequestType": request, "RequestId": request, "StackId": "arn:stack",
                "LogicalResourceId": "FirstKeys", "ResourceProperties": {},
                "ResponseURL": format!("http://{address}{}", Services::upload_path(request)) });
            function.invoke(event).await.unwrap();
            let answer = auth.stack.services().take_upload(request).unwrap();
            assert_eq!((&answer["Status"], &answer["RequestId"]), (&json!(status), &json!(request)), "{answer}");
            assert_eq!(answer["PhysicalResourceId"], "latchkey-keyrings");
            assert_eq!(answer["Reason"].as_str().unwrap().contains(reason), status == "FAILED", "{answer}");
        }
        let event = json!({ "Step": "createSecret", "SecretId": auth.setting("CODES_SECRET_ARN"),
            "ClientRequestToken": "00000000-0000-4000-8000-000000000000" });
        let refused = function.invoke(event).await.unwrap_err();
        assert!(refused["errorMessage"].as_str().unwrap().contains(reason), "{refused}");
        let log = function.end().await;
        assert!(log[0]["cause"].as_str().unwrap().contains(reason), "{log:?}");
    }
    assert_eq!(auth.code_keys().peppers.all().len(), 1);
}

tests::every_binarys_clients!(BINARY, ["dynamodb", "secretsmanager"]);
