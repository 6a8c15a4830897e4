//! Revoking a leaked key: it ends at once with everything it has signed, even during other key changes.

use local::STEPS;
use serde_json::{Value, json};
use shared::sessions::{AccessPolicy, CheckingKeys};
use tests::Deployment;
use tests::deployment::unverified;

use crate::rotate_keys::{deployment, rotate, step, token};

const ADA: &str = "ada@example.com";
const ISSUER: &str = "https://auth.example.com";
/// After this time a running function has read the keyring again. If Secrets Manager fails, it takes 15 minutes.
const FRESH: u64 = 300;

/// True if the token is valid according to the newly published keys.
async fn is_accepted(auth: &Deployment, access: &str) -> bool {
    auth.wait(60);
    let set = auth.client().get("/.well-known/jwks.json").await.ok();
    let keys = CheckingKeys::published(&serde_json::from_value(set).unwrap()).unwrap();
    keys.check(access, ISSUER, &auth.read(AccessPolicy::read), auth.stack.clock().now()).is_ok()
}

fn is_gone(auth: &Deployment, kid: &str) {
    assert!(!auth.signing_keys().signing.has(kid), "{kid} is in the keyring");
    assert!(!auth.published().iter().any(|published| published == kid), "{kid} is published");
}

fn kid(access: &str) -> String {
    unverified(access).0["kid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn revoking_a_signing_key_ends_its_tokens_and_a_new_key_signs() {
    let auth = deployment().await;
    let tokens = auth.client().sign_in(ADA).await;
    assert!(is_accepted(&auth, &tokens.access).await);

    let leaked = kid(&tokens.access);
    let answer = auth.stack.revoke(&leaked).await.unwrap();
    assert_eq!((&answer["revoked"], &answer["keyring"]), (&json!(leaked), &json!("signing")));
    is_gone(&auth, &leaked);
    assert!(!is_accepted(&auth, &tokens.access).await);

    auth.wait(FRESH);
    let after = auth.client().refresh(&tokens.refresh).await.tokens();
    assert_eq!(kid(&after.access), answer["signs_now"]);
    assert!(is_accepted(&auth, &after.access).await);

    // The client repeats the request as if the answer had been lost.
    assert_eq!(auth.stack.revoke(&leaked).await.unwrap(), answer);
}

/// If Secrets Manager fails, a running function signs with the old key for 15 minutes, and then stops signing.
#[tokio::test]
async fn no_function_signs_with_a_revoked_key_after_fifteen_minutes() {
    let auth = deployment().await;
    let tokens = auth.client().sign_in(ADA).await;
    auth.stack.revoke(&kid(&tokens.access)).await.unwrap();
    auth.faults(json!({ "aws": [{ "service": "secretsmanager", "error": "AccessDeniedException", "times": 1000 }] }));
    auth.wait(899);
    let after = auth.client().refresh(&tokens.refresh).await.tokens();
    assert_eq!(kid(&after.access), kid(&tokens.access));
    auth.wait(1);
    assert_ne!(auth.client().refresh(&after.refresh).await.code(), "ok");
}

/// After a revocation before, during or after a rotation, the key stays revoked.
#[tokio::test]
async fn a_revocation_during_a_rotation_is_never_undone() {
    for done in 0..=4 {
        let auth = deployment().await;
        let leaked = kid(&auth.client().sign_in(ADA).await.access);
        for name in &STEPS[..done] {
            step(&auth, name, &token(1)).await.unwrap();
        }
        auth.stack.revoke(&leaked).await.unwrap();
        is_gone(&auth, &leaked);
        let mut outcomes = Vec::new();
        for name in &STEPS[done..] {
            outcomes.push(step(&auth, name, &token(1)).await);
            is_gone(&auth, &leaked);
        }
        let ends = outcomes.last().is_none_or(Result::is_ok);
        assert_eq!(ends, done == 0 || done == 4, "{done}: {outcomes:?}");
        // The next rotation works.
        rotate(&auth, &auth.setting("SIGNING_SECRET_ARN"), &token(2)).await.unwrap();
        is_gone(&auth, &leaked);
    }
}

/// Runs both in parallel several times, because either may finish first.
#[tokio::test]
async fn a_revocation_in_parallel_with_a_rotation_is_never_undone() {
    for round in 0..10 {
        let auth = deployment().await;
        let leaked = auth.published().remove(0);
        let (arn, token) = (auth.setting("SIGNING_SECRET_ARN"), token(round));
        let (revoked, _) = tokio::join!(auth.stack.revoke(&leaked), rotate(&auth, &arn, &token));
        revoked.unwrap();
        is_gone(&auth, &leaked);
        let live: Vec<_> = auth.signing_keys().signing.all().iter().map(|key| key.id.clone()).collect();
        assert_eq!(auth.published(), live);
        auth.client().sign_in(ADA).await;
    }
}

#[tokio::test]
async fn a_failed_revocation_succeeds_when_repeated() {
    for operation in ["PutSecretValue", "UpdateSecretVersionStage", "UpdateItem"] {
        let auth = deployment().await;
        let leaked = auth.published().remove(0);
        let fault = json!({ "operation": operation, "error": "InternalServerError", "when": "before", "times": 3 });
        auth.faults(json!({ "aws": [fault] }));
        assert!(auth.stack.revoke(&leaked).await.is_err());
        auth.stack.revoke(&leaked).await.unwrap();
        is_gone(&auth, &leaked);
    }
}

#[tokio::test]
async fn revoking_a_refresh_key_ends_its_sessions() {
    let auth = deployment().await;
    let tokens = auth.client().sign_in(ADA).await;
    let leaked = tokens.refresh.split('.').nth(1).unwrap();
    assert_eq!(auth.stack.revoke(leaked).await.unwrap()["keyring"], "refresh");
    auth.wait(FRESH);
    auth.client().refresh(&tokens.refresh).await.refused(401, "invalid_token");
    assert!(is_accepted(&auth, &tokens.access).await, "an access token is signed with another key");
    let again = auth.client().sign_in(ADA).await;
    auth.client().refresh(&again.refresh).await.ok();
}

#[tokio::test]
async fn revoking_a_pepper_ends_pending_codes() {
    let auth = deployment().await;
    let asked = auth.client().ask(ADA).await;
    let leaked = auth.code_keys().peppers.all()[0].id.clone();
    let answer: Value = auth.stack.revoke(&leaked).await.unwrap();
    assert_eq!((&answer["revoked"], &answer["keyring"]), (&json!(leaked), &json!("codes")));
    auth.wait(FRESH);
    auth.client().answer(ADA, &asked).await.refused(400, "invalid_otp");
    auth.client().sign_in(ADA).await;
}

/// What a withdrawn key has encrypted is lost, and nothing else is.
#[tokio::test]
async fn revoking_a_key_of_the_vault_takes_it_out_and_leaves_the_others() {
    let auth = deployment().await;
    rotate(&auth, &auth.setting("VAULT_SECRET_ARN"), &token(1)).await.unwrap();
    let keys = auth.vault_keys().vault;
    let [leaked, kept] = [&keys.all()[0].id, &keys.all()[1].id];
    let answer = auth.stack.revoke(leaked).await.unwrap();
    assert_eq!((&answer["revoked"], &answer["keyring"]), (&json!(leaked), &json!("vault")));
    assert_eq!(auth.stack.revoke(leaked).await.unwrap(), answer);
    let left = auth.vault_keys().vault;
    assert!(!left.has(leaked) && left.has(kept) && left.active(auth.stack.clock().now()).is_ok());
    auth.client().sign_in(ADA).await;
}

/// S90: apps and backup codes under a leaked key are dead. Users who add an app afterwards get the
/// new key.
#[tokio::test]
async fn apps_and_backup_codes_under_a_revoked_key_stop_working() {
    let auth = Deployment::with(&[("JWT_ALGORITHM", "ES256"), ("SECOND_FACTOR", "optional")]).await;
    let client = auth.client();
    let ada = client.enrol(ADA).await;
    let leaked = auth.vault_keys().vault.all()[0].id.clone();
    auth.stack.revoke(&leaked).await.unwrap();
    auth.wait(FRESH);
    let challenge = client.first_step(ADA).await;
    client.second_step(&challenge, "totp", &ada.app.code(&auth)).await.refused(400, "invalid_otp");
    for code in &ada.backup_codes {
        client.second_step(&challenge, "backup_code", code).await.refused(400, "invalid_otp");
    }
    let bob = client.enrol("bob@example.com").await;
    client.sign_in_with("bob@example.com", &bob.app).await;
}
