//! Freshness: what a session was proved by, when, and what needs a recent proof (S130, S131).

use local_aws::Service;
use serde_json::{Value, json};
use tests::client::{REFRESH, SESSIONS};
use tests::deployment::{START, session_of, unverified};
use tests::{Answer, Deployment, Tokens};

const ADA: &str = "ada@example.com";

/// A deployment with second factors.
const FACTORS: [(&str, &str); 1] = [("SECOND_FACTOR", "optional")];

async fn end_others(auth: &Deployment, tokens: &Tokens) -> Answer {
    auth.client().with_token("DELETE", SESSIONS, &tokens.access).await
}

async fn refreshed(auth: &Deployment, tokens: &Tokens) -> Tokens {
    auth.client().refresh(&tokens.refresh).await.tokens()
}

fn claims(tokens: &Tokens) -> Value {
    unverified(&tokens.access).1
}

/// Changes the only item whose key begins with this.
fn change(auth: &Deployment, key: &str, change: impl FnOnce(&mut Value)) {
    let mut item = auth.items(key).pop().unwrap();
    change(&mut item);
    auth.stack
        .services()
        .dynamodb("PutItem", json!({ "TableName": auth.setting("USER_TABLE"), "Item": item }))
        .unwrap();
}

/// Asserts that a step-up is needed, as RFC 9470 tells it.
#[track_caller]
fn needs_step_up(answer: &Answer, acr: &str, max_age: u64, methods: &[&str]) {
    answer.refused(401, "step_up_required");
    let Value::Object(body) = &answer.body else { panic!("{}", answer.body) };
    assert_eq!((&body["acr"], &body["max_age"], &body["methods"]), (&json!(acr), &json!(max_age), &json!(methods)));
    let challenge =
        format!(r#"Bearer error="insufficient_user_authentication", acr_values="{acr}", max_age="{max_age}""#);
    assert_eq!(answer.headers["www-authenticate"], challenge);
}

/// S131: ten minutes after the sign-in, a thief of a token cannot lock the user out. Nothing was written.
#[tokio::test]
async fn ending_all_others_needs_a_fresh_proof() {
    let auth = Deployment::start().await;
    let [here, there] = [auth.client().sign_in(ADA).await, auth.client().sign_in(ADA).await];
    auth.wait(601);
    auth.stack.services().calls().take();
    let refused = end_others(&auth, &here).await;
    needs_step_up(&refused, "1f", 600, &["otp"]);
    assert_eq!(refused.body["message"], json!("Confirm that it is you to do this."));
    let calls = auth.stack.services().calls().take();
    let calls: Vec<_> = calls.iter().filter(|call| call.service == Service::DynamoDb).collect();
    assert!(calls.iter().all(|call| call.operation == "GetItem"), "{calls:?}");
    assert_eq!(auth.live(&mut [there]).await, 1);

    let fresh = auth.client().sign_in(ADA).await;
    auth.wait(600);
    end_others(&auth, &fresh).await.ok();
}

/// S131: a refresh makes nothing fresh, and so keeps `acr`, `amr` and `auth_time`.
#[tokio::test]
async fn a_refresh_is_no_proof() {
    for rotation in ["on", "off"] {
        let auth = Deployment::with(&[("REFRESH_ROTATION", rotation)]).await;
        let tokens = auth.client().sign_in(ADA).await;
        auth.wait(601);
        let tokens = refreshed(&auth, &tokens).await;
        let claims = claims(&tokens);
        assert_eq!((&claims["auth_time"], &claims["iat"]), (&json!(START), &json!(START + 601)), "{rotation}");
        assert_eq!((&claims["acr"], &claims["amr"]), (&json!("1f"), &json!(["otp"])), "{rotation}");
        needs_step_up(&end_others(&auth, &tokens).await, "1f", 600, &["otp"]);
    }
}

/// Ending one session, and a sign-out everywhere, work at any time. A user who sees a thief's session must be able to end it.
#[tokio::test]
async fn ending_one_session_needs_no_fresh_proof() {
    let auth = Deployment::start().await;
    let [here, there] = [auth.client().sign_in(ADA).await, auth.client().sign_in(ADA).await];
    auth.wait(601);
    let path = format!("{SESSIONS}{}/", session_of(&there.access));
    auth.client().with_token("DELETE", &path, &here.access).await.ok();
    assert_eq!(auth.live(&mut [there]).await, 0);
    auth.client().logout_everywhere(&here.refresh).await.ok();
}

/// The session comes first. A client that was signed out signs in again instead of stepping up.
#[tokio::test]
async fn an_ended_session_is_not_asked_for_a_proof() {
    let auth = Deployment::start().await;
    let tokens = auth.client().sign_in(ADA).await;
    auth.client().logout(&tokens.refresh).await.ok();
    auth.wait(601);
    end_others(&auth, &tokens).await.needs_a_token();
}

#[tokio::test]
async fn a_deployment_decides_how_fresh_a_proof_must_be() {
    let auth = Deployment::with(&[("STEP_UP_SECONDS", "60")]).await;
    let tokens = auth.client().sign_in(ADA).await;
    auth.wait(60);
    end_others(&auth, &tokens).await.ok();
    auth.wait(1);
    needs_step_up(&end_others(&auth, &tokens).await, "1f", 60, &["otp"]);
}

/// S130: a user with a second factor needs it, also in a session from before the factor. The table decides, not the token.
#[tokio::test]
async fn a_user_with_a_second_factor_needs_it() {
    let auth = Deployment::with(&FACTORS).await;
    let tokens = auth.client().sign_in(ADA).await;
    end_others(&auth, &tokens).await.ok();
    change(&auth, "U#", |user| user["2f"] = json!({ "N": START.to_string() }));
    needs_step_up(&end_others(&auth, &tokens).await, "2f", 600, &["totp", "backup_code"]);

    change(&auth, "S#", |session| session["amr"] = json!({ "L": [{ "S": "otp" }, { "S": "mfa" }] }));
    let tokens = refreshed(&auth, &tokens).await;
    assert_eq!((&claims(&tokens)["acr"], &claims(&tokens)["amr"]), (&json!("2f"), &json!(["otp", "mfa"])));
    end_others(&auth, &tokens).await.ok();
    auth.wait(601);
    let tokens = refreshed(&auth, &tokens).await;
    assert_eq!(claims(&tokens)["acr"], json!("2f"));
    needs_step_up(&end_others(&auth, &tokens).await, "2f", 600, &["totp", "backup_code"]);
}

/// Without second factors nobody could prove one, so users who have one from before keep their rights.
#[tokio::test]
async fn a_deployment_without_second_factors_asks_for_none() {
    let auth = Deployment::with(&[("SECOND_FACTOR", "off")]).await;
    let tokens = auth.client().sign_in(ADA).await;
    change(&auth, "U#", |user| user["2f"] = json!({ "N": START.to_string() }));
    end_others(&auth, &tokens).await.ok();
    auth.wait(601);
    needs_step_up(&end_others(&auth, &tokens).await, "1f", 600, &["otp"]);
}

/// A later proof moves `auth_time`. The session keeps its place in the user's list, so the oldest one still makes room.
#[tokio::test]
async fn a_later_proof_is_fresh_and_moves_no_opening() {
    let auth = Deployment::start().await;
    let tokens = auth.client().sign_in(ADA).await;
    auth.wait(601);
    change(&auth, "S#", |session| session["at"] = json!({ "N": (START + 601).to_string() }));
    let tokens = refreshed(&auth, &tokens).await;
    assert_eq!(claims(&tokens)["auth_time"], json!(START + 601));
    let opened = || auth.items("U#")[0]["ss"]["M"][session_of(&tokens.access)].clone();
    let before = opened();
    end_others(&auth, &tokens).await.ok();
    assert_eq!((opened(), before), (json!({ "N": START.to_string() }), json!({ "N": START.to_string() })));
}

/// S130, S131: a session from before proofs were dated counts from its sign-in, at the lowest level.
#[tokio::test]
async fn a_session_from_before_counts_from_its_sign_in() {
    let auth = Deployment::start().await;
    let tokens = auth.client().sign_in(ADA).await;
    auth.wait(300);
    change(&auth, "S#", |session| drop(session.as_object_mut().unwrap().remove("at").unwrap()));
    let tokens = auth.client().post(REFRESH, json!({ "refresh": tokens.refresh })).await.tokens();
    assert_eq!((&claims(&tokens)["auth_time"], &claims(&tokens)["acr"]), (&json!(START), &json!("1f")));
    end_others(&auth, &tokens).await.ok();
}
