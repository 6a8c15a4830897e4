//! The function `account`: what happened to a user's account.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::client::ACTIVITY;
use tests::deployment::session_of;
use tests::{Client, Deployment, Tokens};

const ADA: &str = "ada@example.com";
const DAY: u64 = 86_400;

/// A page of the activity.
async fn page(client: Client<'_>, tokens: &Tokens, before: Option<&str>) -> Value {
    let query = before.map(|before| format!("?before={before}")).unwrap_or_default();
    client.with_token("GET", &format!("{ACTIVITY}{query}"), &tokens.access).await.ok()
}

fn rows(page: &Value) -> &Vec<Value> {
    page["activity"].as_array().unwrap()
}

#[tokio::test]
async fn a_user_sees_sign_ins_and_ends_newest_first() {
    let auth = Deployment::start().await;
    let first = auth.client().sign_in(ADA).await;
    auth.wait(60);
    let second = auth.client().sign_in(ADA).await;
    auth.wait(60);
    auth.client().logout(&first.refresh).await.ok();
    assert_eq!(rows(&page(auth.client(), &second, None).await).len(), 0, "the stream has not been read");
    auth.stack.deliver().await;
    let listed = page(auth.client(), &second, None).await;
    let told = |row: &Value| json!([row["type"], row["time"], row["session"]]);
    let [first, second] = [&first, &second].map(|tokens| session_of(&tokens.access));
    assert_eq!(
        rows(&listed).iter().map(told).collect::<Vec<_>>(),
        [
            json!(["session.ended", "2026-01-01T00:02:00Z", first]),
            json!(["session.opened", "2026-01-01T00:01:00Z", second]),
            json!(["user.created", "2026-01-01T00:00:00Z", null]),
            json!(["session.opened", "2026-01-01T00:00:00Z", first]),
        ]
    );
    let opened = &rows(&listed)[1];
    assert_eq!((&opened["device"], &opened["ip_prefix"]), (&json!("Unknown device"), &json!("192.0.0.0/16")));
    assert_eq!((&opened["method"], &rows(&listed)[0]["reason"]), (&json!("otp_email"), &json!("logout")));
}

#[tokio::test]
async fn pages_follow_each_other_without_gap() {
    let auth = Deployment::with(&[("REFRESH_ABSOLUTE_DAYS", "90"), ("JWT_ACCESS_SECONDS", "86400")]).await;
    for _ in 0..60 {
        auth.client().sign_in(ADA).await;
        auth.wait(300);
    }
    let tokens = auth.client().sign_in(ADA).await;
    auth.stack.deliver().await;
    let (mut seen, mut before, mut sizes) = (BTreeSet::new(), None, Vec::new());
    loop {
        let listed = page(auth.client(), &tokens, before.as_deref()).await;
        let ids: Vec<String> = rows(&listed).iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
        assert!(ids.iter().rev().is_sorted());
        sizes.push(ids.len());
        seen.extend(ids);
        match listed["next"].as_str() {
            Some(next) => before = Some(next.to_owned()),
            None => break,
        }
    }
    // A sign-up, 61 opened sessions, and 51 that ended for a newer one.
    assert_eq!((sizes, seen.len()), (vec![50, 50, 13], 113));
}

#[tokio::test]
async fn nobody_sees_the_activity_of_others() {
    let auth = Deployment::start().await;
    let ada = auth.client().sign_in(ADA).await;
    let eve = auth.client().sign_in("eve@example.com").await;
    auth.stack.deliver().await;
    let hers = page(auth.client(), &ada, None).await;
    let next = rows(&hers)[0]["id"].as_str().unwrap();
    for listed in [page(auth.client(), &eve, None).await, page(auth.client(), &eve, Some(next)).await] {
        let session = session_of(&ada.access);
        assert!(!listed.to_string().contains(&session), "{listed}");
    }
    auth.client().logout(&ada.refresh).await.ok();
    auth.client().with_token("GET", ACTIVITY, &ada.access).await.needs_a_token();
    auth.client().get(ACTIVITY).await.needs_a_token();
}

#[tokio::test]
async fn activity_ends_after_its_days() {
    let auth = Deployment::with(&[("ACTIVITY_DAYS", "2")]).await;
    auth.client().sign_in(ADA).await;
    // The stream forgets after a day.
    auth.stack.deliver().await;
    auth.wait(2 * DAY - 1);
    let tokens = auth.client().sign_in(ADA).await;
    auth.stack.deliver().await;
    assert_eq!(rows(&page(auth.client(), &tokens, None).await).len(), 3);
    // DynamoDB has not deleted them yet.
    auth.wait(1);
    assert_eq!(rows(&page(auth.client(), &tokens, None).await).len(), 1);
    auth.wait(1);
    auth.stack.services().sweep_expired().unwrap();
    assert_eq!(auth.items_of("RECORD_TABLE", "A#").len(), 1);
}

#[tokio::test]
async fn a_malformed_place_is_refused() {
    let auth = Deployment::start().await;
    let tokens = auth.client().sign_in_from(ADA, "https://example.org/").await;
    auth.stack.deliver().await;
    for before in ["", "%00", "a%20b", &"1".repeat(129)] {
        let answer = auth.client().with_token("GET", &format!("{ACTIVITY}?before={before}"), &tokens.access).await;
        answer.refused(400, "invalid_request");
    }
    // The user's source is no activity.
    for (before, found) in [("0", 0), ("zzz", 2), ("1767225600.x", 2)] {
        assert_eq!(rows(&page(auth.client(), &tokens, Some(before)).await).len(), found, "{before}");
    }
}
