//! Forged tokens (S40 to S44, V11 to V13): every route that takes this kind of token refuses each one of a long list, with
//! identical bytes.

mod access;

use axum::http::HeaderMap;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use tests::client::{LOGOUT, PROFILE, REFRESH, SESSIONS};
use tests::{Answer, Deployment};

use self::access::{Forged, Forger};

const ADA: &str = "ada@example.com";

/// The whole answer except the request's id.
fn said(answer: &Answer) -> (u16, Value, HeaderMap) {
    let mut headers = answer.headers.clone();
    for id in ["x-request-id", "apigw-requestid"] {
        headers.remove(id);
    }
    (answer.status.as_u16(), answer.body.clone(), headers)
}

#[tokio::test]
async fn every_forged_access_token_is_refused_with_one_answer() {
    let auth = Deployment::with(&[("JWT_LEEWAY_SECONDS", "0")]).await;
    let tokens = auth.client().sign_in(ADA).await;
    let forger = Forger::of(&auth, &tokens).await;
    let mut forged =
        [forger.of_algorithms(), forger.of_keys(), forger.of_claims(), forger.of_shapes(&tokens.refresh)].concat();
    forged.extend(of_others(&auth).await);
    assert!(forged.len() >= 60, "{}", forged.len());

    let again = forger.signed_again();
    let routes = [
        ("GET", PROFILE),
        ("GET", SESSIONS),
        ("DELETE", SESSIONS),
        ("DELETE", "/api/auth/sessions/AAAAAAAAAAAAAAAAAAAAAA/"),
    ];
    for (method, path) in routes {
        let refusal = said(&auth.client().with_token(method, path, "x").await);
        assert_eq!((refusal.0, &refusal.1["error"]), (401, &json!("invalid_token")));
        for (told, token) in &forged {
            // A header can only carry text, so such a token never arrives.
            let answer = auth.client().with_token(method, path, token).await;
            assert_eq!(said(&answer), refusal, "{method} {path}: {told}");
        }
    }
    for (told, token) in [("genuine", &tokens.access), ("signed by the test", &again)] {
        assert_eq!(
            auth.client().with_token("GET", PROFILE, token).await.code(),
            "ok",
            "{told}: a genuine token was refused"
        );
    }
    assert_eq!(auth.live(&mut [tokens]).await, 1, "a forged token had an effect");
}

/// Tokens of other deployments: with other keys, and with the same keys for another audience and issuer.
async fn of_others(auth: &Deployment) -> Vec<Forged> {
    let mut forged = Vec::new();
    for (told, setting) in [
        ("other keys", ("STAGE", "testing")),
        ("audience", ("JWT_AUDIENCE", "other")),
        ("issuer", ("JWT_ISSUER", "https://other.example")),
    ] {
        let other = Deployment::with(&[setting]).await;
        if told != "other keys" {
            other.put_signing_keys(&auth.signing_keys());
            other.wait(300);
        }
        forged.push((format!("another deployment's: {told}"), other.client().sign_in(ADA).await.access));
    }
    forged
}

#[tokio::test]
async fn every_forged_refresh_token_is_refused_with_one_answer() {
    let auth = Deployment::start().await;
    let (ada, bob) = (auth.client().sign_in(ADA).await, auth.client().sign_in("bob@example.com").await);
    let client = Deployment::with(&[("JWT_AUDIENCE", "other")]).await;
    client.put_refresh_keys(&auth.refresh_keys());
    client.wait(300);
    let elsewhere = client.client().sign_in(ADA).await.refresh;

    let genuine: Vec<&str> = ada.refresh.split('.').collect();
    let theirs: Vec<&str> = bob.refresh.split('.').collect();
    let with = |at: usize, part: &str| {
        let mut parts = genuine.clone();
        parts[at] = part;
        parts.join(".")
    };
    let mut forged = vec![
        ("an access token".to_owned(), ada.access.clone()),
        ("another client's".to_owned(), elsewhere),
        ("both MACs of another".to_owned(), [&genuine[..5], &theirs[5..]].concat().join(".")),
        ("the MACs exchanged".to_owned(), [&genuine[..5], &[genuine[6], genuine[5]]].concat().join(".")),
        ("a part more".to_owned(), format!("{}.x", ada.refresh)),
        ("a part less".to_owned(), genuine[..6].join(".")),
        ("padding".to_owned(), format!("{}==", ada.refresh)),
        ("a space".to_owned(), format!("{} ", ada.refresh)),
        ("a line's end".to_owned(), format!("{}\n", ada.refresh)),
        ("capitals".to_owned(), ada.refresh.to_uppercase()),
        ("dots".to_owned(), "......".to_owned()),
        ("a long one".to_owned(), "v1.".repeat(500)),
    ];
    for (at, parts) in [
        (0, ["v0", "v2", "V1", ""].as_slice()),
        (1, &["", "x", "../x", "k' OR '1'='1", "JWKS"]),
        (2, &["", theirs[2], "00000000-0000-0000-0000-000000000000", "U#1"]),
        (3, &["", theirs[3], "AAAAAAAAAAAAAAAAAAAAAA", "*"]),
        (4, &["", "0", "2", "01", "+1", "-1", "1e0", "4294967296", "１"]),
        (5, &["", "AAAAAAAAAAAAAAAAAAAAAA", theirs[5]]),
        (6, &[""]),
    ] {
        forged.extend(parts.iter().map(|part| (format!("part {at} is {part:?}"), with(at, part))));
    }

    let refusal = said(&auth.client().refresh("x").await);
    assert_eq!((refusal.0, &refusal.1["error"]), (401, &json!("invalid_token")));
    let farewell = said(&auth.client().logout("x").await);
    for (told, token) in &forged {
        assert_eq!(said(&auth.client().post(REFRESH, json!({ "refresh": token })).await), refusal, "{told}");
        for all in [false, true] {
            let answer = auth.client().post(LOGOUT, json!({ "refresh": token, "all": all })).await;
            assert_eq!(said(&answer), farewell, "{told}");
        }
    }
    assert_eq!(auth.live(&mut [ada.clone(), bob.clone()]).await, 2, "a forged token had an effect");

    // Half of a token is useless. But a client with that half of an active token, or with the key, can end its session.
    for part in ["AAAAAAAAAAAAAAAAAAAAAA", genuine[5], theirs[6]] {
        assert_eq!(said(&auth.client().refresh(&with(6, part)).await), refusal, "the second MAC is {part}");
        assert_eq!(said(&auth.client().logout(&with(6, part)).await), farewell, "the second MAC is {part}");
    }
}

/// ASVS 9.1.1: claims are read only after the signature was verified, so the answer is independent of their content.
#[tokio::test]
async fn claims_under_a_bad_signature_are_refused_alike() {
    let auth = Deployment::start().await;
    let tokens = auth.client().sign_in(ADA).await;
    let [header, genuine, signature]: [&str; 3] = tokens.access.split('.').collect::<Vec<_>>().try_into().unwrap();
    let encoded = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    let refusal = said(&auth.client().with_token("GET", PROFILE, "x").await);
    auth.stack.services().calls().take();
    for claims in [
        "*no base64*".to_owned(),
        encoded("no JSON"),
        encoded(&"[".repeat(3_000)),
        encoded(&format!(r#"{{"sub":"{}"}}"#, "a".repeat(3_000))),
        encoded(r#"{"exp":1e999}"#),
        encoded(r#"{"exp":0}"#),
        encoded("{}"),
        genuine.to_owned(),
    ] {
        // Another signature of the right length, because these claims are genuine.
        let other = if claims == genuine { signature.chars().rev().collect() } else { signature.to_owned() };
        let answer = auth.client().with_token("GET", PROFILE, &format!("{header}.{claims}.{other}")).await;
        assert_eq!(said(&answer), refusal, "{claims}");
    }
    assert!(auth.stack.services().calls().take().is_empty(), "the table was read");
    auth.client().with_token("GET", PROFILE, &tokens.access).await.ok();
}
