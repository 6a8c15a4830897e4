//! The function `refresh`: each session has one chain of tokens, honest clients stay signed in, and reuse of a token ends the
//! session.

use futures_util::future::join_all;
use local_aws::Service;
use serde_json::json;
use tests::Deployment;
use tests::client::REFRESH;

const ADA: &str = "ada@example.com";
const DAY: u64 = 86_400;

#[tokio::test]
async fn a_refresh_token_gets_its_successor_and_a_new_access_token() {
    let auth = Deployment::start().await;
    let first = auth.client().sign_in(ADA).await;
    let answer = auth.client().refresh(&first.refresh).await.ok();
    assert_eq!(answer["expires_in"], json!(3_600));
    assert_ne!(answer["refresh"], json!(first.refresh));
    assert_ne!(answer["access"], json!(first.access));
}

/// V15, V16: 64 parallel refreshes with one token all get the same successor.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_parallel_refreshes_get_one_successor() {
    let auth = Deployment::start().await;
    let tokens = auth.client().sign_in(ADA).await;
    let answers = join_all((0..64).map(|_| auth.client().refresh(&tokens.refresh))).await;
    let mut successors: Vec<_> = answers.into_iter().map(|answer| answer.tokens().refresh).collect();
    successors.dedup();
    assert_eq!(successors.len(), 1);
    auth.client().refresh(&successors[0]).await.ok();
}

/// V16: after a lost answer, a retry or in a second tab, the same successor comes again during the grace period, without a write.
#[tokio::test]
async fn the_previous_token_gets_the_same_successor_for_ten_seconds() {
    let auth = Deployment::start().await;
    let first = auth.client().sign_in(ADA).await;
    let second = auth.client().refresh(&first.refresh).await.tokens();
    auth.wait(10);
    assert_eq!(auth.client().refresh(&first.refresh).await.tokens().refresh, second.refresh);
    auth.client().refresh(&second.refresh).await.ok();
}

/// S32: reusing a token after the grace period ends the session for attacker and owner alike.
#[tokio::test]
async fn a_used_token_that_comes_back_late_ends_the_session() {
    let auth = Deployment::start().await;
    let first = auth.client().sign_in(ADA).await;
    let second = auth.client().refresh(&first.refresh).await.tokens();
    auth.wait(11);
    auth.client().refresh(&first.refresh).await.refused(401, "invalid_token");
    auth.client().refresh(&second.refresh).await.refused(401, "invalid_token");
    assert!(auth.stack.logs().iter().any(|line| line.contains("refresh_reuse")), "no security event");
}

/// V17: the grace period covers only the previous token. An older token is reuse.
#[tokio::test]
async fn a_token_two_generations_old_ends_the_session_at_once() {
    let auth = Deployment::start().await;
    let first = auth.client().sign_in(ADA).await;
    let second = auth.client().refresh(&first.refresh).await.tokens();
    let third = auth.client().refresh(&second.refresh).await.tokens();
    auth.client().refresh(&first.refresh).await.refused(401, "invalid_token");
    auth.client().refresh(&third.refresh).await.refused(401, "invalid_token");
}

#[tokio::test]
async fn a_reuse_ends_one_session_and_no_other() {
    let auth = Deployment::start().await;
    let stolen = auth.client().sign_in(ADA).await;
    let other = auth.client().sign_in(ADA).await;
    auth.client().refresh(&stolen.refresh).await.ok();
    auth.wait(11);
    auth.client().refresh(&stolen.refresh).await.refused(401, "invalid_token");
    auth.client().refresh(&other.refresh).await.ok();
}

/// The SDK retries a write with a lost answer. The user stays signed in, even without a grace period.
#[tokio::test]
async fn a_lost_answer_of_the_table_signs_nobody_out() {
    let auth = Deployment::with(&[("REFRESH_GRACE_SECONDS", "0")]).await;
    let tokens = auth.client().sign_in(ADA).await;
    auth.faults(json!({ "aws": [
        { "service": "dynamodb", "operation": "UpdateItem", "error": "InternalServerError", "when": "after", "times": 1 }
    ] }));
    let next = auth.client().refresh(&tokens.refresh).await.tokens();
    auth.client().refresh(&next.refresh).await.ok();
}

/// S34: an unused session ends after the idle time. A used one ends at its absolute end.
#[tokio::test]
async fn a_session_ends_when_idle_and_at_its_absolute_end() {
    let auth = Deployment::with(&[("REFRESH_IDLE_DAYS", "7"), ("REFRESH_ABSOLUTE_DAYS", "20")]).await;
    let idle = auth.client().sign_in("bob@example.com").await;
    auth.wait(7 * DAY - 1);
    let idle = auth.client().refresh(&idle.refresh).await.tokens();
    auth.wait(7 * DAY);
    auth.client().refresh(&idle.refresh).await.refused(401, "invalid_token");

    let mut used = auth.client().sign_in(ADA).await;
    for _ in 0..3 {
        auth.wait(6 * DAY);
        used = auth.client().refresh(&used.refresh).await.tokens();
    }
    auth.wait(2 * DAY - 1);
    used = auth.client().refresh(&used.refresh).await.tokens();
    auth.wait(1);
    auth.client().refresh(&used.refresh).await.refused(401, "invalid_token");
}

#[tokio::test]
async fn without_rotation_the_token_stays_and_the_idle_end_moves() {
    let auth =
        Deployment::with(&[("REFRESH_ROTATION", "off"), ("REFRESH_IDLE_DAYS", "7"), ("REFRESH_ABSOLUTE_DAYS", "90")])
            .await;
    let tokens = auth.client().sign_in(ADA).await;
    for _ in 0..3 {
        auth.wait(6 * DAY);
        assert_eq!(auth.client().refresh(&tokens.refresh).await.tokens().refresh, tokens.refresh);
    }
    auth.wait(7 * DAY);
    auth.client().refresh(&tokens.refresh).await.refused(401, "invalid_token");
}

/// V13, S33: forged tokens are refused before any read. The same holds for access tokens.
#[tokio::test]
async fn a_forged_token_is_refused_without_a_read() {
    let auth = Deployment::start().await;
    let tokens = auth.client().sign_in(ADA).await;
    auth.stack.services().calls().take();
    let parts: Vec<&str> = tokens.refresh.split('.').collect();
    let with = |at: usize, text: &str| {
        let mut parts = parts.clone();
        parts[at] = text;
        parts.join(".")
    };
    let forged = [
        with(0, "v2"),
        with(1, "other"),
        with(2, "018f0000-0000-7000-8000-000000000000"),
        with(3, "AAAAAAAAAAAAAAAAAAAAAA"),
        with(4, "2"),
        with(5, "AAAAAAAAAAAAAAAAAAAAAA"),
        ".".to_owned(),
        "garbage".to_owned(),
        tokens.access.clone(),
    ];
    for token in &forged {
        let refused = auth.client().refresh(token).await;
        refused.refused(401, "invalid_token");
        assert_eq!(refused.headers["www-authenticate"], "Bearer");
    }
    let reads =
        auth.stack.services().calls().take().into_iter().filter(|call| call.service == Service::DynamoDb).count();
    assert_eq!(reads, 0);

    auth.client().refresh(&with(6, "AAAAAAAAAAAAAAAAAAAAAA")).await.refused(401, "invalid_token");
    for body in [
        json!({}),
        json!({ "refresh": null }),
        json!({ "refresh": "" }),
        json!({ "refresh": 1 }),
        json!({ "refresh": [tokens.refresh] }),
    ] {
        auth.client().post(REFRESH, body).await.refused(400, "invalid_request");
    }
}
