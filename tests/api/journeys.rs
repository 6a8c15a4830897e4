//! Whole journeys: sign in, refresh, sign out, and attempts to use the ended session.

use serde_json::json;
use shared::keys::SigningAlgorithm;
use shared::sessions::{AccessPolicy, CheckingKeys, ClaimNames};
use shared::words::Timestamp;
use std::time::Duration;
use tests::Deployment;
use tests::client::{REQUEST, VERIFY};

const ADA: &str = "ada@example.com";

/// The first steps of `docs/local.md`.
#[tokio::test]
async fn a_person_signs_in_stays_signed_in_and_signs_out() {
    let auth = Deployment::start().await;
    let asked = auth.client().ask(ADA).await;
    let tokens = auth.client().answer(ADA, &asked).await.tokens();
    auth.wait(86_400);
    let tokens = auth.client().refresh(&tokens.refresh).await.tokens();
    auth.client().logout(&tokens.refresh).await.ok();
    auth.client().refresh(&tokens.refresh).await.refused(401, "invalid_token");
    auth.client().answer(ADA, &asked).await.refused(400, "invalid_otp");
}

/// The requests of older frontends.
#[tokio::test]
async fn an_older_frontend_signs_in_without_a_challenge_id() {
    let auth = Deployment::start().await;
    auth.client().post(REQUEST, json!({ "identifier": ADA, "channel": "email" })).await.ok();
    let body = json!({ "identifier": ADA, "otp": auth.newest_code(ADA), "channel": "email" });
    auth.client().post(VERIFY, body).await.ok();
}

/// An unbound answer matches any pending challenge with this code. It leaves the bound attempts unchanged.
#[tokio::test]
async fn an_unbound_answer_matches_any_pending_challenge() {
    let auth = Deployment::start().await;
    let first = auth.client().ask(ADA).await;
    let second = auth.client().ask(ADA).await;
    auth.client().answer_unbound(ADA, &first.code).await.ok();
    auth.client().answer(ADA, &second).await.ok();
}

/// Checks every claim, and verifies the token with the published keys. `algorithms` covers every algorithm.
#[tokio::test]
async fn an_access_token_has_every_claim() {
    for algorithm in [SigningAlgorithm::RS256, SigningAlgorithm::ES256, SigningAlgorithm::HS256] {
        let settings = [
            ("JWT_ALGORITHM", algorithm.name()),
            ("USER_ID_CLAIM", "uid"),
            ("TOKEN_TYPE_CLAIM", "typ"),
            ("JTI_CLAIM", "id"),
            ("JWT_AUDIENCE", "app"),
            ("JWT_ISSUER", "https://auth.example.com"),
            ("JWT_ACCESS_SECONDS", "600"),
        ];
        let auth = Deployment::with(&settings).await;
        let signed_in = {
            let asked = auth.client().ask(ADA).await;
            auth.client().answer(ADA, &asked).await.ok()
        };
        let access = signed_in["tokens"]["access"].as_str().unwrap();
        let (header, claims) = tests::deployment::unverified(access);
        assert_eq!((&header["typ"], &header["alg"]), (&json!("at+jwt"), &json!(algorithm.name())));
        assert!(header["kid"].is_string());
        let now = tests::deployment::START;
        let user = &signed_in["user"]["id"];
        for (name, value) in [
            ("iss", json!("https://auth.example.com")),
            ("aud", json!("app")),
            ("client_id", json!("app")),
            ("sub", user.clone()),
            ("uid", user.clone()),
            ("typ", json!("access")),
            ("iat", json!(now)),
            ("nbf", json!(now)),
            ("exp", json!(now + 600)),
            ("auth_time", json!(now)),
            ("acr", json!("1f")),
            ("amr", json!(["otp"])),
        ] {
            assert_eq!(claims[name], value, "{name}");
        }
        assert!(claims["id"].as_str().unwrap().len() == 22 && claims["sid"].as_str().unwrap().len() == 22);
        assert!(claims.get("tenant_id").is_none() && claims.get("txn").is_none());

        let names = ClaimNames { user_id: "uid".to_owned(), token_type: "typ".to_owned(), jti: "id".to_owned() };
        let policy = AccessPolicy {
            algorithm,
            audience: "app".to_owned(),
            lifetime: Duration::from_secs(600),
            leeway: Duration::ZERO,
            names,
        };
        let set = serde_json::from_value(auth.client().get("/.well-known/jwks.json").await.ok()).unwrap();
        let keys = match algorithm.is_symmetric() {
            true => CheckingKeys::of(&auth.signing_keys().signing, Timestamp::from_unix(now)).unwrap(),
            false => CheckingKeys::published(&set).unwrap(),
        };
        let check = |at: u64| keys.check(access, "https://auth.example.com", &policy, Timestamp::from_unix(at));
        assert_eq!(json!(check(now + 599).unwrap().user), *user);
        assert!(check(now + 600).is_err() && check(now - 1).is_err());
    }
}

/// Without a setting, the issuer is the domain named by the gateway.
#[tokio::test]
async fn the_issuer_is_the_domain_of_the_gateway() {
    let auth = Deployment::with(&[("JWT_ISSUER", "")]).await;
    let tokens = auth.client().sign_in(ADA).await;
    let discovery = auth.client().get("/.well-known/openid-configuration").await.ok();
    let (_, claims) = tests::deployment::unverified(&tokens.access);
    assert_eq!(claims["iss"], discovery["issuer"]);
    assert!(claims["iss"].as_str().unwrap().starts_with("http"));
}

/// S12: a code request leaves accounts unchanged.
#[tokio::test]
async fn requesting_a_code_changes_no_account() {
    let auth = Deployment::start().await;
    let tokens = auth.client().sign_in(ADA).await;
    let before = (auth.items("U#"), auth.items("S#"));
    for _ in 0..10 {
        auth.client_at("203.0.113.66").post(REQUEST, json!({ "identifier": ADA })).await;
    }
    assert_eq!((auth.items("U#"), auth.items("S#")), before);
    auth.client().refresh(&tokens.refresh).await.ok();
}
