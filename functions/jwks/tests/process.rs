//! Runs the real binary like Lambda does.

use serde_json::json;
use tests::runtime_api::{Process, deployment};
use tests::tls::TlsEndpoint;

const BINARY: &str = env!("CARGO_BIN_EXE_jwks");

#[tokio::test]
async fn the_binary_publishes_the_key_that_tokens_name() {
    let auth = deployment(&[]).await;
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

tests::every_binarys_tests!(BINARY, ["dynamodb"]);

/// Adding a root certificate to the system's store, or its path to the environment, must not make a server pass for AWS.
#[tokio::test]
async fn the_systems_roots_are_not_trusted() {
    let auth = deployment(&[]).await;
    let tls = TlsEndpoint::start(auth.stack.addresses().aws).await;
    for (name, status) in [("AWS_CA_BUNDLE", 200), ("SSL_CERT_FILE", 503)] {
        let mut own = tls.settings();
        own[0].0 = name.to_owned();
        let mut function = Process::with(&auth, BINARY, own).await;
        assert_eq!(function.get("/.well-known/jwks.json").await.status, status, "{name}");
        function.end().await;
    }
}
