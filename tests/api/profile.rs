//! The function `profile`: the user of an access token.

use serde_json::{Value, json};
use tests::client::{PROFILE, SOURCES, VERIFY};
use tests::{Deployment, Tokens};

const ADA: &str = "ada@example.com";

#[tokio::test]
async fn the_profile_is_the_user_that_verify_answered_with() {
    let auth = Deployment::start().await;
    for address in ["ada@example.com", "+447400123456"] {
        let asked = auth.client().ask(address).await;
        let signed_in = auth.client().answer(address, &asked).await.ok();
        assert_eq!(signed_in["user"]["is_new_user"], json!(true));
        let mut user = signed_in["user"].clone();
        user["is_new_user"] = json!(false);
        let access = signed_in["tokens"]["access"].as_str().unwrap();
        for path in [PROFILE, PROFILE.trim_end_matches('/')] {
            let answer = auth.client().with_token("GET", path, access).await;
            assert_eq!(answer.headers["cache-control"], "no-store");
            assert_eq!(answer.ok(), user);
        }
    }
}

/// An ended session has no profile, even while its access token is valid. The same holds for a deleted user.
#[tokio::test]
async fn an_ended_session_and_a_deleted_user_have_no_profile() {
    let auth = Deployment::start().await;
    let ended = auth.client().sign_in("ada@example.com").await;
    let living = auth.client().sign_in("ada@example.com").await;
    auth.client().logout(&ended.refresh).await.ok();
    auth.client().with_token("GET", PROFILE, &ended.access).await.needs_a_token();
    let user = auth.client().with_token("GET", PROFILE, &living.access).await.ok();

    auth.delete_item(&format!("U#{}", user["id"].as_str().unwrap()));
    auth.client().with_token("GET", PROFILE, &living.access).await.needs_a_token();
}

async fn sources(auth: &Deployment, tokens: &Tokens) -> Value {
    auth.client().with_token("GET", SOURCES, &tokens.access).await.ok()["sources"].take()
}

/// The sources' own examples.
#[tokio::test]
async fn a_user_sees_where_they_came_from() {
    let auth = Deployment::start().await;
    for (url, source, category) in [
        ("https://dashboard.myapp.com", "Myapp Dashboard", "Dashboard"),
        ("https://myapp.com?utm_source=facebook&utm_campaign=spring", "Facebook", "Facebook - Spring Campaign"),
        ("https://myapp.com/register", "Myapp", "Website Registration"),
    ] {
        let tokens = auth.client().sign_in_from(&format!("p{}@example.com", source.len()), url).await;
        auth.stack.deliver().await;
        let expected = json!([{ "source": source, "category": category, "url": url, "method": "otp_email",
            "time": "2026-01-01T00:00:00Z" }]);
        assert_eq!(sources(&auth, &tokens).await, expected);
    }
}

/// A later sign-in from elsewhere is no source, and neither is a sign-up without a page.
#[tokio::test]
async fn only_a_sign_up_from_a_page_has_a_source() {
    let auth = Deployment::with(&[("ACTIVITY_DAYS", "1")]).await;
    let first = auth.client().sign_in_from(ADA, "https://www.example.org/pricing?email=ada@example.com#ada").await;
    auth.wait(60);
    let second = auth.client().sign_in_from(ADA, "https://example.net/").await;
    let other = auth.client().sign_in_from("bob@example.com", "android-app://com.example").await;
    assert_eq!(sources(&auth, &first).await, json!([]), "the stream has not been read");
    // Batches of a shard come again.
    auth.faults(json!({ "stream": [{ "fault": "duplicate", "times": 20 }] }));
    auth.stack.deliver().await;
    let listed = sources(&auth, &second).await;
    assert_eq!((&listed[0]["url"], listed.as_array().unwrap().len()), (&json!("https://example.org/pricing"), 1));
    assert_eq!(sources(&auth, &other).await, json!([]));
    // They stay longer than the activity.
    auth.wait(3 * 86_400);
    auth.stack.services().sweep_expired().unwrap();
    let tokens = auth.client().sign_in(ADA).await;
    assert_eq!(sources(&auth, &tokens).await, listed);
}

#[tokio::test]
async fn nobody_sees_the_sources_of_others() {
    let auth = Deployment::start().await;
    let ada = auth.client().sign_in_from(ADA, "https://example.org/").await;
    let eve = auth.client().sign_in("eve@example.com").await;
    auth.stack.deliver().await;
    assert_eq!(sources(&auth, &eve).await, json!([]));
    auth.client().logout(&ada.refresh).await.ok();
    auth.client().with_token("GET", SOURCES, &ada.access).await.needs_a_token();
    auth.client().get(SOURCES).await.needs_a_token();
}

/// S186: the page that sends a code is the source only where the deployment says so, and only without `source_url`.
#[tokio::test]
async fn the_referer_is_a_source_only_if_the_setting_is_on() {
    let referer = "https://example.org/register?utm_source=letter";
    let kept = json!("https://example.org?utm_source=letter");
    for (setting, field, header, expected) in [
        ("off", Value::Null, referer, Value::Null),
        ("on", Value::Null, referer, kept.clone()),
        ("on", json!("javascript:alert(1)"), referer, kept),
        ("on", json!("https://example.net/"), referer, json!("https://example.net")),
        ("on", Value::Null, "about:client", Value::Null),
    ] {
        let auth = Deployment::with(&[("SOURCE_FROM_REFERER", setting)]).await;
        let asked = auth.client().ask(ADA).await;
        let body = json!({ "identifier": ADA, "otp_code": asked.code, "challenge_id": asked.challenge,
            "source_url": field });
        let tokens = auth.client().post_with("referer", header, VERIFY, body).await.tokens();
        auth.stack.deliver().await;
        assert_eq!(sources(&auth, &tokens).await[0]["url"], expected, "{setting} {field} {header}");
    }
}
