//! The function `rotate-keys`: the four steps of Secrets Manager and the request of CloudFormation, repeated, in parallel,
//! interrupted and in the wrong order.

use futures_util::future::join_all;
use local::STEPS;
use serde_json::{Value, json};
use shared::keys::Ring;
use tests::Deployment;
use tests::deployment::unverified;

const ADA: &str = "ada@example.com";
const HOUR: u64 = 3_600;
/// The longest validity of a token with the development profile's settings.
const LONGEST_TOKEN: u64 = 3_630;

/// Uses ES256, because its keys are quick to generate.
pub async fn deployment() -> Deployment {
    Deployment::with(&[("JWT_ALGORITHM", "ES256"), ("JWT_ISSUER", "https://auth.example.com")]).await
}

/// A version id in the format of Secrets Manager.
pub fn token(number: u32) -> String {
    format!("{number:032}")
}

/// One step for the signing keys.
pub async fn step(auth: &Deployment, step: &str, token: &str) -> Result<Value, String> {
    step_of(auth, &auth.setting("SIGNING_SECRET_ARN"), step, token).await
}

async fn step_of(auth: &Deployment, secret: &str, step: &str, token: &str) -> Result<Value, String> {
    let event = json!({ "Step": step, "SecretId": secret, "ClientRequestToken": token, "RotationToken": "ignored" });
    auth.stack.ask_for_keys(&event).await.map_err(|failure| failure.to_string())
}

/// Runs all four steps, and stops at the first error.
pub async fn rotate(auth: &Deployment, secret: &str, token: &str) -> Result<(), String> {
    for step in STEPS {
        step_of(auth, secret, step, token).await?;
    }
    Ok(())
}

fn ids<K>(ring: &Ring<K>) -> Vec<String> {
    ring.all().iter().map(|key| key.id.clone()).collect()
}

/// Asserts that the keyring has this number of signing keys, and that they are published.
fn is_whole(auth: &Deployment, signing_keys: usize) {
    let keys = auth.signing_keys();
    assert_eq!(keys.signing.all().len(), signing_keys);
    assert_eq!(auth.published(), ids(&keys.signing));
}

/// The keyrings and the published keys.
pub fn state(auth: &Deployment) -> [Option<String>; 4] {
    let [codes, refresh, signing] = auth.secrets().map(|secret| auth.stack.services().secret(&secret));
    [codes, refresh, signing, Some(auth.published().concat())]
}

#[tokio::test]
async fn each_step_twice_is_the_same_as_once() {
    let auth = deployment().await;
    for secret in &auth.secrets() {
        for name in STEPS {
            step_of(&auth, secret, name, &token(1)).await.unwrap();
            let once = state(&auth);
            step_of(&auth, secret, name, &token(1)).await.unwrap();
            assert_eq!(state(&auth), once, "{name}");
        }
        // Repeats all steps, as Secrets Manager does after a lost answer.
        let once = state(&auth);
        rotate(&auth, secret, &token(1)).await.unwrap();
        assert_eq!(state(&auth), once);
    }
    is_whole(&auth, 2);
    assert_eq!((auth.refresh_keys().refresh.all().len(), auth.code_keys().peppers.all().len()), (2, 2));
    let log = auth.stack.logs().join("\n");
    let refresh = String::from(auth.refresh_keys().refresh.all()[0].key.clone());
    assert!(log.contains(r#""kind":"finishSecret""#) && !log.contains("PRIVATE KEY") && !log.contains(&refresh));
}

#[tokio::test]
async fn one_rotation_many_times_at_once_is_one_rotation() {
    let auth = deployment().await;
    for secret in &auth.secrets() {
        let token = token(1);
        for outcome in join_all((0..8).map(|_| rotate(&auth, secret, &token))).await {
            outcome.unwrap();
        }
    }
    is_whole(&auth, 2);
    assert_eq!(auth.code_keys().peppers.all().len(), 2);
}

#[tokio::test]
async fn parallel_rotations_leave_one_keyring_and_fail_the_others() {
    let auth = deployment().await;
    for secret in &auth.secrets() {
        let tokens: Vec<_> = (0..8).map(token).collect();
        let outcomes = join_all(tokens.iter().map(|token| rotate(&auth, secret, token))).await;
        let lost: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
        assert!(lost.len() < 8, "no rotation succeeded: {lost:?}");
        // A rotation that loses the race fails because it was overtaken, or because another one has replaced its public keys.
        let known = ["overtaken: ", "is not published", "other writers keep publishing"];
        assert!(lost.iter().all(|reason| known.iter().any(|known| reason.contains(known))), "{lost:?}");
    }
    rotate(&auth, &auth.setting("SIGNING_SECRET_ARN"), &token(9)).await.unwrap();
    assert_eq!(auth.published(), ids(&auth.signing_keys().signing));
    auth.client().sign_in(ADA).await;
}

/// The SDK makes three attempts, so three errors fail the step. One error is retried by the SDK itself.
#[tokio::test]
async fn a_step_with_a_lost_answer_can_be_repeated() {
    let lost = ["PutSecretValue", "UpdateSecretVersionStage", "UpdateItem", "GetSecretValue"];
    join_all(lost.into_iter().flat_map(|operation| [(operation, 1), (operation, 3)]).map(
        async |(operation, times)| {
            let auth = deployment().await;
            let fault =
                json!({ "operation": operation, "error": "InternalServerError", "when": "after", "times": times });
            auth.faults(json!({ "aws": [fault] }));
            for name in STEPS {
                let first = step(&auth, name, &token(1)).await;
                if let Err(reason) = first {
                    assert!(times == 3, "{operation}: {reason}");
                    step(&auth, name, &token(1)).await.unwrap();
                }
            }
            is_whole(&auth, 2);
        },
    ))
    .await;
}

#[tokio::test]
async fn an_abandoned_rotation_does_not_resume() {
    for done in 1..4 {
        let auth = deployment().await;
        for name in &STEPS[..done] {
            step(&auth, name, &token(1)).await.unwrap();
        }
        rotate(&auth, &auth.setting("SIGNING_SECRET_ARN"), &token(2)).await.unwrap();
        is_whole(&auth, 2);
        for name in &STEPS[done..] {
            let reason = step(&auth, name, &token(1)).await.unwrap_err();
            assert!(reason.starts_with("overtaken: ") || reason.contains("is not published"), "{reason}");
            is_whole(&auth, 2);
        }
    }
}

/// API Gateway caches public keys for two hours.
#[tokio::test]
async fn a_key_signs_three_hours_after_it_is_published_and_stays_for_its_last_token() {
    let auth = deployment().await;
    let mut tokens = auth.client().sign_in(ADA).await;
    auth.stack.rotate_keys().await.unwrap();
    let [old, new] = auth.published().try_into().unwrap();
    for (wait, signs) in [(0, &old), (3 * HOUR - 1, &old), (1, &new)] {
        auth.wait(wait);
        tokens = auth.client().refresh(&tokens.refresh).await.tokens();
        assert_eq!(unverified(&tokens.access).0["kid"], **signs);
    }
    let ends = async |wait: u64, left: &[&String]| {
        auth.wait(wait);
        let set = auth.client().get("/.well-known/jwks.json").await.ok();
        let kids: Vec<_> = set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap()).collect();
        assert_eq!(kids, left);
    };
    ends(LONGEST_TOKEN - 1, &[&old, &new]).await;
    // The function reads the keys again after a minute.
    ends(60, &[&new]).await;
}

/// Users' apps work for years, with the keys that encrypted their secrets.
#[tokio::test]
async fn a_rotation_of_the_vault_retires_no_key() {
    let auth = deployment().await;
    let arn = auth.setting("VAULT_SECRET_ARN");
    let first = ids(&auth.vault_keys().vault);
    for number in 1..=3 {
        rotate(&auth, &arn, &token(number)).await.unwrap();
        rotate(&auth, &arn, &token(number)).await.unwrap();
        auth.wait(90 * 24 * HOUR);
    }
    auth.stack.rotate_keys().await.unwrap();
    let keys = auth.vault_keys();
    assert_eq!((keys.vault.all().len(), ids(&keys.vault)[0].clone()), (5, first[0].clone()));
    assert!(keys.vault.all().iter().all(|key| key.retired_at.is_none()));
    auth.stack.ask_for_keys(&json!({ "mode": "ensure" })).await.unwrap();
    assert_eq!(ids(&auth.vault_keys().vault), ids(&keys.vault));
}

#[tokio::test]
async fn without_second_factors_no_keyring_is_a_vault() {
    let on = deployment().await.setting("VAULT_SECRET_ARN");
    let auth = Deployment::with(&[("JWT_ALGORITHM", "ES256"), ("SECOND_FACTOR", "off")]).await;
    auth.stack.rotate_keys().await.unwrap();
    let reason = rotate(&auth, &on, &token(1)).await.unwrap_err();
    assert!(auth.setting("VAULT_SECRET_ARN").is_empty() && reason.contains("is not a keyring"), "{reason}");
}

/// Secrets Manager runs only this step when a schedule is created.
#[tokio::test]
async fn a_test_without_a_rotation_tests_the_current_keyring() {
    let auth = deployment().await;
    step(&auth, "testSecret", &token(1)).await.unwrap();
    auth.put_signing_keys(&deployment().await.signing_keys());
    let reason = step(&auth, "testSecret", &token(1)).await.unwrap_err();
    assert!(reason.contains("is not published"), "{reason}");
}

#[tokio::test]
async fn unknown_events_are_refused_with_a_reason() {
    let auth = deployment().await;
    let [arn, index] = ["SIGNING_SECRET_ARN", "INDEX_SECRET_ARN"].map(|name| auth.setting(name));
    for (event, reason) in [
        (json!({}), r#"modes are "ensure", "restore" and, with the key's "kid", "revoke""#),
        (json!({ "mode": "rotate" }), r#"modes are "ensure", "restore" and"#),
        (json!({ "mode": "revoke" }), r#"needs the key's "kid""#),
        (json!({ "mode": "revoke", "kid": "unknown" }), "no keyring has a key unknown"),
        (json!({ "mode": "revoke", "kid": "index" }), "the index key cannot be withdrawn"),
        (json!({ "Step": "dropSecret", "SecretId": arn, "ClientRequestToken": token(1) }), "not a step of a rotation"),
        (json!({ "Step": "setSecret", "SecretId": arn, "ClientRequestToken": token(1) }), "was not created"),
        (json!({ "Step": "createSecret", "SecretId": index, "ClientRequestToken": token(1) }), "never rotates"),
        (
            json!({ "Step": "createSecret", "SecretId": "arn:other", "ClientRequestToken": token(1) }),
            "is not a keyring of this deployment",
        ),
    ] {
        let failure = auth.stack.ask_for_keys(&event).await.unwrap_err().to_string();
        assert!(failure.contains(reason), "{event}: {failure}");
    }
    is_whole(&auth, 1);
}

/// The runbook's last resort: only the index key is restored from a backup.
#[tokio::test]
async fn a_restored_index_key_finds_its_users() {
    let auth = deployment().await;
    auth.client().sign_in(ADA).await;
    let (arn, keys) = (auth.setting("INDEX_SECRET_ARN"), auth.index_keys());
    let copy = json!({ "index": keys.index }).to_string();
    auth.stack.services().put_secret(&arn, copy).unwrap();
    auth.stack.ask_for_keys(&json!({ "mode": "ensure" })).await.unwrap();
    auth.wait(300);
    let asked = auth.client().ask(ADA).await;
    assert_eq!(auth.client().answer(ADA, &asked).await.ok()["is_new_user"], json!(false));
}

/// Version 0.1 kept the index key beside the peppers. The first deployment of this version takes it from there.
#[tokio::test]
async fn the_index_key_of_the_first_version_finds_its_users() {
    let auth = deployment().await;
    auth.client().sign_in(ADA).await;
    let services = auth.stack.services();
    let old = json!({ "index": auth.index_keys().index, "peppers": auth.code_keys().peppers }).to_string();
    services.put_secret(&auth.setting("CODES_SECRET_ARN"), old).unwrap();
    services.empty_secret(&auth.setting("INDEX_SECRET_ARN"));
    auth.stack.ask_for_keys(&json!({ "mode": "ensure" })).await.unwrap();
    auth.wait(900);
    let asked = auth.client().ask(ADA).await;
    assert_eq!(auth.client().answer(ADA, &asked).await.ok()["is_new_user"], json!(false));
}

/// A version stored by an operator is published, and later changes are derived from it.
#[tokio::test]
async fn a_restored_keyring_is_published() {
    let auth = deployment().await;
    let before = auth.signing_keys();
    auth.stack.rotate_keys().await.unwrap();
    auth.put_signing_keys(&before);
    auth.stack.ask_for_keys(&json!({ "mode": "ensure" })).await.unwrap();
    is_whole(&auth, 1);
    assert_eq!(auth.published(), ids(&before.signing));
}
