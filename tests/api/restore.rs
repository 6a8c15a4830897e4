//! A restore of the users' table from a backup: ended sessions and withdrawn keys stay away.

use serde_json::json;

use crate::rotate_keys::deployment;

const ADA: &str = "ada@example.com";
/// After this time, a running function has read the keyring again.
const FRESH: u64 = 300;

/// The runbook "Restore from a backup", with the backup of a moment before a sign-out and a leak.
#[tokio::test]
async fn a_restore_brings_back_no_session_and_no_key() {
    let auth = deployment().await;
    let tokens = auth.client().sign_in(ADA).await;
    let leaked = auth.published().remove(0);
    let backup = auth.items("");
    auth.wait(60);
    auth.client().logout_everywhere(&tokens.refresh).await.ok();
    auth.stack.revoke(&leaked).await.unwrap();
    auth.wait(FRESH);
    auth.client().refresh(&tokens.refresh).await.refused(401, "invalid_token");

    // The backup has both again.
    auth.restore("USER_TABLE", &backup);
    assert!(auth.published().contains(&leaked));
    auth.client().refresh(&tokens.refresh).await.ok();

    auth.restore("USER_TABLE", &backup);
    let answer = auth.stack.ask_for_keys(&json!({ "mode": "restore" })).await.unwrap();
    assert_eq!(answer["restored_at"], json!(auth.stack.clock().now().unix()));
    assert!(!auth.published().contains(&leaked));
    auth.wait(FRESH);
    auth.client().refresh(&tokens.refresh).await.refused(401, "invalid_token");

    // A new sign-in works, and an old token cannot end it.
    let again = auth.client().sign_in(ADA).await;
    auth.client().logout_everywhere(&tokens.refresh).await.ok();
    let again = auth.client().refresh(&again.refresh).await.tokens();

    // A rotation keeps the epoch.
    auth.stack.rotate_keys().await.unwrap();
    auth.wait(FRESH);
    auth.client().refresh(&tokens.refresh).await.refused(401, "invalid_token");
    auth.client().refresh(&again.refresh).await.ok();
}
