//! Runs the journeys once against moto, an independent implementation of AWS.
//!
//! `cargo test -p tests --test moto -- http://127.0.0.1:5000` needs an empty moto server at that address. The functions run as in
//! `local`, but call AWS there, and codes are read from the messages it received. Only one client runs at a time, because moto
//! lets two racing writes both succeed and cannot repeat a transaction.

mod aws;

use serde_json::{Value, json};
use tests::authenticator::{SECOND_FACTOR, TOTP};
use tests::client::{REQUEST, VERIFY};
use tests::deployment::{unverified, wrong};
use tests::{Asked, Deployment, Tokens};

use crate::aws::Moto;

const ADA: &str = "ada@example.com";
const PHONE: &str = "+447400123456";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let Some(address) = std::env::args().skip(1).find_map(|word| word.strip_prefix("http://").map(str::to_owned))
    else {
        eprintln!("Where is moto? For example: cargo test -p tests --test moto -- http://127.0.0.1:5000");
        std::process::exit(2);
    };
    let moto = Moto::at(address);
    let settings = moto.prepare().await;
    let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let auth = Deployment::with(&settings).await;

    by_email(&auth, &moto).await;
    println!("moto: a code by email, wrong and right; a new user, a known one; refresh, reuse, logout ... ok");
    by_sms(&auth, &moto).await;
    println!("moto: a code by SMS ... ok");
    with_a_second_factor(&auth, &moto).await;
    println!("moto: an app, a code of it once, a backup code, a step-up, a trusted device, the end of the app ... ok");
    with_new_keys(&auth, &moto).await;
    println!("moto: keys created, published, rotated and revoked ... ok");
    assert!(auth.stack.services().calls().take().is_empty(), "the local stack was called instead");
}

/// Requests a code and reads it from moto's messages.
async fn ask(auth: &Deployment, moto: &Moto, to: &str) -> Asked {
    let answer = auth.client().post(REQUEST, json!({ "identifier": to })).await.ok();
    Asked { challenge: answer["challenge_id"].as_str().unwrap().to_owned(), code: moto.newest_code(to).await }
}

async fn sign_in(auth: &Deployment, moto: &Moto, who: &str) -> Value {
    let asked = ask(auth, moto, who).await;
    auth.client().answer(who, &asked).await.ok()
}

fn tokens(signed_in: &Value) -> (String, String) {
    let token = |name: &str| signed_in["tokens"][name].as_str().unwrap().to_owned();
    (token("access"), token("refresh"))
}

async fn by_email(auth: &Deployment, moto: &Moto) {
    let asked = ask(auth, moto, ADA).await;
    auth.client().answer(ADA, &Asked { code: wrong(&asked.code), ..asked.clone() }).await.refused(400, "invalid_otp");
    let new = auth.client().answer(ADA, &asked).await.ok();
    assert_eq!((&new["is_new_user"], &new["user"]["email"]), (&json!(true), &json!(ADA)));
    auth.client().answer(ADA, &asked).await.refused(400, "invalid_otp");

    let known = sign_in(auth, moto, ADA).await;
    assert_eq!((&known["is_new_user"], &known["user"]["id"]), (&json!(false), &new["user"]["id"]));
    let (_, refresh) = tokens(&known);
    let next = auth.client().refresh(&refresh).await.tokens();
    assert_eq!(auth.client().refresh(&refresh).await.tokens().refresh, next.refresh, "the same successor");
    auth.wait(11);
    auth.client().refresh(&refresh).await.refused(401, "invalid_token");
    auth.client().refresh(&next.refresh).await.refused(401, "invalid_token");

    let (_, first) = tokens(&new);
    auth.client().logout(&first).await.ok();
    auth.client().refresh(&first).await.refused(401, "invalid_token");
}

async fn by_sms(auth: &Deployment, moto: &Moto) {
    let asked = ask(auth, moto, PHONE).await;
    let body = json!({ "phone_number": PHONE, "otp": asked.code, "challenge_id": asked.challenge });
    let new = auth.client().post(VERIFY, body).await.ok();
    assert_eq!((&new["user"]["phone"], &new["user"]["phone_verified"]), (&json!(PHONE), &json!(true)));
    let known = sign_in(auth, moto, PHONE).await;
    assert_eq!(known["user"]["id"], new["user"]["id"]);
}

async fn with_a_second_factor(auth: &Deployment, moto: &Moto) {
    const GRACE: &str = "grace@example.com";
    let client = auth.client();
    let (access, refresh) = tokens(&sign_in(auth, moto, GRACE).await);
    let enrolled = client.enrol_in(&Tokens { access, refresh }).await;
    let due = async || sign_in(auth, moto, GRACE).await["challenge_id"].as_str().unwrap().to_owned();

    let (first, code) = (due().await, enrolled.app.code(auth));
    let body = json!({ "challenge_id": first, "method": "totp", "code": code, "trust_device": true });
    let signed_in = client.post(SECOND_FACTOR, body).await.ok();
    client.second_step(&due().await, "totp", &code).await.refused(400, "invalid_otp");
    let used = client.second_step(&due().await, "backup_code", &enrolled.backup_codes[0]).await.ok();
    assert_eq!(used["backup_codes_left"], json!(7));
    client.second_step(&due().await, "backup_code", &enrolled.backup_codes[0]).await.refused(400, "invalid_otp");

    auth.wait(30);
    let asked = ask(auth, moto, GRACE).await;
    let body = json!({ "identifier": GRACE, "otp_code": asked.code, "challenge_id": asked.challenge,
        "trusted_device": signed_in["trusted_device"] });
    let (access, refresh) = tokens(&client.post(VERIFY, body).await.ok());
    let stepped = client.step_up_with(&Tokens { access, refresh }, &enrolled.app).await;
    client.delete_as(&stepped.access, &format!("{TOTP}{}/", enrolled.id)).await.ok();
    assert!(sign_in(auth, moto, GRACE).await["tokens"].is_object());
}

async fn with_new_keys(auth: &Deployment, moto: &Moto) {
    auth.wait(3_600);
    let before = sign_in(auth, moto, ADA).await;
    let (access, refresh) = tokens(&before);
    auth.stack.rotate_keys().await.unwrap();
    let published = published(auth).await;
    assert_eq!(published.len(), 2, "the new key is published before it signs");
    auth.wait(3 * 3_600);
    let after = auth.client().refresh(&refresh).await.tokens();
    let (old, new) = (unverified(&access).0["kid"].clone(), unverified(&after.access).0["kid"].clone());
    assert!(old != new && published.contains(&new), "{published:?}");

    auth.stack.revoke(new.as_str().unwrap()).await.unwrap();
    auth.wait(15 * 60);
    let fresh = auth.client().refresh(&after.refresh).await.tokens();
    assert_ne!(unverified(&fresh.access).0["kid"], new);
    assert!(!self::published(auth).await.contains(&new), "a revoked key is still published");
}

async fn published(auth: &Deployment) -> Vec<Value> {
    let set = auth.client().get("/.well-known/jwks.json").await.ok();
    set["keys"].as_array().unwrap().iter().map(|key| key["kid"].clone()).collect()
}
