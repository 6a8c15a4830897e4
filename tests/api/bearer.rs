//! Access tokens for Latchkey's own routes: accepted tokens, the keys to verify them, and how often functions read these keys.

use axum::body::Bytes;
use axum::http::Request;
use data_encoding::BASE64URL_NOPAD;
use local_aws::Service;
use serde_json::{Value, json};
use tests::client::{PROFILE, SESSIONS};
use tests::deployment::{session_of, unverified};
use tests::{Call, Deployment};

const ADA: &str = "ada@example.com";
const ES256: (&str, &str) = ("JWT_ALGORITHM", "ES256");

/// Every route that needs an access token.
fn routes(session: &str) -> [(&'static str, String); 4] {
    [
        ("GET", PROFILE.to_owned()),
        ("GET", SESSIONS.to_owned()),
        ("DELETE", format!("{SESSIONS}{session}/")),
        ("DELETE", SESSIONS.to_owned()),
    ]
}

/// RFC 6750: one header with one scheme and one token.
#[tokio::test]
async fn the_header_is_bearer_and_one_token() {
    let auth = Deployment::start().await;
    let tokens = auth.client().sign_in(ADA).await;
    let (access, refresh) = (&tokens.access, &tokens.refresh);
    for (method, path) in routes(&session_of(access)) {
        let send = async |headers: &[String]| {
            let mut request = Request::builder().method(method).uri(&path);
            for header in headers {
                request = request.header("authorization", header);
            }
            auth.client().send(request.body(Bytes::new()).unwrap()).await
        };
        send(&[]).await.needs_a_token();
        for header in [
            String::new(),
            "Bearer".to_owned(),
            "Bearer ".to_owned(),
            access.clone(),
            format!("Bearer\t{access}"),
            format!("Bearer \t{access}"),
            format!("Bearer {access}, Bearer {access}"),
            format!("Bearer {access} x"),
            format!("Basic {access}"),
            format!("Token {access}"),
            format!("Bearer {refresh}"),
        ] {
            send(&[header]).await.needs_a_token();
        }
        send(&[format!("Bearer {access}"), format!("Bearer {access}")]).await.needs_a_token();
    }
    for header in [format!("bearer {access}"), format!("Bearer   {access}")] {
        let request = Request::get(PROFILE).header("authorization", header);
        auth.client().send(request.body(Bytes::new()).unwrap()).await.ok();
    }
    assert_eq!(auth.live(&mut [tokens]).await, 1, "a refused token had an effect");
}

/// S40 to S43: tokens that are expired, forged, from another issuer, or use the algorithm `none`.
#[tokio::test]
async fn foreign_and_expired_tokens_are_refused() {
    let auth = Deployment::with(&[ES256, ("JWT_LEEWAY_SECONDS", "0"), ("JWT_ACCESS_SECONDS", "600")]).await;
    let elsewhere = Deployment::with(&[ES256]).await.client().sign_in(ADA).await;
    let other_audience = Deployment::with(&[ES256, ("JWT_AUDIENCE", "other")]).await;
    other_audience.put_signing_keys(&auth.signing_keys());
    let tokens = auth.client().sign_in(ADA).await;
    let part = |at: usize| tokens.access.split('.').nth(at).unwrap();
    let none = BASE64URL_NOPAD.encode(br#"{"typ":"at+jwt","alg":"none","kid":"x"}"#);
    let forged = [
        elsewhere.access,
        format!("{}.{}.{}", part(0), part(1), part(1)),
        format!("{}.{}.", part(0), part(1)),
        format!("{none}.{}.", part(1)),
        "a.b.c".to_owned(),
    ];
    for (method, path) in routes(&session_of(&tokens.access)) {
        for token in &forged {
            auth.client().with_token(method, &path, token).await.needs_a_token();
        }
    }
    auth.wait(599);
    auth.client().with_token("GET", PROFILE, &tokens.access).await.ok();
    auth.wait(1);
    for (method, path) in routes(&session_of(&tokens.access)) {
        auth.client().with_token(method, &path, &tokens.access).await.needs_a_token();
    }
    assert_eq!(auth.live(&mut [tokens]).await, 1, "a refused token had an effect");
}

/// How often the public keys were read since the last call.
fn reads_of_keys(auth: &Deployment) -> usize {
    let calls = auth.stack.services().calls().take();
    calls.iter().filter(|call| call.caller == "Profile" && call.keys == ["JWKS"]).count()
}

/// V41: keys are read every five minutes. A token with an unknown key id causes at most one read per minute.
#[tokio::test]
async fn public_keys_are_cached() {
    let auth = Deployment::with(&[ES256]).await;
    let tokens = auth.client().sign_in(ADA).await;
    auth.wait(299);
    auth.client().with_token("GET", PROFILE, &tokens.access).await.ok();
    assert_eq!(reads_of_keys(&auth), 0);
    auth.wait(1);
    auth.client().with_token("GET", PROFILE, &tokens.access).await.ok();
    assert_eq!(reads_of_keys(&auth), 1);

    let unknown = BASE64URL_NOPAD.encode(br#"{"typ":"at+jwt","alg":"ES256","kid":"made-up"}"#);
    let unknown = format!("{unknown}.{}", tokens.access.split_once('.').unwrap().1);
    for (wait, reads) in [(59, 0), (1, 1), (0, 0), (59, 0), (1, 1)] {
        auth.wait(wait);
        auth.client().with_token("GET", PROFILE, &unknown).await.needs_a_token();
        assert_eq!(reads_of_keys(&auth), reads, "after {wait} seconds more");
    }
    auth.client().with_token("GET", PROFILE, &tokens.access).await.ok();
    assert_eq!(reads_of_keys(&auth), 0);
}

/// The successor of a revoked key signs at once and is accepted at once. Tokens of the revoked key are refused after at most five
/// minutes.
#[tokio::test]
async fn tokens_of_a_revoked_key_are_refused_and_its_successors_accepted() {
    let auth = Deployment::with(&[ES256]).await;
    let tokens = auth.client().sign_in(ADA).await;
    auth.client().with_token("GET", PROFILE, &tokens.access).await.ok();
    auth.stack.revoke(unverified(&tokens.access).0["kid"].as_str().unwrap()).await.unwrap();
    auth.wait(300);
    let next = auth.client().refresh(&tokens.refresh).await.tokens();
    auth.client().with_token("GET", PROFILE, &next.access).await.ok();
    auth.client().with_token("GET", PROFILE, &tokens.access).await.needs_a_token();
}

/// An HMAC key is secret on both sides, so functions verifying tokens need the keyring for HMAC, and only then.
#[tokio::test]
async fn only_hmac_needs_the_keyring_to_verify_tokens() {
    for (algorithm, is_held) in [("HS256", true), ("HS384", true), ("HS512", true), ("RS256", false)] {
        let auth = Deployment::with(&[("JWT_ALGORITHM", algorithm)]).await;
        let tokens = auth.client().sign_in(ADA).await;
        for (method, path) in routes(&session_of(&tokens.access)).into_iter().rev() {
            if method == "DELETE" && path != SESSIONS {
                continue;
            }
            auth.client().with_token(method, &path, &tokens.access).await.ok();
        }
        for function in ["Profile", "Sessions"] {
            assert_eq!(auth.may(function, Call::secret("SigningSecret")).await, is_held, "{function} {algorithm}");
            for secret in ["IndexSecret", "CodesSecret", "RefreshSecret", "VaultSecret"] {
                assert!(!auth.may(function, Call::secret(secret)).await, "{function} {secret}");
            }
        }
        let calls = auth.stack.services().calls().take();
        let secret_reads: Vec<Value> = calls
            .iter()
            .filter(|call| call.service == Service::SecretsManager && call.caller == "Profile" && call.error.is_none())
            .map(|call| json!(call.keys))
            .collect();
        assert!(is_held || secret_reads.is_empty(), "{secret_reads:?}");
    }
}
