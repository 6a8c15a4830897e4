//! The function `jwks`: public keys and the discovery document.

use axum::body::Bytes;
use axum::http::Request;
use serde_json::json;
use tests::Deployment;

/// S47: only public members, a use, an algorithm, and the `kid` used in tokens.
#[tokio::test]
async fn the_key_set_holds_public_members_only() {
    for (algorithm, members) in [
        ("RS256", ["alg", "e", "kid", "kty", "n", "use"].as_slice()),
        ("ES256", &["alg", "crv", "kid", "kty", "use", "x", "y"]),
        ("ES384", &["alg", "crv", "kid", "kty", "use", "x", "y"]),
        ("EdDSA", &["alg", "crv", "kid", "kty", "use", "x"]),
    ] {
        let auth = Deployment::with(&[("JWT_ALGORITHM", algorithm)]).await;
        let answer = auth.client().get("/.well-known/jwks.json").await;
        assert_eq!(answer.headers["cache-control"], "public, max-age=300");
        let set = answer.ok();
        let keys = set["keys"].as_array().unwrap();
        assert_eq!(keys.len(), 1);
        let mut names: Vec<_> = keys[0].as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, members);
        assert_eq!((&keys[0]["alg"], &keys[0]["use"]), (&json!(algorithm), &json!("sig")));
        let (header, _) = tests::deployment::unverified(&auth.client().sign_in("ada@example.com").await.access);
        assert_eq!(header["kid"], keys[0]["kid"]);
    }
}

/// A shared secret is private.
#[tokio::test]
async fn a_shared_secret_is_not_published() {
    for algorithm in ["HS256", "HS384", "HS512"] {
        let auth = Deployment::with(&[("JWT_ALGORITHM", algorithm)]).await;
        assert_eq!(auth.client().get("/.well-known/jwks.json").await.ok(), json!({ "keys": [] }));
    }
}

/// S48: the issuer is the URL of the document.
#[tokio::test]
async fn discovery_names_the_issuer_and_the_keys() {
    let auth = Deployment::with(&[("JWT_ISSUER", "https://auth.example.com")]).await;
    let answer = auth.client().get("/.well-known/openid-configuration").await;
    assert_eq!(answer.headers["cache-control"], "public, max-age=300");
    let document = answer.ok();
    assert_eq!(document["issuer"], json!("https://auth.example.com"));
    assert_eq!(document["jwks_uri"], json!("https://auth.example.com/.well-known/jwks.json"));
    assert_eq!(document["id_token_signing_alg_values_supported"], json!(["RS256"]));
}

/// V41: many requests cause only one read per minute.
#[tokio::test]
async fn the_keys_are_read_once_a_minute() {
    let auth = Deployment::start().await;
    for _ in 0..5 {
        auth.client().get("/.well-known/jwks.json").await.ok();
    }
    assert_eq!(auth.stack.services().calls().take().len(), 1);
    auth.wait(60);
    auth.client().get("/.well-known/jwks.json").await.ok();
    assert_eq!(auth.stack.services().calls().take().len(), 1);
}

/// A revoked key must disappear within a minute, so old keys are not served longer if the table fails.
#[tokio::test]
async fn old_keys_are_not_served_during_a_fault() {
    let auth = Deployment::start().await;
    let keys = async || auth.client().get("/.well-known/jwks.json").await;
    keys().await.ok();
    auth.faults(json!({ "aws": [
        { "service": "dynamodb", "operation": "GetItem", "error": "InternalServerError", "times": 100 }
    ] }));
    auth.wait(59);
    keys().await.ok();
    auth.wait(1);
    keys().await.refused(503, "unavailable");
    auth.faults(json!({}));
    keys().await.ok();
}

/// S49: API Gateway's authorizers limit the size. The documents stay small even with the maximum number of keys.
#[tokio::test]
async fn the_documents_are_small() {
    let auth = Deployment::start().await;
    auth.stack.rotate_keys().await.unwrap();
    auth.wait(60);
    let sizes = async |path: &str| auth.client().get(path).await.ok().to_string().len();
    let keys = auth.client().get("/.well-known/jwks.json").await.ok();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 2, "the signing key and its successor");
    assert!(sizes("/.well-known/jwks.json").await < 1_024);
    assert!(sizes("/.well-known/openid-configuration").await < 1_024);
}

/// HEAD has the status and the headers of GET, without a body. Answers differ by origin, so caches keep one for each.
#[tokio::test]
async fn the_documents_are_answered_to_head_and_cached_for_each_origin() {
    let auth = Deployment::start().await;
    let send = async |method: &str, path: &str| {
        let request = Request::builder().method(method).uri(path).header("origin", "http://localhost:3000");
        auth.client().send(request.body(Bytes::new()).unwrap()).await
    };
    for path in ["/.well-known/jwks.json", "/.well-known/openid-configuration", "/.well-known/jwks.json/"] {
        let (head, get) = (send("HEAD", path).await, send("GET", path).await);
        assert_eq!((head.status, &head.body), (get.status, &json!(null)));
        for name in ["vary", "cache-control", "content-type", "access-control-allow-origin"] {
            assert_eq!(head.headers[name], get.headers[name], "{path} {name}");
        }
        assert_eq!(head.headers["vary"], "Origin");
        assert_eq!(head.headers["cache-control"], "public, max-age=300");
        assert!(get.body.is_object());
    }
    let refused = send("HEAD", "/api/profile/").await;
    assert_eq!(refused.status, 405);
    assert_eq!(refused.headers["allow"], "GET");
}
