//! The function `logout`: the answer is the same for active, ended and unknown sessions.

use local_aws::Service;
use serde_json::json;
use tests::Deployment;
use tests::client::LOGOUT;

const ADA: &str = "ada@example.com";

/// V14, S35: refresh fails at once.
#[tokio::test]
async fn after_logout_refresh_fails() {
    let auth = Deployment::start().await;
    let tokens = auth.client().sign_in(ADA).await;
    let other = auth.client().sign_in(ADA).await;
    let answer = auth.client().logout(&tokens.refresh).await.ok();
    assert_eq!(answer, json!({ "success": true, "message": "Logged out." }));
    auth.client().refresh(&tokens.refresh).await.refused(401, "invalid_token");
    auth.client().refresh(&other.refresh).await.ok();
}

#[tokio::test]
async fn logout_answers_the_same_for_every_token() {
    let auth = Deployment::start().await;
    let tokens = auth.client().sign_in(ADA).await;
    let old = tokens.refresh.clone();
    let tokens = auth.client().refresh(&tokens.refresh).await.tokens();
    let forged = format!("{}x", &tokens.refresh[..tokens.refresh.len() - 1]);
    let mut answers = Vec::new();
    for token in ["garbage", ".", &tokens.access, &forged, &tokens.refresh, &tokens.refresh, &old] {
        answers.push(auth.client().logout(token).await.ok());
        answers.push(auth.client().post(LOGOUT, json!({ "refresh": token, "all": true })).await.ok());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
    for body in [json!({}), json!({ "refresh": "" }), json!({ "refresh": 1 }), json!({ "refresh": "x", "all": "yes" })]
    {
        auth.client().post(LOGOUT, body).await.refused(400, "invalid_request");
    }
}

#[tokio::test]
async fn all_signs_out_everywhere_with_one_write_of_the_user() {
    let auth = Deployment::start().await;
    let mine = [auth.client().sign_in(ADA).await, auth.client().sign_in(ADA).await, auth.client().sign_in(ADA).await];
    let bobs = auth.client().sign_in("bob@example.com").await;
    auth.stack.services().calls().take();
    auth.client().post(LOGOUT, json!({ "refresh": mine[1].refresh, "all": true })).await.ok();
    let calls = auth.stack.services().calls().take();
    assert_eq!(calls.iter().filter(|call| call.service == Service::DynamoDb).count(), 2, "the user, and the devices");
    for tokens in &mine {
        auth.client().refresh(&tokens.refresh).await.refused(401, "invalid_token");
    }
    auth.client().refresh(&bobs.refresh).await.ok();
    auth.client().sign_in(ADA).await;
}

/// An ended session cannot end the others.
#[tokio::test]
async fn an_ended_session_signs_nobody_out() {
    let auth = Deployment::start().await;
    let over = auth.client().sign_in(ADA).await;
    let live = auth.client().sign_in(ADA).await;
    auth.client().logout(&over.refresh).await.ok();
    auth.client().post(LOGOUT, json!({ "refresh": over.refresh, "all": true })).await.ok();
    auth.client().refresh(&live.refresh).await.ok();
}

/// The same holds for an expired session, because its token may be in an old backup.
#[tokio::test]
async fn an_expired_session_signs_nobody_out() {
    let auth = Deployment::start().await;
    let over = auth.client().sign_in(ADA).await;
    auth.wait(7 * 86_400);
    let live = auth.client().sign_in(ADA).await;
    auth.client().post(LOGOUT, json!({ "refresh": over.refresh, "all": true })).await.ok();
    auth.client().refresh(&live.refresh).await.ok();
}

/// In any order of a refresh and a logout, the session ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_session_survives_a_logout() {
    let auth = Deployment::start().await;
    for _ in 0..8 {
        let tokens = auth.client().sign_in("bob@example.com").await;
        let (refreshed, _) =
            tokio::join!(auth.client().refresh(&tokens.refresh), auth.client().logout(&tokens.refresh));
        let mut left = vec![tokens.refresh];
        if refreshed.code() == "ok" {
            left.push(refreshed.tokens().refresh);
        }
        for token in left {
            auth.client().refresh(&token).await.refused(401, "invalid_token");
        }
        auth.wait(3_600);
    }
}

/// Signing out everywhere checks only the absolute end. A used token, and one of an idle session, work too, because ending
/// sessions is the safe direction.
#[tokio::test]
async fn a_used_or_idle_token_signs_out_everywhere_until_its_absolute_end() {
    let auth = Deployment::with(&[("REFRESH_IDLE_DAYS", "1"), ("REFRESH_ABSOLUTE_DAYS", "3")]).await;
    let used = auth.client().sign_in(ADA).await;
    let newest = auth.client().refresh(&used.refresh).await.tokens();
    auth.client().logout_everywhere(&used.refresh).await.ok();
    auth.client().refresh(&newest.refresh).await.refused(401, "invalid_token");

    for (waits, lives) in [(2, false), (4, true)] {
        let idle = auth.client().sign_in(ADA).await;
        auth.wait(waits * 86_400);
        let other = auth.client().sign_in(ADA).await;
        auth.client().logout_everywhere(&idle.refresh).await.ok();
        assert_eq!(auth.live(&mut [other]).await == 1, lives, "after {waits} days");
    }
}
