//! The function `profile`: the user of an access token.

use serde_json::json;
use tests::Deployment;
use tests::client::PROFILE;

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
