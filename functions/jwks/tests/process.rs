//! The real binary, run as Lambda runs it.

use serde_json::json;
use tests::runtime_api::{Process, deployment, names_every_wrong_setting};

const BINARY: &str = env!("CARGO_BIN_EXE_jwks");

#[tokio::test]
async fn the_binary_publishes_the_key_that_tokens_name() {
    let auth = deployment().await;
    let tokens = auth.client().sign_in("ada@example.com").await;
    let (header, claims) = tests::deployment::unverified(&tokens.access);
    let mut function = Process::start(&auth, BINARY).await;

    for path in ["/.well-known/jwks.json", "/.well-known/jwks.json/"] {
        let answer = function.get(path).await;
        assert_eq!(answer.headers["cache-control"], "public, max-age=300");
        assert_eq!(answer.ok()["keys"][0]["kid"], header["kid"]);
    }
    let discovery = function.get("/.well-known/openid-configuration").await.ok();
    assert_eq!(discovery["issuer"], claims["iss"]);

    let log = function.end().await;
    assert_eq!((log.len(), &log[0]["cold_start"], &log[1]["cold_start"]), (3, &json!(true), &json!(false)));
}

#[tokio::test]
async fn wrong_settings_stop_the_binary_at_start() {
    names_every_wrong_setting(BINARY).await;
}
