//! Freshness: what a session was proved by, when, and what needs a recent proof (S130, S131).

use data_encoding::BASE64URL_NOPAD;
use local_aws::Service;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use tests::authenticator::{BACKUP_CODES, CONFIRM, FACTORS, STEP_UP, STEP_UP_OPTIONS, TOTP, TRUSTED_DEVICES};
use tests::client::{REFRESH, REQUEST, SESSIONS, VERIFY};
use tests::deployment::{START, session_of, unverified, wrong};
use tests::{Answer, Asked, Authenticator, Client, Deployment, Tokens};

use crate::purposes::Known;

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";
const KEY: &str = "retry-key-of-the-tests";
const HOUR: u64 = 3_600;
const BY_FACTOR: [&str; 2] = ["totp", "backup_code"];

/// A deployment with second factors.
const OPTIONAL: [(&str, &str); 1] = [("SECOND_FACTOR", "optional")];

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
pub(crate) fn needs_step_up(answer: &Answer, acr: &str, max_age: u64, methods: &[&str]) {
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
    let auth = Deployment::with(&OPTIONAL).await;
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

/// Steps up with a code by mail.
async fn step_up_by_code(client: Client<'_>, access: &str, who: &str, asked: &Asked) -> Answer {
    let body = json!({ "method": "otp", "identifier": who, "otp_code": asked.code, "challenge_id": asked.challenge });
    client.post_as(access, STEP_UP, body).await
}

/// The number of the generation of a refresh token.
fn generation(tokens: &Tokens) -> u64 {
    tokens.refresh.split('.').nth(4).unwrap().parse().unwrap()
}

/// The session keeps its id. Its old refresh token is used now, like after a refresh. Without rotation, the token stays.
#[tokio::test]
async fn a_step_up_moves_the_refresh_token_one_generation() {
    for rotation in ["on", "off"] {
        let auth = Deployment::with(&[("REFRESH_ROTATION", rotation)]).await;
        let enrolled = auth.client().enrol(ADA).await;
        auth.wait(HOUR);
        let first = refreshed(&auth, &enrolled.tokens).await;
        let second = auth.client().step_up_with(&first, &enrolled.app).await;
        assert_eq!(session_of(&second.access), session_of(&first.access));
        let claims = claims(&second);
        assert_eq!((&claims["acr"], &claims["amr"]), (&json!("2f"), &json!(["otp", "mfa"])), "{rotation}");
        assert_eq!((&claims["auth_time"], &claims["iat"]), (&json!(auth.now() - 30), &json!(auth.now() - 30)));
        if rotation == "off" {
            assert_eq!(second.refresh, first.refresh);
            assert_eq!(unverified(&refreshed(&auth, &second).await.access).1["acr"], json!("2f"));
            continue;
        }
        assert_eq!(generation(&second), generation(&first) + 1);
        let third = refreshed(&auth, &second).await;
        auth.wait(61);
        auth.client().refresh(&first.refresh).await.refused(401, "invalid_token");
        assert_eq!(auth.live(&mut [third]).await, 0, "the use of an old token ends the session");
    }
}

/// A client whose answer was lost refreshes with the retry key of the step-up: the same refresh token, and the new proof.
#[tokio::test]
async fn a_lost_step_up_is_repeated_by_a_refresh_with_its_retry_key() {
    let auth = Deployment::start().await;
    let client = auth.client();
    let enrolled = client.enrol(ADA).await;
    auth.wait(HOUR);
    let before = refreshed(&auth, &enrolled.tokens).await;
    let proved = auth.now();
    let options = client.post_as(&before.access, STEP_UP_OPTIONS, json!({ "transaction": "Pay Bob" })).await.ok();
    let body = json!({ "challenge_id": options["challenge_id"], "method": "totp", "code": enrolled.app.code(&auth),
        "retry": KEY });
    let lost = client.post_as(&before.access, STEP_UP, body.clone()).await.tokens();
    client.post_as(&before.access, STEP_UP, body).await.refused(400, "invalid_otp");
    auth.wait(300);
    let again = client.refresh_with(&before.refresh, KEY).await.tokens();
    assert_eq!(again.refresh, lost.refresh);
    let claims = claims(&again);
    assert_eq!((&claims["acr"], &claims["auth_time"]), (&json!("2f"), &json!(proved)));
    assert!(claims["txn"].is_null(), "a refresh repeats no transaction");
    end_others(&auth, &again).await.ok();
    let next = refreshed(&auth, &again).await;
    // A used successor ends the right to it, as after every refresh.
    client.refresh_with(&before.refresh, KEY).await.refused(401, "invalid_token");
    assert_eq!(auth.live(&mut [next]).await, 0);
}

/// S97, V74: every change, at both levels, and nothing is written. The list needs no fresh proof.
#[tokio::test]
async fn s97_every_change_of_factors_needs_a_fresh_proof() {
    const ENABLE: &str = "/api/auth/2fa/enable/";
    let auth = Deployment::start().await;
    let client = auth.client();
    let items = || [auth.items("U#"), auth.items("F#")].concat();
    // A session of the first level whose sign-in is too long ago.
    let tokens = client.sign_in(ADA).await;
    auth.wait(300);
    let begun = client.post_as(&tokens.access, TOTP, json!({})).await.ok();
    let app = Authenticator::of(begun["secret"].as_str().unwrap());
    auth.wait(301);
    let before = items();
    let confirmation = || json!({ "factor_id": begun["factor_id"], "code": app.code(&auth) });
    let by_code = &["otp"];
    needs_step_up(&client.post_as(&tokens.access, TOTP, json!({})).await, "1f", 600, by_code);
    needs_step_up(&client.post_as(&tokens.access, CONFIRM, confirmation()).await, "1f", 600, by_code);
    needs_step_up(&client.post_as(&tokens.access, BACKUP_CODES, json!({})).await, "1f", 600, by_code);
    let enabled = client.post_as(&tokens.access, ENABLE, json!({ "token": app.code(&auth) })).await;
    assert_eq!(enabled.status.as_u16(), 401, "{}", enabled.body);
    assert_eq!(items(), before);

    // One of the first level, just proved, and one of the second level whose proof is too long ago.
    let tokens = client.sign_in(ADA).await;
    let enrolled = client.enrol_in(&tokens).await;
    let stale = client.sign_in_with(ADA, &enrolled.app).await;
    auth.wait(500);
    let begun = client.post_as(&stale.access, TOTP, json!({})).await.ok();
    let app = Authenticator::of(begun["secret"].as_str().unwrap());
    auth.wait(71);
    let weak = client.sign_in_with(ADA, &enrolled.app).await;
    change(&auth, &format!("S#{}", session_of(&weak.access)), |session| {
        session["amr"] = json!({ "L": [{ "S": "otp" }] })
    });
    let weak = refreshed(&auth, &weak).await;
    let before = items();
    let confirmation = || json!({ "factor_id": begun["factor_id"], "code": app.code(&auth) });
    let path = format!("{TOTP}{}/", enrolled.id);
    let device = format!("{TRUSTED_DEVICES}{}/", "A".repeat(22));
    for access in [&weak.access, &stale.access] {
        needs_step_up(&client.post_as(access, TOTP, json!({})).await, "2f", 600, &BY_FACTOR);
        needs_step_up(&client.post_as(access, CONFIRM, confirmation()).await, "2f", 600, &BY_FACTOR);
        needs_step_up(&client.post_as(access, BACKUP_CODES, json!({})).await, "2f", 600, &BY_FACTOR);
        for path in [path.as_str(), TRUSTED_DEVICES, &device] {
            needs_step_up(&client.delete_as(access, path).await, "2f", 600, &BY_FACTOR);
        }
        let enabled = client.post_as(access, ENABLE, json!({ "token": app.code(&auth) })).await;
        assert_eq!(enabled.status.as_u16(), 401, "{}", enabled.body);
        client.with_token("GET", FACTORS, access).await.ok();
    }
    assert_eq!(items(), before);
    let fresh = client.step_up_with(&stale, &enrolled.app).await;
    client.post_as(&fresh.access, CONFIRM, confirmation()).await.ok();
}

/// S130: where a sign-in would ask for the factor, a code by mail is refused, and remains unused.
#[tokio::test]
async fn s130_a_code_by_mail_steps_up_no_user_with_a_factor() {
    let auth = Deployment::start().await;
    let ada = Known::sign_in(auth.client(), ADA).await;
    let before = ada.ask(&auth).await;
    let enrolled = auth.client().enrol_in(&ada.tokens).await;
    let options = auth.client().post_as(&ada.tokens.access, STEP_UP_OPTIONS, json!({})).await.ok();
    assert_eq!(options["methods"], json!(BY_FACTOR));
    auth.wait(60);
    for asked in [&before, &ada.ask(&auth).await] {
        step_up_by_code(auth.client(), &ada.tokens.access, ADA, asked).await.refused(400, "invalid_otp");
    }
    let tokens = refreshed(&auth, &ada.tokens).await;
    assert_eq!((&claims(&tokens)["acr"], &claims(&tokens)["auth_time"]), (&json!("1f"), &json!(START)));
    let tokens = auth.client().step_up_with(&tokens, &enrolled.app).await;
    assert_eq!(claims(&tokens)["acr"], json!("2f"));
}

/// S130: a step-up belongs to the session that began it. The code stays unused.
#[tokio::test]
async fn s130_a_step_up_of_another_session_is_refused() {
    let auth = Deployment::start().await;
    let client = auth.client();
    let enrolled = client.enrol(ADA).await;
    let there = client.sign_in_with(ADA, &enrolled.app).await;
    let bob = client.enrol(BOB).await;
    let challenge = client.begin_step_up(&enrolled.tokens.access).await;
    let code = enrolled.app.code(&auth);
    for other in [&there.access, &bob.tokens.access] {
        client.step_up(other, &challenge, "totp", &code).await.refused(400, "invalid_otp");
        client.step_up(other, &challenge, "backup_code", &enrolled.backup_codes[0]).await.refused(400, "invalid_otp");
    }
    // A sign-in that waits is no step-up, and the other way round.
    let waiting = client.first_step(ADA).await;
    client.step_up(&enrolled.tokens.access, &waiting, "totp", &code).await.refused(400, "invalid_otp");
    client.second_step(&challenge, "totp", &code).await.refused(400, "invalid_otp");
    client.step_up(&enrolled.tokens.access, &challenge, "totp", &code).await.tokens();
    client.step_up(&enrolled.tokens.access, &challenge, "totp", &code).await.refused(400, "invalid_otp");
}

/// S130: neither by a factor nor by a code, and the session gets no tokens.
#[tokio::test]
async fn s130_an_ended_session_steps_up_no_more() {
    let auth = Deployment::start().await;
    let client = auth.client();
    let enrolled = client.enrol(ADA).await;
    let challenge = client.begin_step_up(&enrolled.tokens.access).await;
    client.logout(&enrolled.tokens.refresh).await.ok();
    let access = &enrolled.tokens.access;
    client.step_up(access, &challenge, "totp", &enrolled.app.code(&auth)).await.needs_a_token();
    client.post_as(access, STEP_UP_OPTIONS, json!({})).await.needs_a_token();
    client.refresh(&enrolled.tokens.refresh).await.refused(401, "invalid_token");
    let session = auth.items(&format!("S#{}", session_of(access))).remove(0);
    assert_eq!(session["amr"], json!({ "L": [{ "S": "otp" }] }));

    let bob = Known::sign_in(client, BOB).await;
    let asked = bob.ask(&auth).await;
    client.logout(&bob.tokens.refresh).await.ok();
    step_up_by_code(client, &bob.tokens.access, BOB, &asked).await.needs_a_token();
    client.post_as(&bob.tokens.access, STEP_UP_OPTIONS, json!({})).await.needs_a_token();
}

/// S130, V75: adding a factor, a proof in another session and a refresh raise nothing.
#[tokio::test]
async fn s130_only_a_proof_in_the_session_raises_its_level() {
    let auth = Deployment::start().await;
    let client = auth.client();
    let enrolled = client.enrol(ADA).await;
    let here = refreshed(&auth, &enrolled.tokens).await;
    assert_eq!((&claims(&here)["acr"], &claims(&here)["auth_time"]), (&json!("1f"), &json!(START)));
    let there = client.sign_in_with(ADA, &enrolled.app).await;
    assert_eq!((&claims(&there)["acr"], &claims(&there)["amr"]), (&json!("2f"), &json!(["otp", "mfa"])));
    let there = client.step_up_with(&there, &enrolled.app).await;
    let here = refreshed(&auth, &here).await;
    assert_eq!((&claims(&here)["acr"], &claims(&here)["auth_time"]), (&json!("1f"), &json!(START)));
    needs_step_up(&end_others(&auth, &here).await, "2f", 600, &BY_FACTOR);
    end_others(&auth, &there).await.ok();
    assert_eq!(auth.live(&mut [here]).await, 0);

    // A token from before the step-up keeps its level.
    let waiting = client.first_step(ADA).await;
    let weak = client.second_step(&waiting, "backup_code", &enrolled.backup_codes[0]).await.tokens();
    change(&auth, &format!("S#{}", session_of(&weak.access)), |session| {
        session["amr"] = json!({ "L": [{ "S": "otp" }] })
    });
    let weak = refreshed(&auth, &weak).await;
    let raised = client.step_up_with(&weak, &enrolled.app).await;
    needs_step_up(&end_others(&auth, &weak).await, "2f", 600, &BY_FACTOR);
    end_others(&auth, &raised).await.ok();
}

/// S271: the code must be of an identifier of the session's user. Its owner can still use it.
#[tokio::test]
async fn s271_a_code_of_anothers_identifier_confirms_nothing() {
    let auth = Deployment::start().await;
    let (ada, bob) = (Known::sign_in(auth.client(), ADA).await, Known::sign_in(auth.client(), BOB).await);
    let asked = bob.ask(&auth).await;
    for who in [BOB, ADA] {
        step_up_by_code(auth.client(), &ada.tokens.access, who, &asked).await.refused(400, "invalid_otp");
    }
    // An identifier without a user is not hers either.
    let body = json!({ "identifier": "nobody@example.com", "purpose": "step_up", "device": ada.device });
    auth.client().post_as(&ada.tokens.access, REQUEST, body).await.refused(403, "forbidden");
    step_up_by_code(auth.client(), &bob.tokens.access, BOB, &asked).await.ok();
    assert_eq!(auth.items("S#").len(), 2);
}

/// S271: an access token lives on for a while after its session. Another session of the user can still use the code.
#[tokio::test]
async fn s271_an_ended_session_uses_no_code() {
    let auth = Deployment::start().await;
    let ada = Known::sign_in(auth.client(), ADA).await;
    let there = auth.client().sign_in(ADA).await;
    let asked = ada.ask(&auth).await;
    auth.client().logout(&ada.tokens.refresh).await.ok();
    step_up_by_code(auth.client(), &ada.tokens.access, ADA, &asked).await.needs_a_token();
    step_up_by_code(auth.client(), &there.access, ADA, &asked).await.ok();
    step_up_by_code(auth.client(), &there.access, ADA, &asked).await.refused(400, "invalid_otp");
}

/// S274: in both orders, with six digits and with a long code, and with the challenge of the other one.
#[tokio::test]
async fn s274_a_sign_in_code_confirms_nothing() {
    let auth = Deployment::start().await;
    let ada = Known::sign_in(auth.client(), ADA).await;
    let client = auth.client();
    let first = client.ask(ADA).await;
    let confirming = ada.ask(&auth).await;
    let second = client.ask(ADA).await;
    let mut lengths = vec![first.code.len(), second.code.len()];
    for sign_in in [&first, &second] {
        step_up_by_code(client, &ada.tokens.access, ADA, sign_in).await.refused(400, "invalid_otp");
        let mixed = Asked { challenge: confirming.challenge.clone(), code: sign_in.code.clone() };
        if sign_in.code != confirming.code {
            step_up_by_code(client, &ada.tokens.access, ADA, &mixed).await.refused(400, "invalid_otp");
        }
        let mixed = Asked { challenge: sign_in.challenge.clone(), code: confirming.code.clone() };
        step_up_by_code(client, &ada.tokens.access, ADA, &mixed).await.refused(400, "invalid_otp");
        let without = json!({ "method": "otp", "identifier": ADA, "otp_code": confirming.code });
        client.post_as(&ada.tokens.access, STEP_UP, without).await.refused(400, "invalid_request");
    }
    client.answer(ADA, &confirming).await.refused(400, "invalid_otp");
    // Both kinds still open what they were asked for.
    step_up_by_code(client, &ada.tokens.access, ADA, &confirming).await.ok();
    client.answer(ADA, &second).await.ok();

    auth.wait(HOUR);
    let ada = Known::sign_in(client, ADA).await;
    let mut long = client.ask(ADA).await;
    for _ in 0..3 {
        if long.code.len() < 13 {
            long = client.ask(ADA).await;
        }
    }
    lengths.push(long.code.len());
    assert_eq!(lengths, [6, 6, 13]);
    step_up_by_code(client, &ada.tokens.access, ADA, &long).await.refused(400, "invalid_otp");
    let mixed = Asked { challenge: ada.ask(&auth).await.challenge, code: long.code.clone() };
    step_up_by_code(client, &ada.tokens.access, ADA, &mixed).await.refused(400, "invalid_otp");
    client.answer(ADA, &long).await.ok();
}

/// S275: a thief of an access token sends no mail. With the device token, the code makes the session fresh again.
#[tokio::test]
async fn s275_a_step_up_by_code_needs_the_device_token() {
    let auth = Deployment::start().await;
    let ada = Known::sign_in(auth.client(), ADA).await;
    auth.wait(601);
    needs_step_up(&end_others(&auth, &ada.tokens).await, "1f", 600, &["otp"]);
    let before = auth.messages_to(ADA);
    for device in [json!(null), json!("v1.99999999999.AAAA"), json!(wrong(&ada.device))] {
        let body = json!({ "identifier": ADA, "purpose": "step_up", "device": device });
        auth.client().post_as(&ada.tokens.access, REQUEST, body).await.refused(403, "forbidden");
    }
    assert_eq!(auth.messages_to(ADA), before);

    let options = auth.client().post_as(&ada.tokens.access, STEP_UP_OPTIONS, json!({})).await.ok();
    assert_eq!((&options["methods"], &options["challenge_id"]), (&json!(["otp"]), &Value::Null));
    let asked = ada.ask(&auth).await;
    let guess = Asked { code: wrong(&asked.code), ..asked.clone() };
    step_up_by_code(auth.client(), &ada.tokens.access, ADA, &guess).await.refused(400, "invalid_otp");
    let tokens = step_up_by_code(auth.client(), &ada.tokens.access, ADA, &asked).await.tokens();
    assert_eq!(generation(&tokens), generation(&ada.tokens) + 1);
    let claims = claims(&tokens);
    assert_eq!((&claims["acr"], &claims["amr"]), (&json!("1f"), &json!(["otp"])));
    assert_eq!(claims["auth_time"], json!(auth.now()));
    end_others(&auth, &tokens).await.ok();
    step_up_by_code(auth.client(), &tokens.access, ADA, &asked).await.refused(400, "invalid_otp");
    let body = json!({ "identifier": ADA, "otp_code": asked.code, "challenge_id": asked.challenge });
    auth.client().post(VERIFY, body).await.refused(400, "invalid_otp");
}

/// V78: the digest of the text, in the token of this step-up only.
#[tokio::test]
async fn v78_a_transaction_is_in_one_token_only() {
    const PAYMENT: &str = "Pay €20 to Bob";
    let expected = json!(BASE64URL_NOPAD.encode(digest(&SHA256, PAYMENT.as_bytes()).as_ref()));
    let auth = Deployment::start().await;
    let client = auth.client();
    let enrolled = client.enrol(ADA).await;
    let begin = async |access: &str, transaction: Value| {
        client.post_as(access, STEP_UP_OPTIONS, json!({ "transaction": transaction })).await
    };
    for transaction in [json!("x".repeat(201)), json!("a\nb"), json!(20)] {
        begin(&enrolled.tokens.access, transaction).await.refused(400, "invalid_request");
    }
    let before = &enrolled.tokens;
    let paying = begin(&before.access, json!(PAYMENT)).await.ok();
    let other = begin(&before.access, json!("Pay €200 to Eve")).await.ok();
    let code = enrolled.app.code(&auth);
    let confirm = async |access: &str, options: &Value, code: &str| {
        client.step_up(access, options["challenge_id"].as_str().unwrap(), "totp", code).await
    };
    let paid = confirm(&before.access, &paying, &code).await.tokens();
    assert_eq!((&claims(&paid)["txn"], &claims(before)["txn"]), (&expected, &Value::Null));
    assert!(!format!("{:?}{:?}", auth.items("S#"), auth.stack.logs()).contains("€20"), "the text is stored or logged");
    // One code confirms one transaction, also before it was accepted elsewhere.
    auth.wait(30);
    confirm(&paid.access, &other, &enrolled.app.code(&auth)).await.refused(400, "invalid_otp");
    let next = refreshed(&auth, &paid).await;
    assert_eq!((&claims(&next)["txn"], &claims(&next)["acr"]), (&Value::Null, &json!("2f")));
    let without = client.step_up_with(&next, &enrolled.app).await;
    assert_eq!(claims(&without)["txn"], Value::Null);

    // By code, the text comes with the code.
    let bob = Known::sign_in(client, BOB).await;
    let asked = bob.ask(&auth).await;
    let body = json!({ "method": "otp", "identifier": BOB, "otp_code": asked.code, "challenge_id": asked.challenge,
        "transaction": PAYMENT });
    let paid = client.post_as(&bob.tokens.access, STEP_UP, body).await.tokens();
    assert_eq!(claims(&paid)["txn"], expected);
    assert_eq!(claims(&refreshed(&auth, &paid).await)["txn"], Value::Null);
}
