//! Rotation: new keys of every kind except the index key, unnoticed by users.

use serde_json::json;
use tests::Deployment;
use tests::authenticator::BACKUP_CODES;
use tests::deployment::wrong;

const ADA: &str = "ada@example.com";
/// How long a function may use a cached keyring, in seconds.
const LONGEST_CACHED: u64 = 900;
/// How long a signing key is published before it signs, in seconds.
const PUBLISHED_BEFORE: u64 = 10_800;
const ES256: (&str, &str) = ("JWT_ALGORITHM", "ES256");

#[tokio::test]
async fn a_rotation_finds_the_same_users_counters_codes_and_sessions() {
    let auth = Deployment::with(&[ES256, ("OTP_FAILURES_PER_IP", "3")]).await;
    let before = auth.client().sign_in(ADA).await;
    let first_kid = tests::deployment::unverified(&before.access).0["kid"].clone();
    let user = tests::deployment::unverified(&before.access).1["sub"].clone();

    auth.stack.rotate_keys().await.unwrap();
    auth.wait(LONGEST_CACHED - 60);
    // This challenge is pending while the new keys become active.
    let pending = auth.client().ask(ADA).await;
    auth.client().answer_unbound(ADA, &wrong(&pending.code)).await.refused(400, "invalid_otp");
    let set = auth.client().get("/.well-known/jwks.json").await.ok();
    assert_eq!(set["keys"].as_array().unwrap().len(), 2, "the next key is published before it signs");

    auth.wait(120);
    let answer = auth.client().answer(ADA, &pending).await.ok();
    let (_, claims) = tests::deployment::unverified(answer["tokens"]["access"].as_str().unwrap());
    assert_eq!((&answer["is_new_user"], &claims["sub"]), (&json!(false), &user));
    assert_eq!(auth.items("U#").len(), 1);

    let after = auth.client().refresh(&before.refresh).await.tokens();
    let used_key = |token: &str| token.split('.').nth(1).unwrap().to_owned();
    assert_ne!(used_key(&after.refresh), used_key(&before.refresh));
    // The answer with the new key was lost, so the same successor comes again.
    assert_eq!(auth.client().refresh(&before.refresh).await.tokens().refresh, after.refresh);
    let later = auth.client().refresh(&after.refresh).await.tokens();
    assert_eq!(tests::deployment::unverified(&later.access).0["kid"], first_kid);

    let asked = auth.client().ask(ADA).await;
    for _ in 0..2 {
        auth.client().answer_unbound(ADA, &wrong(&asked.code)).await;
    }
    let refused = auth.client().answer_unbound(ADA, &asked.code).await;
    assert_eq!(refused.code(), "too_many_attempts", "the network's count was lost");

    auth.wait(PUBLISHED_BEFORE);
    let last = auth.client().refresh(&later.refresh).await.tokens();
    assert_ne!(tests::deployment::unverified(&last.access).0["kid"], first_kid);
}

/// S47: an old signing key is removed when its last token has expired. Old refresh tokens stay valid until they expire.
#[tokio::test]
async fn an_old_key_retires_when_its_last_token_has_expired() {
    let auth = Deployment::with(&[ES256]).await;
    let tokens = auth.client().sign_in(ADA).await;
    auth.stack.rotate_keys().await.unwrap();
    auth.wait(6 * 86_400);
    auth.stack.rotate_keys().await.unwrap();
    auth.wait(3_600);
    let set = auth.client().get("/.well-known/jwks.json").await.ok();
    let kids: Vec<_> = set["keys"].as_array().unwrap().iter().map(|key| key["kid"].clone()).collect();
    let first = tests::deployment::unverified(&tokens.access).0["kid"].clone();
    assert!(!kids.contains(&first), "a key without tokens is still published");
    auth.client().refresh(&tokens.refresh).await.ok();
}

/// S90: an app from before a rotation still works, and moves to the newest key when it is used. Then the old key may go. The backup
/// codes stay under their own key.
#[tokio::test]
async fn an_app_moves_to_the_newest_key_when_it_is_used() {
    let auth = Deployment::with(&[ES256, ("SECOND_FACTOR", "optional")]).await;
    let client = auth.client();
    let ada = client.enrol(ADA).await;
    let key = || auth.items("F#")[0]["tt"]["M"][&ada.id]["M"]["k"]["S"].as_str().unwrap().to_owned();
    let old = key();
    auth.stack.rotate_keys().await.unwrap();
    client.sign_in_with(ADA, &ada.app).await;
    assert_eq!(key(), old, "a new key is in use before every instance has read it");

    auth.wait(LONGEST_CACHED + 60);
    client.sign_in_with(ADA, &ada.app).await;
    let newest = auth.vault_keys().vault.active(auth.stack.clock().now()).unwrap().id.clone();
    assert_eq!(key(), newest);
    assert_ne!(newest, old);
    client.sign_in_with(ADA, &ada.app).await;
    let challenge = client.first_step(ADA).await;
    client.second_step(&challenge, "backup_code", &ada.backup_codes[0]).await.ok();

    auth.stack.revoke(&old).await.unwrap();
    auth.wait(LONGEST_CACHED);
    let challenge = client.first_step(ADA).await;
    client.second_step(&challenge, "backup_code", &ada.backup_codes[1]).await.refused(400, "invalid_otp");
    let tokens = client.second_step(&challenge, "totp", &ada.app.code(&auth)).await.tokens();
    let renewed = client.post_as(&tokens.access, BACKUP_CODES, json!({})).await.ok();
    let challenge = client.first_step(ADA).await;
    client.second_step(&challenge, "backup_code", renewed["backup_codes"][0].as_str().unwrap()).await.ok();
}

/// A function with a slow clock may find only keys that start in its future. It uses them if there are no others. This happens
/// after the first keys are made and after a revocation.
#[tokio::test]
async fn a_function_with_a_slow_clock_has_a_key() {
    let auth = Deployment::with(&[ES256]).await;
    auth.stack.clock().skew(-30);
    let tokens = auth.client().sign_in(ADA).await;
    auth.client().refresh(&tokens.refresh).await.ok();

    auth.stack.clock().skew(0);
    let (signing, refresh, codes) = (auth.signing_keys(), auth.refresh_keys(), auth.code_keys());
    for id in [&signing.signing.all()[0].id, &refresh.refresh.all()[0].id, &codes.peppers.all()[0].id] {
        auth.stack.revoke(id).await.unwrap();
    }
    let behind = auth.stack.another_api("behind").await.unwrap();
    auth.stack.clock().skew(-30);
    auth.client().by(&behind).sign_in(ADA).await;
}
