//! Runs the real binary like Lambda does.

use serde_json::json;
use tests::Authenticator;
use tests::authenticator::{CONFIRM, FACTORS, TOTP};
use tests::runtime_api::{Process, deployment};

const BINARY: &str = env!("CARGO_BIN_EXE_factors");
const ADA: &str = "ada@example.com";

#[tokio::test]
async fn the_binary_adds_an_app_lists_it_and_tells_its_user() {
    let auth = deployment(&[]).await;
    let tokens = auth.client().sign_in(ADA).await;
    let before = auth.messages_to(ADA);
    let mut function = Process::start(&auth, BINARY).await;

    let listed = function.with_token("GET", FACTORS, &tokens.access).await.ok();
    assert_eq!((&listed["totp"], &listed["backup_codes_left"]), (&json!([]), &json!(0)));
    let begun = function.post_as(&tokens.access, TOTP, json!({ "name": "Phone" })).await.ok();
    let app = Authenticator::of(begun["secret"].as_str().unwrap());
    let body = |code: String| json!({ "factor_id": begun["factor_id"], "code": code });
    function.post_as(&tokens.access, CONFIRM, body(app.wrong(&auth))).await.refused(400, "invalid_otp");
    let added = function.post_as(&tokens.access, CONFIRM, body(app.code(&auth))).await.ok();
    assert_eq!(added["backup_codes"].as_array().unwrap().len(), 8);
    let listed = function.with_token("GET", FACTORS, &tokens.access).await.ok();
    assert_eq!((&listed["totp"][0]["name"], &listed["backup_codes_left"]), (&json!("Phone"), &json!(8)));
    // The app needs the second factor from now on, also for its own removal.
    let path = format!("{TOTP}{}/", begun["factor_id"].as_str().unwrap());
    function.with_token("DELETE", &path, &tokens.access).await.refused(401, "step_up_required");
    function.end().await;

    assert_eq!(auth.messages_to(ADA), before + 1);
    auth.client().first_step(ADA).await;
}

tests::every_binarys_tests!(BINARY, ["dynamodb", "secretsmanager", "sesv2"]);
