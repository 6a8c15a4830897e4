//! Changes of second factors, trusted devices and policies (S96, S97, S98, S280).

use std::collections::BTreeSet;
use std::io::Cursor;

use axum::body::Bytes;
use axum::http::Request;
use data_encoding::BASE64;
use local::Options;
use local_aws::StackClock;
use png::{BitDepth, ColorType};
use qrcodegen::{QrCode, QrCodeEcc};
use serde_json::{Value, json};
use shared::words::Timestamp;
use tests::authenticator::{
    BACKUP_CODES, CONFIRM, FACTORS, SECOND_FACTOR, STEP_UP, STEP_UP_OPTIONS, TOTP, TRUSTED_DEVICES,
};
use tests::browser::{CHALLENGE_COOKIE, DEVICE_COOKIE, REFRESH_COOKIE};
use tests::client::{REQUEST, SESSIONS, VERIFY};
use tests::deployment::{START, session_of, unverified, wrong};
use tests::{Answer, Asked, Authenticator, Client, Deployment, Enrolled, Tokens};

use crate::algorithms::Folder;
use crate::freshness::needs_step_up;
use crate::workspace::read;

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";
const PHONE: &str = "+447400123456";
const PAGE: &str = "http://localhost:3000";
const TRUSTED_COOKIE: &str = "__Host-trusted";
const HOUR: u64 = 3_600;
const DAY: u64 = 86_400;

/// Every user needs a second factor from the sign-up on.
const REQUIRED: [(&str, &str); 2] = [("SECOND_FACTOR", "required"), ("SECOND_FACTOR_GRACE_DAYS", "0")];
const BY_FACTOR: [&str; 2] = ["totp", "backup_code"];

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value}")).to_owned()
}

/// Answers with a new code and with other fields.
async fn answer(client: Client<'_>, who: &str, fields: Value) -> Answer {
    let asked = client.ask(who).await;
    let mut body = json!({ "identifier": who, "otp_code": asked.code, "challenge_id": asked.challenge });
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    client.post(VERIFY, body).await
}

/// Whether a sign-in with these fields is asked for a second factor. Otherwise it has a session.
async fn is_asked(client: Client<'_>, who: &str, fields: Value) -> bool {
    let body = answer(client, who, fields).await.ok();
    assert_ne!(body["tokens"].is_object(), body["second_factor_required"] == true, "{body}");
    body["second_factor_required"] == true
}

/// Signs in with both steps and trusts the device: the tokens, and the token of the device. The app's next code is half a minute away.
async fn trust(auth: &Deployment, who: &str, app: &Authenticator) -> (Tokens, String) {
    let challenge = auth.client().first_step(who).await;
    let body = json!({ "challenge_id": challenge, "method": "totp", "code": app.code(auth), "trust_device": true });
    let answer = auth.client().post(SECOND_FACTOR, body).await;
    auth.wait(30);
    let trusted = text(&answer.body["trusted_device"]);
    (answer.tokens(), trusted)
}

fn path_of(enrolled: &Enrolled) -> String {
    format!("{TOTP}{}/", enrolled.id)
}

async fn factors(auth: &Deployment, tokens: &Tokens) -> Value {
    auth.client().with_token("GET", FACTORS, &tokens.access).await.ok()
}

/// What the table says about its only user.
#[derive(Debug, PartialEq)]
struct Stored {
    has_since: bool,
    apps: usize,
    backup_codes: BTreeSet<String>,
    epoch: u64,
    sessions: BTreeSet<String>,
}

fn stored(auth: &Deployment) -> Stored {
    let (user, factors) = (auth.items("U#").remove(0), auth.items("F#").pop().unwrap_or_default());
    let keys = |value: &Value| value["M"].as_object().into_iter().flat_map(|map| map.keys().cloned()).collect();
    let apps: BTreeSet<String> = keys(&factors["tt"]);
    Stored {
        has_since: user["2f"].is_object(),
        apps: apps.len(),
        backup_codes: keys(&factors["bk"]),
        epoch: user["ep"]["N"].as_str().map_or(0, |epoch| epoch.parse().unwrap()),
        sessions: keys(&user["ss"]),
    }
}

/// A deployment with its data in this folder, `seconds` after its first start.
async fn later(folder: &Folder, settings: &[(&str, &str)], seconds: u64) -> Deployment {
    let always =
        [("JWT_ALGORITHM", "ES256"), ("AWS_ATTEMPT_TIMEOUT_MS", "20000"), ("AWS_OPERATION_TIMEOUT_MS", "25000")];
    let env = always.iter().chain(settings).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let options = Options {
        data: Some(folder.0.clone()),
        env: env.collect(),
        clock: StackClock::frozen_at(Timestamp::from_unix(START + seconds)),
        ..Options::default()
    };
    Deployment::run(options).await.unwrap()
}

/// S96: thirty days, to the second, in the body and as a cookie. The session is of the first level.
#[tokio::test]
async fn s96_a_trusted_device_needs_no_second_factor_for_thirty_days() {
    let auth = Deployment::start().await;
    let enrolled = auth.client().enrol(ADA).await;
    let begun = auth.now();
    let (_, trusted) = trust(&auth, ADA, &enrolled.app).await;
    let mut browser = auth.client().browser(PAGE);
    auth.wait(HOUR);
    let code = browser.ask(ADA).await;
    let due = browser.answer(ADA, &code).await.ok();
    assert_eq!((&due["second_factor_required"], &due["challenge_id"]), (&json!(true), &Value::Null));
    let body = json!({ "method": "totp", "code": enrolled.app.code(&auth), "trust_device": true });
    let signed_in = browser.post(SECOND_FACTOR, body).await.ok();
    assert!(signed_in["trusted_device"].is_null(), "{signed_in}");
    assert_eq!(browser.cookies[TRUSTED_COOKIE].1, 30 * DAY);
    let trusting = browser.clone();

    auth.wait(HOUR);
    let fields = || json!({ "trusted_device": trusted });
    let tokens = answer(auth.client(), ADA, fields()).await.tokens();
    let (_, claims) = unverified(&tokens.access);
    assert_eq!((&claims["acr"], &claims["amr"]), (&json!("1f"), &json!(["otp"])));
    assert!(browser.sign_in(ADA).await["tokens"].is_object());
    assert!(is_asked(auth.client(), ADA, json!({})).await, "another client is trusted");

    auth.wait(begun + 30 * DAY - 1 - auth.now());
    assert!(!is_asked(auth.client(), ADA, fields()).await);
    auth.wait(1);
    assert!(is_asked(auth.client(), ADA, fields()).await);
    auth.wait(HOUR - 1);
    let mut browser = trusting.clone();
    assert!(browser.sign_in(ADA).await["tokens"].is_object());
    auth.wait(HOUR);
    let mut browser = trusting;
    assert_eq!(browser.sign_in(ADA).await["second_factor_required"], true);
}

/// S96: a deployment without trust gives out no token.
#[tokio::test]
async fn a_deployment_may_trust_no_device() {
    let auth = Deployment::with(&[("TRUSTED_DEVICE_DAYS", "0")]).await;
    let enrolled = auth.client().enrol(ADA).await;
    let challenge = auth.client().first_step(ADA).await;
    let body =
        json!({ "challenge_id": challenge, "method": "totp", "code": enrolled.app.code(&auth), "trust_device": true });
    let signed_in = auth.client().post(SECOND_FACTOR, body).await.ok();
    assert!(signed_in["tokens"].is_object() && signed_in["trusted_device"].is_null(), "{signed_in}");
}

/// S96: a thief of the token alone has nothing.
#[tokio::test]
async fn s96_a_trusted_device_still_needs_a_code() {
    let auth = Deployment::start().await;
    let enrolled = auth.client().enrol(ADA).await;
    let (_, trusted) = trust(&auth, ADA, &enrolled.app).await;
    let sessions = stored(&auth).sessions;
    auth.wait(HOUR);
    let asked = auth.client().ask(ADA).await;
    let body = |code: &str| json!({ "identifier": ADA, "otp_code": code, "challenge_id": asked.challenge, "trusted_device": trusted });
    let client = auth.client();
    let without = json!({ "identifier": ADA, "challenge_id": asked.challenge, "trusted_device": trusted });
    client.post(VERIFY, without).await.refused(400, "invalid_request");
    client.post(VERIFY, body(&wrong(&asked.code))).await.refused(400, "invalid_otp");
    assert_eq!(stored(&auth).sessions, sessions);
    client.post(VERIFY, body(&asked.code)).await.tokens();
    client.post(VERIFY, body(&asked.code)).await.refused(400, "invalid_otp");
}

/// S96: the token of one user says nothing about another one, and neither does a forged one.
#[tokio::test]
async fn s96_a_trusted_device_is_of_one_user() {
    let auth = Deployment::start().await;
    let (ada, bob) = (auth.client().enrol(ADA).await, auth.client().enrol(BOB).await);
    let (_, adas) = trust(&auth, ADA, &ada.app).await;
    let (_, bobs) = trust(&auth, BOB, &bob.app).await;
    auth.wait(HOUR);
    assert!(is_asked(auth.client(), BOB, json!({ "trusted_device": adas })).await);
    assert!(is_asked(auth.client(), ADA, json!({ "trusted_device": bobs })).await);
    for forged in [json!(""), json!("v1.AAAAAAAAAAAAAAAAAAAAAA"), json!(wrong(&adas)), json!(null)] {
        auth.wait(HOUR);
        assert!(is_asked(auth.client(), ADA, json!({ "trusted_device": forged })).await, "{forged}");
    }
    auth.wait(HOUR);
    assert!(!is_asked(auth.client(), ADA, json!({ "trusted_device": adas })).await);
    assert!(!is_asked(auth.client(), BOB, json!({ "trusted_device": bobs })).await);
}

/// S96: one device, or all. Nobody ends the trust of somebody else.
#[tokio::test]
async fn s96_a_trusted_device_can_be_ended() {
    let auth = Deployment::start().await;
    let (ada, bob) = (auth.client().enrol(ADA).await, auth.client().enrol(BOB).await);
    let (_, first) = trust(&auth, ADA, &ada.app).await;
    auth.wait(HOUR);
    let (tokens, second) = trust(&auth, ADA, &ada.app).await;
    let bobs = auth.client().sign_in_with(BOB, &bob.app).await;

    let list = Request::get(FACTORS).header("authorization", format!("Bearer {}", tokens.access));
    let list = list.header("origin", PAGE).header("cookie", format!("{TRUSTED_COOKIE}={first}"));
    let listed = auth.client().send(list.body(Bytes::new()).unwrap()).await.ok();
    let devices = listed["trusted_devices"].as_array().unwrap().clone();
    let currents: Vec<_> = devices.iter().map(|device| device["current"].clone()).collect();
    assert_eq!(currents, [json!(true), json!(false)], "{listed}");
    assert!(!listed.to_string().contains(&first[3..]), "the list has a token");
    let path = format!("{TRUSTED_DEVICES}{}/", text(&devices[0]["id"]));

    auth.client().delete_as(&bobs.access, &path).await.ok();
    auth.client().delete_as(&bobs.access, TRUSTED_DEVICES).await.ok();
    assert_eq!(factors(&auth, &tokens).await["trusted_devices"].as_array().unwrap().len(), 2);
    auth.client().delete_as(&tokens.access, &path).await.ok();
    auth.client().delete_as(&tokens.access, &path).await.ok();
    auth.wait(480);
    assert!(is_asked(auth.client(), ADA, json!({ "trusted_device": first })).await);
    assert!(!is_asked(auth.client(), ADA, json!({ "trusted_device": second })).await);

    auth.wait(HOUR);
    let (tokens, third) = trust(&auth, ADA, &ada.app).await;
    auth.client().delete_as(&tokens.access, TRUSTED_DEVICES).await.ok();
    assert_eq!(factors(&auth, &tokens).await["trusted_devices"], json!([]));
    for ended in [second, third] {
        auth.wait(HOUR);
        assert!(is_asked(auth.client(), ADA, json!({ "trusted_device": ended })).await);
    }
}

/// S96: signing out everywhere ends the trust in all devices.
#[tokio::test]
async fn a_sign_out_everywhere_ends_the_trust() {
    let auth = Deployment::start().await;
    let enrolled = auth.client().enrol(ADA).await;
    let (tokens, trusted) = trust(&auth, ADA, &enrolled.app).await;
    auth.client().logout_everywhere(&tokens.refresh).await.ok();
    auth.wait(HOUR);
    assert!(is_asked(auth.client(), ADA, json!({ "trusted_device": trusted })).await);
}

/// S96: the trust only replaces the second factor of a sign-in.
#[tokio::test]
async fn s96_a_trusted_device_confirms_no_step_up() {
    let auth = Deployment::start().await;
    let enrolled = auth.client().enrol(ADA).await;
    let (_, trusted) = trust(&auth, ADA, &enrolled.app).await;
    auth.wait(HOUR);
    let client = auth.client();
    let tokens = answer(client, ADA, json!({ "trusted_device": trusted })).await.tokens();
    needs_step_up(&client.delete_as(&tokens.access, &path_of(&enrolled)).await, "2f", 600, &BY_FACTOR);
    let options = json!({ "trusted_device": trusted });
    let options = client.post_as(&tokens.access, STEP_UP_OPTIONS, options).await.ok();
    assert_eq!(options["methods"], json!(BY_FACTOR));
    for (method, code, error) in [
        ("totp", Some(enrolled.app.wrong(&auth)), "invalid_otp"),
        ("totp", None, "invalid_request"),
        ("backup_code", None, "invalid_request"),
        ("enrolled", None, "invalid_otp"),
        ("trusted_device", None, "invalid_request"),
    ] {
        let body = json!({ "challenge_id": options["challenge_id"], "method": method, "code": code,
            "trusted_device": trusted });
        client.post_as(&tokens.access, STEP_UP, body).await.refused(400, error);
    }
    needs_step_up(&client.delete_as(&tokens.access, &path_of(&enrolled)).await, "2f", 600, &BY_FACTOR);
    let tokens = client.step_up_with(&tokens, &enrolled.app).await;
    client.delete_as(&tokens.access, &path_of(&enrolled)).await.ok();
}

/// S96, V76: also after the user has removed all factors and added others.
#[tokio::test]
async fn s96_every_change_of_factors_ends_the_trust() {
    let auth = Deployment::start().await;
    let client = auth.client();
    let enrolled = client.enrol(ADA).await;
    let mut second = None;
    for change in ["another app", "new backup codes", "one app fewer", "all anew"] {
        auth.wait(HOUR);
        let (tokens, trusted) = trust(&auth, ADA, &enrolled.app).await;
        auth.wait(300);
        assert!(!is_asked(client, ADA, json!({ "trusted_device": trusted })).await, "{change}");
        match change {
            "another app" => second = Some(client.enrol_in(&tokens).await),
            "new backup codes" => drop(client.post_as(&tokens.access, BACKUP_CODES, json!({})).await.ok()),
            "one app fewer" => drop(client.delete_as(&tokens.access, &path_of(second.as_ref().unwrap())).await.ok()),
            _ => {
                client.delete_as(&tokens.access, &path_of(&enrolled)).await.ok();
                client.enrol_in(&tokens).await;
            }
        }
        assert_eq!(factors(&auth, &tokens).await["trusted_devices"], json!([]), "{change}");
        auth.wait(HOUR);
        assert!(is_asked(client, ADA, json!({ "trusted_device": trusted })).await, "{change}");
    }
}

/// S97, V75: with each change, all other sessions end, and so does every sign-in that waits for its second factor.
#[tokio::test]
async fn s97_a_change_of_factors_ends_all_other_sessions() {
    let auth = Deployment::start().await;
    let client = auth.client();
    let (here, there) = (client.sign_in(ADA).await, client.sign_in(ADA).await);
    let enrolled = client.enrol_in(&here).await;
    assert_eq!(auth.live(&mut [there.clone()]).await, 0);
    client.with_token("GET", SESSIONS, &there.access).await.needs_a_token();
    let mut tokens = [here];
    assert_eq!(auth.live(&mut tokens).await, 1);
    let [mut tokens] = tokens;

    let mut second = None;
    for change in ["another app", "new backup codes", "one app fewer", "the last app"] {
        auth.wait(HOUR);
        tokens = client.refresh(&tokens.refresh).await.tokens();
        let there = client.sign_in_with(ADA, &enrolled.app).await;
        auth.wait(480);
        tokens = client.step_up_with(&tokens, &enrolled.app).await;
        let waiting = client.first_step(ADA).await;
        match change {
            "another app" => second = Some(client.enrol_in(&tokens).await),
            "new backup codes" => drop(client.post_as(&tokens.access, BACKUP_CODES, json!({})).await.ok()),
            "one app fewer" => drop(client.delete_as(&tokens.access, &path_of(second.as_ref().unwrap())).await.ok()),
            _ => drop(client.delete_as(&tokens.access, &path_of(&enrolled)).await.ok()),
        }
        assert_eq!(stored(&auth).sessions, BTreeSet::from([session_of(&tokens.access)]), "{change}");
        assert_eq!(auth.live(&mut [there.clone()]).await, 0, "{change}");
        client.with_token("GET", SESSIONS, &there.access).await.needs_a_token();
        client.with_token("GET", SESSIONS, &tokens.access).await.ok();
        client.second_step(&waiting, "totp", &enrolled.app.code(&auth)).await.refused(400, "invalid_otp");
    }
}

/// The subjects of notices about factors to ADA, oldest first.
fn told(auth: &Deployment) -> Vec<String> {
    let subjects = auth.stack.inbox().messages(Some(ADA)).into_iter().rev().filter_map(|message| message.subject);
    subjects.filter(|subject| subject.contains("second factor") || subject.contains("Second factor")).collect()
}

/// S97: the mail comes with the change, and a change stays if its mail fails.
#[tokio::test]
async fn s97_a_change_of_factors_is_told_by_mail() {
    const ADDED: &str = "New second factor for Latchkey";
    const REMOVED: &str = "Second factor removed from Latchkey";
    let auth = Deployment::start().await;
    let client = auth.client();
    let tokens = client.sign_in(ADA).await;
    client.post_as(&tokens.access, TOTP, json!({})).await.ok();
    assert_eq!(told(&auth), Vec::<String>::new(), "a secret that is not confirmed changes nothing");
    let enrolled = client.enrol_in(&tokens).await;
    assert_eq!(told(&auth), [ADDED]);
    let newest = auth.stack.inbox().messages(Some(ADA)).remove(0);
    assert!(newest.text.contains("remove it now"), "{}", newest.text);

    let tokens = client.step_up_with(&tokens, &enrolled.app).await;
    client.post_as(&tokens.access, BACKUP_CODES, json!({})).await.ok();
    assert_eq!(told(&auth), [ADDED, ADDED]);
    client.delete_as(&tokens.access, &path_of(&enrolled)).await.ok();
    assert_eq!(told(&auth), [ADDED, ADDED, REMOVED]);
    client.delete_as(&tokens.access, &path_of(&enrolled)).await.ok();
    assert_eq!(told(&auth), [ADDED, ADDED, REMOVED], "an app that is gone is told once");

    auth.faults(json!({ "delivery": "refused" }));
    let again = client.enrol_in(&tokens).await;
    auth.faults(json!({}));
    assert_eq!((told(&auth).len(), stored(&auth).apps), (3, 1));
    assert!(auth.stack.logs().iter().any(|line| line.contains("notice_failed")), "the failure is not in the log");
    auth.wait(HOUR);
    client.sign_in_with(ADA, &again.app).await;

    // A user with a phone only gets no text.
    let before = auth.messages_to(PHONE);
    client.enrol(PHONE).await;
    assert_eq!(auth.messages_to(PHONE), before + 1);
}

/// S97: both items change in one transaction. A fault leaves all of a change or nothing.
#[tokio::test]
async fn s97_a_change_after_a_crash_is_whole_or_absent() {
    for change in ["add", "renew", "remove"] {
        for (when, times, is_done, is_answered) in [
            ("before", 9, false, false),
            ("after", 9, true, false),
            ("before", 1, true, true),
            ("after", 1, true, true),
        ] {
            let auth = Deployment::start().await;
            let client = auth.client();
            let mut tokens = client.sign_in(ADA).await;
            let mut app = None;
            if change != "add" {
                let enrolled = client.enrol_in(&tokens).await;
                tokens = client.step_up_with(&tokens, &enrolled.app).await;
                client.sign_in_with(ADA, &enrolled.app).await;
                app = Some(enrolled);
            } else {
                client.sign_in(ADA).await;
            }
            let begun = client.post_as(&tokens.access, TOTP, json!({})).await.ok();
            let before = stored(&auth);
            assert_eq!(before.sessions.len(), 2);
            let fault = json!({ "service": "dynamodb", "operation": "TransactWriteItems",
                "error": "InternalServerError", "when": when, "times": times });
            auth.faults(json!({ "aws": [fault] }));
            let answer = match change {
                "add" => {
                    let code = Authenticator::of(begun["secret"].as_str().unwrap()).code(&auth);
                    let body = json!({ "factor_id": begun["factor_id"], "code": code });
                    client.post_as(&tokens.access, CONFIRM, body).await
                }
                "renew" => client.post_as(&tokens.access, BACKUP_CODES, json!({})).await,
                _ => client.delete_as(&tokens.access, &path_of(app.as_ref().unwrap())).await,
            };
            auth.faults(json!({}));
            let of = format!("{change} {when} {times}");
            match is_answered {
                true => drop(answer.ok()),
                false => answer.refused(503, "unavailable"),
            }
            let after = stored(&auth);
            if is_done {
                assert_eq!(after.epoch, before.epoch + 1, "{of}");
                assert_eq!(after.sessions, BTreeSet::from([session_of(&tokens.access)]), "{of}");
                assert_eq!((after.has_since, after.apps > 0), (change != "remove", change != "remove"), "{of}");
                assert_ne!(after.backup_codes, before.backup_codes, "{of}");
            } else {
                assert_eq!(after, before, "{of}");
            }
            // The user goes on as the table says.
            auth.wait(HOUR);
            assert_eq!(is_asked(client, ADA, json!({})).await, after.has_since, "{of}");
        }
    }
}

/// The steps of an enrolment at sign-in, after the right code: the app, and the challenge that opens the session.
async fn enrol_at_sign_in(auth: &Deployment, challenge: &str) -> (Authenticator, String) {
    let client = auth.client();
    let begun = client.post(TOTP, json!({ "challenge_id": challenge })).await.ok();
    let app = Authenticator::of(begun["secret"].as_str().unwrap());
    let body = |code: String| json!({ "factor_id": begun["factor_id"], "code": code, "challenge_id": challenge });
    // The user sees the secret, so wrong codes are free.
    for _ in 0..12 {
        client.post(CONFIRM, body(app.wrong(auth))).await.refused(400, "invalid_otp");
    }
    let added = client.post(CONFIRM, body(app.code(auth))).await.ok();
    assert_eq!((added["backup_codes"].as_array().unwrap().len(), &added["expires_in"]), (8, &json!(300)));
    auth.wait(30);
    (app, text(&added["challenge_id"]))
}

/// Signs in where a factor has to be set up first: the challenge of the enrolment.
async fn must_enrol(client: Client<'_>, who: &str) -> String {
    let refused = answer(client, who, json!({})).await;
    refused.refused(403, "enrolment_required");
    assert_eq!((&refused.body["methods"], &refused.body["expires_in"]), (&json!(["totp"]), &json!(900)));
    for name in ["user", "tokens", "device"] {
        assert!(refused.body[name].is_null(), "{}", refused.body);
    }
    assert!(!refused.headers.contains_key("set-cookie"));
    text(&refused.body["challenge_id"])
}

/// S98: at a sign-up and at a sign-in. No session exists before.
#[tokio::test]
async fn s98_a_required_factor_is_set_up_at_sign_in() {
    let auth = Deployment::with(&REQUIRED).await;
    let client = auth.client();
    // A sign-up that was not finished has a user, who enrols at the next sign-in.
    for (who, attempts, is_new) in [(ADA, 1, true), (BOB, 2, false)] {
        let mut challenge = String::new();
        for _ in 0..attempts {
            challenge = must_enrol(client, who).await;
        }
        let sessions = auth.items("S#").len();
        let (app, enrolled) = enrol_at_sign_in(&auth, &challenge).await;
        assert_eq!(auth.items("S#").len(), sessions, "a session before the second factor");
        let body = json!({ "challenge_id": enrolled, "method": "enrolled" });
        let signed_in = client.post(SECOND_FACTOR, body.clone()).await.ok();
        assert_eq!(signed_in["is_new_user"], json!(is_new), "{who}");
        let (_, claims) = unverified(signed_in["tokens"]["access"].as_str().unwrap());
        assert_eq!((&claims["acr"], &claims["amr"]), (&json!("2f"), &json!(["otp", "mfa"])));
        client.post(SECOND_FACTOR, body).await.refused(400, "invalid_otp");
        auth.wait(HOUR);
        client.sign_in_with(who, &app).await;
    }
}

/// S98: in cookie mode, the ids of all steps are in the cookie.
#[tokio::test]
async fn s98_a_browser_sets_a_required_factor_up_at_sign_in() {
    let auth = Deployment::with(&REQUIRED).await;
    let mut browser = auth.client().browser(PAGE);
    let code = browser.ask(ADA).await;
    let refused = browser.answer(ADA, &code).await;
    refused.refused(403, "enrolment_required");
    assert!(refused.body["challenge_id"].is_null(), "{}", refused.body);
    assert_eq!((browser.names(), browser.cookies[CHALLENGE_COOKIE].1), (vec![CHALLENGE_COOKIE], 900));
    let begun = browser.post(TOTP, json!({})).await.ok();
    let app = Authenticator::of(begun["secret"].as_str().unwrap());
    let body = json!({ "factor_id": begun["factor_id"], "code": app.code(&auth) });
    let added = browser.post(CONFIRM, body).await.ok();
    assert!(added["challenge_id"].is_null() && added["backup_codes"].is_array(), "{added}");
    assert_eq!((browser.names(), auth.items("S#").len()), (vec![CHALLENGE_COOKIE], 0));
    let signed_in = browser.post(SECOND_FACTOR, json!({ "method": "enrolled" })).await.ok();
    assert!(signed_in["tokens"]["refresh"].is_null() && signed_in["device"].is_null(), "{signed_in}");
    assert_eq!(browser.names(), [DEVICE_COOKIE, REFRESH_COOKIE]);
    browser.refresh().await.ok();
}

/// S98, V77: an enrolment adds a first factor of its own user, once.
#[tokio::test]
async fn s98_an_enrolment_opens_nothing_else() {
    let auth = Deployment::with(&REQUIRED).await;
    let client = auth.client();
    let challenge = must_enrol(client, ADA).await;
    for (method, code) in [("enrolled", None), ("totp", Some("000000")), ("backup_code", Some("0".repeat(24).as_str()))]
    {
        let body = json!({ "challenge_id": challenge, "method": method, "code": code });
        client.post(SECOND_FACTOR, body).await.refused(400, "invalid_otp");
    }
    let body = json!({ "identifier": ADA, "otp_code": "123456", "challenge_id": challenge });
    client.post(VERIFY, body).await.refused(400, "invalid_otp");
    client.refresh(&challenge).await.refused(401, "invalid_token");
    for (method, path) in [("GET", FACTORS), ("POST", BACKUP_CODES), ("DELETE", TRUSTED_DEVICES), ("GET", SESSIONS)] {
        let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        let request = request.header("origin", PAGE).header("cookie", format!("{CHALLENGE_COOKIE}={challenge}"));
        let body = if method == "POST" { "{}" } else { "" };
        client.send(request.body(Bytes::from(body)).unwrap()).await.needs_a_token();
        let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        let request = request.header("authorization", format!("Bearer {challenge}"));
        client.send(request.body(Bytes::from(body)).unwrap()).await.needs_a_token();
    }
    assert!(auth.items("S#").is_empty());

    // Of two enrolments of one user, the first one counts.
    let other = must_enrol(client, ADA).await;
    let others = client.post(TOTP, json!({ "challenge_id": other })).await.ok();
    let (app, enrolled) = enrol_at_sign_in(&auth, &challenge).await;
    let code = Authenticator::of(others["secret"].as_str().unwrap()).code(&auth);
    let confirmation = |id: &str| json!({ "factor_id": others["factor_id"], "code": code, "challenge_id": id });
    for used in [&challenge, &other, &enrolled] {
        client.post(TOTP, json!({ "challenge_id": used })).await.refused(400, "invalid_otp");
        client.post(CONFIRM, confirmation(used)).await.refused(400, "invalid_otp");
    }
    for method in ["totp", "backup_code"] {
        let code = if method == "totp" { app.code(&auth) } else { "0".repeat(24) };
        client.second_step(&enrolled, method, &code).await.refused(400, "invalid_otp");
    }
    let body = json!({ "challenge_id": other, "method": "enrolled" });
    client.post(SECOND_FACTOR, body).await.refused(400, "invalid_otp");
    assert_eq!((stored(&auth).apps, auth.items("S#").len()), (1, 0));

    // Neither does a sign-in that waits for the factor add another one, or one that is over.
    auth.wait(HOUR);
    let due = client.first_step(ADA).await;
    client.post(TOTP, json!({ "challenge_id": due })).await.refused(400, "invalid_otp");
    let body = json!({ "challenge_id": due, "method": "enrolled" });
    client.post(SECOND_FACTOR, body).await.refused(400, "invalid_otp");
    let bobs = must_enrol(client, BOB).await;
    auth.wait(900);
    client.post(TOTP, json!({ "challenge_id": bobs })).await.refused(400, "invalid_otp");
    assert!(auth.items("S#").is_empty());
}

/// S98: `off` asks nobody, and keeps the factors. A deployment that switches them on again asks at once.
#[tokio::test]
async fn s98_off_asks_nobody() {
    let folder = Folder::new("factors-off");
    let on = later(&folder, &[("SECOND_FACTOR", "optional")], 0).await;
    let enrolled = on.client().enrol(ADA).await;
    let kept = on.items("F#");
    on.stack.stop().await;

    let off = later(&folder, &[("SECOND_FACTOR", "off")], HOUR).await;
    let tokens = off.client().sign_in(ADA).await;
    assert_eq!(unverified(&tokens.access).1["acr"], json!("1f"));
    off.client().with_token("DELETE", SESSIONS, &tokens.access).await.ok();
    let options = off.client().post_as(&tokens.access, STEP_UP_OPTIONS, json!({})).await.ok();
    assert_eq!(options["methods"], json!(["otp"]));
    off.client().with_token("GET", FACTORS.trim_end_matches('/'), &tokens.access).await.refused(404, "not_found");
    off.client().post_as(&tokens.access, TOTP.trim_end_matches('/'), json!({})).await.refused(404, "not_found");
    assert_eq!(off.items("F#"), kept);
    off.stack.stop().await;

    let on = later(&folder, &[("SECOND_FACTOR", "optional")], 2 * HOUR).await;
    on.client().sign_in_with(ADA, &enrolled.app).await;
    on.stack.stop().await;
}

/// S98: the grace period is each user's own. Further sign-ins leave its end where it is.
#[tokio::test]
async fn s98_the_grace_period_begins_with_the_first_sign_in() {
    let folder = Folder::new("grace");
    let optional = later(&folder, &[("SECOND_FACTOR", "optional")], 0).await;
    optional.client().sign_in(ADA).await;
    optional.stack.stop().await;

    let required = later(&folder, &[("SECOND_FACTOR", "required")], 100 * DAY).await;
    let client = required.client();
    client.sign_in(BOB).await;
    required.wait(10 * DAY);
    client.sign_in(ADA).await;
    required.wait(4 * DAY - 1);
    client.sign_in(BOB).await;
    required.wait(1);
    must_enrol(client, BOB).await;
    client.sign_in(ADA).await;
    required.wait(10 * DAY - 1);
    client.sign_in(ADA).await;
    required.wait(1);
    must_enrol(client, ADA).await;
    required.stack.stop().await;
}

/// S98: the last factor stays under `required` only, and a second one may replace it.
#[tokio::test]
async fn s98_the_last_factor_stays_where_one_is_required() {
    for policy in ["required", "optional", "risk"] {
        let auth = Deployment::with(&[("SECOND_FACTOR", policy)]).await;
        let client = auth.client();
        let first = client.enrol(ADA).await;
        let tokens = client.step_up_with(&first.tokens, &first.app).await;
        let listed = factors(&auth, &tokens).await;
        assert_eq!((&listed["policy"], &listed["required"]), (&json!(policy), &json!(policy == "required")));
        let before = stored(&auth);
        let removal = client.delete_as(&tokens.access, &path_of(&first)).await;
        if policy != "required" {
            removal.ok();
            assert_eq!((stored(&auth).has_since, stored(&auth).apps), (false, 0), "{policy}");
            continue;
        }
        removal.refused(403, "forbidden");
        assert_eq!(stored(&auth), before);
        let second = client.enrol_in(&tokens).await;
        client.post_as(&tokens.access, TOTP, json!({})).await.refused(403, "forbidden");
        client.delete_as(&tokens.access, &path_of(&first)).await.ok();
        client.delete_as(&tokens.access, &path_of(&second)).await.refused(403, "forbidden");
        assert_eq!((stored(&auth).has_since, stored(&auth).apps), (true, 1));
    }
}

/// A user with an app, and the device token of the first sign-in.
async fn enrolled_with_device(auth: &Deployment, who: &str) -> (Enrolled, String) {
    let asked = auth.client().ask(who).await;
    let signed_in = auth.client().answer(who, &asked).await;
    let device = text(&signed_in.body["device"]);
    (auth.client().enrol_in(&signed_in.tokens()).await, device)
}

const RISK: [(&str, &str); 1] = [("SECOND_FACTOR", "risk")];

/// S98: a device is known by its device token, and gets one with the second factor.
#[tokio::test]
async fn s98_risk_asks_unknown_devices() {
    let auth = Deployment::with(&RISK).await;
    let client = auth.client();
    let ((ada, adas), (_, bobs)) = (enrolled_with_device(&auth, ADA).await, enrolled_with_device(&auth, BOB).await);
    auth.wait(HOUR);
    assert!(!is_asked(client, ADA, json!({ "device": adas })).await);
    assert!(is_asked(client, ADA, json!({})).await);
    auth.wait(HOUR);
    assert!(is_asked(client, ADA, json!({ "device": bobs })).await);
    let challenge = client.first_step(ADA).await;
    let signed_in = client.second_step(&challenge, "totp", &ada.app.code(&auth)).await.ok();
    auth.wait(HOUR);
    assert!(!is_asked(client, ADA, json!({ "device": signed_in["device"] })).await);

    let mut browser = client.browser(PAGE);
    assert_eq!(browser.sign_in(ADA).await["second_factor_required"], true);
    assert_eq!(browser.names(), [CHALLENGE_COOKIE], "a device token before the second factor");
    browser.post(SECOND_FACTOR, json!({ "method": "totp", "code": ada.app.code(&auth) })).await.ok();
    auth.wait(HOUR);
    assert!(browser.sign_in(ADA).await["tokens"].is_object());
    browser.cookies.remove(DEVICE_COOKIE);
    auth.wait(HOUR);
    assert_eq!(browser.sign_in(ADA).await["second_factor_required"], true);
}

/// S98: while strangers have used up the identifier's short codes, known devices are asked too.
#[tokio::test]
async fn s98_risk_asks_everybody_during_an_attack() {
    let limits = [("OTP_REQUESTS_PER_IP", "1000000"), ("OTP_FAILURES_PER_IP", "1000000")];
    let auth = Deployment::with(&[&RISK[..], &limits].concat()).await;
    let (ada, device) = enrolled_with_device(&auth, ADA).await;
    auth.wait(HOUR);
    assert!(!is_asked(auth.client(), ADA, json!({ "device": device })).await);
    for round in 0..60_u64 {
        let stranger = auth.client_at(&format!("203.0.{}.{round}", 113 + round % 3));
        let asked = stranger.ask(ADA).await;
        for _ in 0..3 {
            let guess = Asked { code: wrong(&asked.code), ..asked.clone() };
            stranger.answer(ADA, &guess).await;
        }
        auth.wait(480);
    }
    assert!(auth.charged(ADA) >= 97, "{}", auth.charged(ADA));
    auth.wait(HOUR);
    let known = async || {
        let body = json!({ "identifier": ADA, "device": device });
        let asked = auth.client().post(REQUEST, body).await.ok();
        let code = auth.newest_code(ADA);
        let body = json!({ "identifier": ADA, "otp_code": code, "challenge_id": asked["challenge_id"],
            "device": device });
        (code.len(), auth.client().post(VERIFY, body).await.ok())
    };
    let (length, due) = known().await;
    assert_eq!((length, &due["second_factor_required"]), (13, &json!(true)), "{due}");
    let challenge = text(&due["challenge_id"]);
    auth.client().second_step(&challenge, "totp", &ada.app.code(&auth)).await.ok();
    // After the right answer, codes are short again.
    auth.wait(DAY);
    let (length, signed_in) = known().await;
    assert_eq!((length, signed_in["tokens"].is_object()), (6, true), "{signed_in}");
}

/// The transaction of docs/second-factors.md, for this user.
fn removal(auth: &Deployment, user: &str) -> Value {
    let page = read("docs/second-factors.md");
    let (_, rest) = page.split_once("cat > removal.json <<END\n").expect("the page has no removal");
    let (items, _) = rest.split_once("\nEND\n").unwrap();
    let items = items.replace("$USERS", &auth.setting("USER_TABLE")).replace("$ID", user);
    json!({ "TransactItems": serde_json::from_str::<Value>(&items).unwrap() })
}

/// S280: the commands of docs/second-factors.md leave a user who signs in with a code, and can add a factor again.
#[tokio::test]
async fn s280_an_operators_removal_leaves_a_user_without_factors() {
    for policy in ["optional", "required"] {
        let auth = Deployment::with(&[("SECOND_FACTOR", policy)]).await;
        let client = auth.client();
        let enrolled = client.enrol(ADA).await;
        let user = text(&unverified(&enrolled.tokens.access).1["sub"]);
        auth.wait(20 * DAY);
        let (tokens, trusted) = trust(&auth, ADA, &enrolled.app).await;
        let waiting = client.first_step(ADA).await;
        let before = stored(&auth);
        let transact = |user: &str| auth.stack.services().dynamodb("TransactWriteItems", removal(&auth, user));
        transact(&user).unwrap();

        let after = stored(&auth);
        assert_eq!((after.has_since, after.apps, after.backup_codes.len(), after.sessions.len()), (false, 0, 0, 0));
        assert_eq!(after.epoch, before.epoch + 1);
        let item = auth.items("F#").remove(0);
        for attribute in ["tt", "en", "bk", "bkk", "td", "f", "fl"] {
            assert!(item[attribute].is_null(), "{attribute}: {item}");
        }
        assert_eq!(auth.live(&mut [tokens]).await, 0);
        client.second_step(&waiting, "totp", &enrolled.app.code(&auth)).await.refused(400, "invalid_otp");
        client.second_step(&waiting, "backup_code", &enrolled.backup_codes[0]).await.refused(400, "invalid_otp");

        // Under `required`, a new grace period begins.
        auth.wait(HOUR);
        let tokens = client.sign_in(ADA).await;
        assert_eq!(unverified(&tokens.access).1["acr"], json!("1f"));
        let listed = factors(&auth, &tokens).await;
        assert_eq!((&listed["totp"], &listed["backup_codes_left"]), (&json!([]), &json!(0)));
        assert_eq!(listed["trusted_devices"], json!([]));

        // A second run, or another id, changes nothing.
        let before = auth.items("");
        for other in [user.as_str(), "019b76da-a800-7a45-9263-6c6bdba14c89"] {
            let refusal = transact(other).unwrap_err().to_string();
            assert!(refusal.contains("TransactionCanceledException") && refusal.contains("ConditionalCheckFailed"));
        }
        assert_eq!(auth.items(""), before);

        let again = client.enrol_in(&tokens).await;
        auth.wait(HOUR);
        assert!(is_asked(client, ADA, json!({ "trusted_device": trusted })).await);
        let challenge = client.first_step(ADA).await;
        let old = enrolled.app.code(&auth);
        assert!(old == again.app.code(&auth) || client.second_step(&challenge, "totp", &old).await.code() != "ok");
        client.second_step(&challenge, "backup_code", &enrolled.backup_codes[0]).await.refused(400, "invalid_otp");
        client.second_step(&challenge, "totp", &again.app.code(&auth)).await.tokens();
    }
}

/// S280: after ten years with rotations of all keys, an app and backup codes still work, and a sign-in needs one.
#[tokio::test]
async fn s280_no_time_removes_a_factor() {
    let auth = Deployment::with(&[("JWT_ALGORITHM", "ES256")]).await;
    let enrolled = auth.client().enrol(ADA).await;
    let kept = auth.items("F#");
    for _ in 0..10 {
        auth.wait(365 * DAY);
        auth.stack.rotate_keys().await.unwrap();
        auth.stack.services().sweep_expired().unwrap();
        auth.stack.deliver().await;
    }
    assert_eq!(auth.items("F#"), kept);
    auth.client().sign_in_with(ADA, &enrolled.app).await;
    auth.wait(HOUR);
    let challenge = auth.client().first_step(ADA).await;
    let body = auth.client().second_step(&challenge, "backup_code", &enrolled.backup_codes[0]).await.ok();
    assert_eq!(body["backup_codes_left"], json!(7));
}

/// The modules of a QR code in a PNG, row by row. Dark ones are true.
fn modules(png: &[u8], side: usize) -> Vec<bool> {
    let mut reader = png::Decoder::new(Cursor::new(png)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!((info.color_type, info.bit_depth, info.width), (ColorType::Grayscale, BitDepth::Eight, info.height));
    let width = info.width as usize;
    let scale = width / side;
    assert_eq!(scale * side, width, "the picture has {width} pixels for {side} modules");
    let middle = |at: usize| at * scale + scale / 2;
    let places = (0..side).flat_map(|y| (0..side).map(move |x| (x, y)));
    places.map(|(x, y)| pixels[middle(y) * width + middle(x)] < 128).collect()
}

/// The PNG shows the app's address with the secret beside it. Only `enable` needs a fresh proof.
#[tokio::test]
async fn an_app_is_added_by_the_paths_of_a_replaced_system() {
    const SETUP: &str = "/api/auth/2fa/setup/";
    const ENABLE: &str = "/api/auth/2fa/enable/";
    /// The empty border around a code, in modules.
    const BORDER: i32 = 4;
    let auth = Deployment::start().await;
    let client = auth.client();
    let tokens = client.sign_in(ADA).await;
    let ours = client.post_as(&tokens.access, TOTP, json!({})).await.ok();
    auth.wait(601);
    let begun = client.with_token("GET", SETUP, &tokens.access).await.ok();
    let (png, secret) = (BASE64.decode(begun["qr_b64"].as_str().unwrap().as_bytes()).unwrap(), text(&begun["secret"]));
    assert_ne!(json!(secret), ours["secret"], "another request has another secret");
    let uri = text(&ours["otpauth_uri"]).replace(ours["secret"].as_str().unwrap(), &secret);
    let code = QrCode::encode_text(&uri, QrCodeEcc::Medium).unwrap();
    let side = code.size() + 2 * BORDER;
    let places = (0..side).flat_map(|y| (0..side).map(move |x| (x, y)));
    let expected: Vec<_> = places.map(|(x, y)| code.get_module(x - BORDER, y - BORDER)).collect();
    assert_eq!(modules(&png, usize::try_from(side).unwrap()), expected);

    let app = Authenticator::of(&secret);
    let stale = client.post_as(&tokens.access, ENABLE, json!({ "token": app.code(&auth) })).await;
    assert_eq!(stale.status.as_u16(), 401);
    assert!(stale.headers["www-authenticate"].to_str().unwrap().contains("insufficient_user_authentication"));
    assert_eq!(stored(&auth).apps, 0);

    let tokens = client.sign_in(ADA).await;
    for token in [app.wrong(&auth), "12345".to_owned()] {
        let refused = client.post_as(&tokens.access, ENABLE, json!({ "token": token })).await;
        assert_eq!(
            (refused.status.as_u16(), refused.body),
            (400, json!({ "detail": "Invalid TOTP token" })),
            "{token}"
        );
    }
    let enabled = client.post_as(&tokens.access, ENABLE, json!({ "token": app.code(&auth) })).await.ok();
    assert_eq!(enabled["detail"], json!("2FA enabled."));
    assert_eq!(enabled["backup_codes"].as_array().unwrap().len(), 8);
    let again = client.post_as(&tokens.access, ENABLE, json!({ "token": app.code(&auth) })).await;
    assert_ne!(again.status.as_u16(), 200);
    auth.wait(HOUR);
    client.sign_in_with(ADA, &app).await;
    for path in [SETUP, ENABLE] {
        let request = Request::builder().method(if path == SETUP { "GET" } else { "POST" }).uri(path);
        let request = request.header("content-type", "application/json");
        let body = if path == SETUP { "" } else { r#"{"token":"123456"}"# };
        let refused = client.send(request.body(Bytes::from(body)).unwrap()).await;
        assert_eq!(refused.status.as_u16(), 401);
        assert_eq!(refused.body, json!({ "detail": "This session has ended. Sign in again." }));
    }
}
