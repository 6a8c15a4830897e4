//! The published keys are trusted only with the root key's signature.

use serde_json::{Value, json};
use shared::keys::{Ring, RootKey, SigningAlgorithm, public_keys};
use shared::sessions::{AccessPolicy, Issuing, Signer, Subject};
use shared::words::{Level, Tenant, Timestamp};
use tests::client::PROFILE;
use tests::deployment::unverified;
use tests::{Deployment, Tokens};

use crate::algorithms::{ED25519, dated};
use crate::rotate_keys::deployment;

const ADA: &str = "ada@example.com";
const KEYS: &str = "/.well-known/jwks.json";
const ISSUER: &str = "https://auth.example.com";
const STRANGE: &str = "k1";

/// A token like the genuine one, signed with a key of somebody else's.
fn forged(auth: &Deployment, genuine: &Tokens) -> String {
    let claims = unverified(&genuine.access).1;
    let text = |name: &str| claims[name].as_str().unwrap().to_owned();
    let subject = Subject {
        user: text("sub").parse().unwrap(),
        session: text("sid").parse().unwrap(),
        authenticated: Timestamp::from_unix(claims["auth_time"].as_u64().unwrap()),
        level: Level::Code,
        methods: vec!["otp".to_owned()],
    };
    let signer = Signer::new(&dated(SigningAlgorithm::EdDSA, ED25519)).unwrap();
    let (tenant, policy) = (&Tenant::default(), auth.read(AccessPolicy::read));
    let issuing = Issuing { issuer: ISSUER, tenant, jti: "j", lifetime: policy.lifetime, transaction: None };
    signer.sign(&subject, issuing, &policy, auth.stack.clock().now()).unwrap()
}

/// The item with one more key in its set.
fn with_strange_key(item: &Value, now: Timestamp) -> Value {
    let mut set: Value = serde_json::from_str(item["set"]["S"].as_str().unwrap()).unwrap();
    let strange = public_keys(&Ring::new(vec![dated(SigningAlgorithm::EdDSA, ED25519)]), now).unwrap();
    set["keys"].as_array_mut().unwrap().push(json!(strange.keys[0]));
    let mut item = item.clone();
    item["set"]["S"] = json!(set.to_string());
    item
}

fn put(auth: &Deployment, item: &Value) {
    let request = json!({ "TableName": auth.setting("USER_TABLE"), "Item": item });
    auth.stack.services().dynamodb("PutItem", request).unwrap();
}

fn item(auth: &Deployment) -> Value {
    auth.items("JWKS").pop().unwrap()
}

/// Write access to the table is too little for signing: our routes and the JWKS endpoint refuse the key.
#[tokio::test]
async fn a_key_that_somebody_adds_to_the_table_is_neither_published_nor_trusted() {
    let auth = deployment().await;
    let tokens = auth.client().sign_in(ADA).await;
    let forged = forged(&auth, &tokens);
    auth.client().with_token("GET", PROFILE, &forged).await.needs_a_token();
    put(&auth, &with_strange_key(&item(&auth), auth.stack.clock().now()));
    assert!(auth.published().iter().any(|kid| kid == STRANGE), "the key is in the table");

    auth.wait(60);
    auth.client().get(KEYS).await.refused(500, "internal_error");
    auth.client().with_token("GET", PROFILE, &forged).await.needs_a_token();
    auth.client().with_token("GET", PROFILE, &tokens.access).await.ok();
    // The keys from before are used for 15 minutes. Then every request fails.
    auth.wait(840);
    auth.client().with_token("GET", PROFILE, &forged).await.refused(500, "internal_error");
    let logs = auth.stack.logs().join("\n");
    assert!(logs.contains("not signed by the root key"), "{logs}");

    auth.stack.ask_for_keys(&json!({ "mode": "ensure" })).await.unwrap();
    auth.wait(60);
    let set = auth.client().get(KEYS).await.ok();
    assert!(set["keys"].as_array().unwrap().iter().all(|key| key["kid"] != STRANGE), "{set}");
    auth.client().with_token("GET", PROFILE, &tokens.access).await.ok();
}

/// The signature covers the keys, their ends and their version, and only the stack's own root key makes it.
#[tokio::test]
async fn a_changed_item_is_refused_as_a_whole() {
    let auth = deployment().await;
    auth.stack.rotate_keys().await.unwrap();
    let genuine = item(&auth);
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut item = genuine.clone();
        change(&mut item);
        assert_ne!(item, genuine);
        item
    };
    let stranger = RootKey::of_seed([9; 32]);
    let items = [
        changed(&|item| item["sig"]["S"] = json!("")),
        changed(&|item| drop(item.as_object_mut().unwrap().remove("sig"))),
        changed(&|item| item["e"]["M"] = json!({})),
        changed(&|item| item["v"]["S"] = json!("another")),
        changed(&|item| item["set"]["S"] = json!("{\"keys\":[]}")),
        changed(&|item| item["sig"]["S"] = json!(stranger.sign(b"anything").unwrap())),
    ];
    for item in items {
        put(&auth, &item);
        auth.wait(60);
        auth.client().get(KEYS).await.refused(500, "internal_error");
        put(&auth, &genuine);
        auth.client().get(KEYS).await.ok();
    }
}

/// After the root key is withdrawn, the functions wait for a deployment that tells them the new one.
#[tokio::test]
async fn a_withdrawn_root_key_signs_nothing_that_is_trusted() {
    let auth = deployment().await;
    let before = item(&auth);
    let root = auth.signing_keys().root.id().unwrap();
    let answer = auth.stack.revoke(&root).await.unwrap();
    assert_eq!((&answer["revoked"], &answer["keyring"]), (&json!(root), &json!("signing")));
    let after = item(&auth);
    assert_eq!(after["set"], before["set"], "the signing keys stay");
    assert_ne!(after["sig"], before["sig"]);
    assert_eq!(auth.stack.revoke(&root).await.unwrap()["keyring"], "signing");
    assert_eq!(item(&auth)["sig"], after["sig"], "a repeated request changes nothing");
    auth.wait(60);
    auth.client().get(KEYS).await.refused(500, "internal_error");
}
