//! Second factors at a sign-in and a step-up: authenticator apps, backup codes, attempts, and sign-ins that wait.

use std::collections::BTreeSet;

use data_encoding::{BASE32_NOPAD, BASE64, BASE64URL_NOPAD, HEXLOWER};
use futures_util::future::join_all;
use local_aws::gate::Held;
use serde_json::{Value, json};
use tests::authenticator::{BACKUP_CODES, CONFIRM, SECOND_FACTOR, STEP_UP, STEP_UP_OPTIONS, TOTP};
use tests::client::{PROFILE, REFRESH, SESSIONS, VERIFY};
use tests::contract::CONTRACT;
use tests::deployment::{unverified, wrong};
use tests::operations::SETTINGS;
use tests::{Answer, Authenticator, Client, Deployment, Enrolled};

use crate::withdrawals::held;

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";
const PHONE: &str = "+447400123456";
/// A network of an attacker who reads the user's mail.
const ATTACKER: &str = "198.51.100.66";
const RETRY: &str = "retry-key-of-the-tests";

const OPTIONAL: (&str, &str) = ("SECOND_FACTOR", "optional");

/// Users may add a second factor.
async fn deployment() -> Deployment {
    Deployment::with(&[OPTIONAL]).await
}

/// The id of the user.
fn user(of: &Enrolled) -> String {
    unverified(&of.tokens.access).1["sub"].as_str().unwrap().to_owned()
}

/// The item of the user's factors.
fn factors(auth: &Deployment, of: &Enrolled) -> Value {
    auth.items(&format!("F#{}", user(of))).pop().unwrap()
}

fn put(auth: &Deployment, item: &Value) {
    let request = json!({ "TableName": auth.setting("USER_TABLE"), "Item": item });
    auth.stack.services().dynamodb("PutItem", request).unwrap();
}

/// The counted failures in a row.
fn failures(auth: &Deployment, of: &Enrolled) -> u64 {
    factors(auth, of)["f"]["N"].as_str().map_or(0, |number| number.parse().unwrap())
}

/// The ids of the user's sessions.
fn sessions(auth: &Deployment, of: &Enrolled) -> Vec<String> {
    let item = auth.items(&format!("U#{}", user(of))).pop().unwrap();
    item["ss"]["M"].as_object().unwrap().keys().cloned().collect()
}

fn keys(body: &Value) -> Vec<&str> {
    body.as_object().unwrap().keys().map(String::as_str).collect()
}

/// Sends wrong codes that are all compared.
async fn fail(auth: &Deployment, challenge: &str, app: &Authenticator, times: usize) {
    for _ in 0..times {
        let answer = auth.client_at(ATTACKER).second_step(challenge, "totp", &app.wrong(auth)).await;
        answer.refused(400, "invalid_otp");
    }
}

/// Asserts that six digits have to wait.
#[track_caller]
fn waits(answer: &Answer, seconds: u64) {
    answer.refused(429, "too_many_attempts");
    assert_eq!(answer.retry_after(), seconds);
}

/// The user signs in and trusts this device. Returns the access token and the token of the device.
async fn sign_in_and_trust(auth: &Deployment, address: &str, app: &Authenticator) -> (String, String) {
    let challenge = auth.client().first_step(address).await;
    let body = json!({ "challenge_id": challenge, "method": "totp", "code": app.code(auth), "trust_device": true });
    let signed_in = auth.client().post(SECOND_FACTOR, body).await.ok();
    auth.wait(30);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&signed_in["tokens"]["access"]), text(&signed_in["trusted_device"]))
}

/// Steps up on a trusted device.
async fn step_up_on(client: Client<'_>, device: &str, access: &str, challenge: &str, code: &str) -> Answer {
    let body = json!({ "challenge_id": challenge, "method": "totp", "code": code, "trusted_device": device });
    client.post_as(access, STEP_UP, body).await
}

/// Whether text or bytes contain the secret, also in another spelling.
fn reveals(value: &Value, secret: &[u8]) -> bool {
    let spellings = [BASE32_NOPAD.encode(secret), BASE64.encode(secret), HEXLOWER.encode(secret)];
    let spellings = [&spellings[..], &[BASE64URL_NOPAD.encode(secret)]].concat();
    match value {
        Value::Object(members) => members.iter().any(|(name, member)| {
            let bytes = (name == "B").then(|| BASE64.decode(member.as_str()?.as_bytes()).ok()).flatten();
            bytes.is_some_and(|bytes| bytes.windows(secret.len()).any(|part| part == secret))
                || spellings.iter().any(|spelling| name.contains(spelling))
                || reveals(member, secret)
        }),
        Value::Array(items) => items.iter().any(|item| reveals(item, secret)),
        Value::String(text) => spellings.iter().any(|spelling| text.contains(spelling)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// S90: tables and logs have the secret of 160 bits neither before nor after its first code. The item has a nonce, the ciphertext and
/// its tag.
#[tokio::test]
async fn s90_a_secret_is_stored_encrypted_only() {
    let auth = deployment().await;
    let tokens = auth.client().sign_in(ADA).await;
    let begun = auth.client().post_as(&tokens.access, TOTP, json!({})).await.ok();
    let text = begun["secret"].as_str().unwrap();
    let (secret, app) = (BASE32_NOPAD.decode(text.as_bytes()).unwrap(), Authenticator::of(text));
    assert_eq!(secret.len(), 20);
    assert!(reveals(&begun, &secret));
    let assert_sealed = |sealed: &Value| {
        assert_eq!(BASE64.decode(sealed["x"]["B"].as_str().unwrap().as_bytes()).unwrap().len(), 12 + 20 + 16);
        assert_eq!(sealed["k"]["S"], json!(auth.vault_keys().vault.all()[0].id));
        for table in ["USER_TABLE", "OTP_TABLE", "RECORD_TABLE"] {
            assert!(!auth.items_of(table, "").iter().any(|item| reveals(item, &secret)), "{table}");
        }
        assert!(!auth.stack.logs().iter().any(|line| reveals(&json!(line), &secret)));
    };
    assert_sealed(&auth.items("F#")[0]["en"]["M"]);
    let body = json!({ "factor_id": begun["factor_id"], "code": app.code(&auth) });
    let added = auth.client().post_as(&tokens.access, CONFIRM, body).await.ok();
    auth.wait(30);
    auth.client().sign_in_with(ADA, &app).await;
    auth.stack.deliver().await;
    assert_sealed(&auth.items("F#")[0]["tt"]["M"][begun["factor_id"].as_str().unwrap()]["M"]);

    // S95: backup codes are in the table as digests.
    let stored = json!([auth.items(""), auth.items_of("OTP_TABLE", ""), auth.stack.logs()]).to_string().to_uppercase();
    let codes = added["backup_codes"].as_array().unwrap();
    assert_eq!(codes.len(), 8);
    for code in codes.iter().map(|code| code.as_str().unwrap()) {
        assert!(!stored.contains(code) && !stored.contains(&code.replace('-', "")));
    }
}

/// S90, V73: a writer of the table moves ciphertexts to other users and other apps. No code fits them there.
#[tokio::test]
async fn s90_a_secret_opens_for_its_own_user_and_factor_only() {
    let auth = deployment().await;
    let client = auth.client();
    let (ada, bob) = (client.enrol(ADA).await, client.enrol(BOB).await);
    let (adas, bobs) = (factors(&auth, &ada), factors(&auth, &bob));
    let moved = bobs["tt"]["M"][&bob.id].clone();
    for id in [&ada.id, &bob.id] {
        let mut item = adas.clone();
        item["tt"]["M"] = json!({ id.as_str(): moved });
        put(&auth, &item);
        let challenge = client.first_step(ADA).await;
        for app in [&ada.app, &bob.app] {
            client.second_step(&challenge, "totp", &app.code(&auth)).await.refused(400, "invalid_otp");
        }
    }
    put(&auth, &adas);
    client.sign_in_with(ADA, &ada.app).await;

    // Two apps of one user.
    let stepped = client.step_up_with(&bob.tokens, &bob.app).await;
    let second = client.enrol_in(&stepped).await;
    let own = factors(&auth, &bob);
    let mut swapped = own.clone();
    for (to, from) in [(&bob.id, &second.id), (&second.id, &bob.id)] {
        swapped["tt"]["M"][to]["M"]["x"] = own["tt"]["M"][from]["M"]["x"].clone();
    }
    put(&auth, &swapped);
    let challenge = client.first_step(BOB).await;
    for app in [&bob.app, &second.app] {
        client.second_step(&challenge, "totp", &app.code(&auth)).await.refused(400, "invalid_otp");
    }
    put(&auth, &own);
    for app in [&bob.app, &second.app] {
        client.sign_in_with(BOB, app).await;
    }
}

/// S91: three sign-ins and two step-ups count together. Then all of them wait, from every network.
#[tokio::test]
async fn s91_failures_count_over_all_sign_ins_and_step_ups() {
    let auth = deployment().await;
    let client = auth.client();
    let ada = client.enrol(ADA).await;
    let access = &ada.tokens.access;
    let mut signing_in = Vec::new();
    for _ in 0..3 {
        signing_in.push(client.first_step(ADA).await);
        fail(&auth, signing_in.last().unwrap(), &ada.app, 2).await;
    }
    let mut stepping_up = Vec::new();
    for _ in 0..2 {
        stepping_up.push(client.begin_step_up(access).await);
        for _ in 0..2 {
            let answer = client.step_up(access, stepping_up.last().unwrap(), "totp", &ada.app.wrong(&auth)).await;
            answer.refused(400, "invalid_otp");
        }
    }
    assert_eq!(failures(&auth, &ada), 10);
    // The right code waits like every other one.
    for code in [ada.app.wrong(&auth), ada.app.code(&auth)] {
        for challenge in &signing_in {
            waits(&client.second_step(challenge, "totp", &code).await, 60);
            waits(&auth.client_at(ATTACKER).second_step(challenge, "totp", &code).await, 60);
        }
        for challenge in &stepping_up {
            waits(&client.step_up(access, challenge, "totp", &code).await, 60);
        }
    }
    assert_eq!(failures(&auth, &ada), 10);
}

/// S91: of forty guesses at once, ten are compared.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s91_parallel_guesses_are_counted_before_they_are_compared() {
    let auth = deployment().await;
    let ada = auth.client().enrol(ADA).await;
    let challenge = auth.client().first_step(ADA).await;
    let code = ada.app.wrong(&auth);
    let answers = join_all((0..40).map(|_| auth.client().second_step(&challenge, "totp", &code))).await;
    let count = |code: &str| answers.iter().filter(|answer| answer.code() == code).count();
    assert_eq!((count("invalid_otp"), count("too_many_attempts")), (10, 30));
    assert_eq!(failures(&auth, &ada), 10);
}

/// S91, V06: each attempt after a wait begins the next one. Attempts during a wait cost nothing and prolong nothing.
#[tokio::test]
async fn s91_waits_grow_from_a_minute_to_six_hours() {
    let auth = deployment().await;
    let client = auth.client();
    let ada = client.enrol(ADA).await;
    let mut challenge = client.first_step(ADA).await;
    fail(&auth, &challenge, &ada.app, 10).await;
    for wait in [60, 120, 240, 480, 960, 1_920, 3_840, 7_680, 15_360, 21_600, 21_600] {
        waits(&client.second_step(&challenge, "totp", &ada.app.code(&auth)).await, wait);
        auth.wait(wait - 1);
        challenge = client.first_step(ADA).await;
        waits(&client.second_step(&challenge, "totp", &ada.app.code(&auth)).await, 1);
        auth.wait(1);
        fail(&auth, &challenge, &ada.app, 1).await;
    }
    auth.wait(21_600);
    client.sign_in_with(ADA, &ada.app).await;
}

/// S91: a success of any kind, also after a wait, brings ten free attempts again.
#[tokio::test]
async fn s91_a_success_resets_the_count() {
    let auth = deployment().await;
    let client = auth.client();
    let ada = client.enrol(ADA).await;
    let access = &ada.tokens.access;
    let mut challenge = client.first_step(ADA).await;
    for round in 0..3 {
        fail(&auth, &challenge, &ada.app, 9).await;
        assert_eq!(failures(&auth, &ada), 9);
        match round {
            0 => client.second_step(&challenge, "totp", &ada.app.code(&auth)).await.ok(),
            1 => {
                let stepping_up = client.begin_step_up(access).await;
                client.step_up(access, &stepping_up, "totp", &ada.app.code(&auth)).await.ok()
            }
            _ => client.second_step(&challenge, "backup_code", &ada.backup_codes[0]).await.ok(),
        };
        assert_eq!((failures(&auth, &ada), factors(&auth, &ada).get("fl")), (0, None), "{round}");
        auth.wait(30);
        challenge = client.first_step(ADA).await;
    }
    fail(&auth, &challenge, &ada.app, 10).await;
    auth.wait(60);
    client.second_step(&challenge, "totp", &ada.app.code(&auth)).await.ok();
    auth.wait(240);
    let challenge = client.first_step(ADA).await;
    fail(&auth, &challenge, &ada.app, 10).await;
    waits(&client.second_step(&challenge, "totp", &ada.app.code(&auth)).await, 60);
}

/// S91, V71: wrong codes count with a living challenge of this user only. An attacker gets one by a right code.
#[tokio::test]
async fn s91_nobody_without_a_right_code_can_count() {
    let auth = deployment().await;
    let (client, attacker) = (auth.client(), auth.client_at(ATTACKER));
    let (ada, bob) = (client.enrol(ADA).await, client.enrol(BOB).await);
    let used = client.first_step(ADA).await;
    client.second_step(&used, "totp", &ada.app.code(&auth)).await.ok();
    let late = client.first_step(ADA).await;
    auth.wait(300);
    let living = client.first_step(ADA).await;
    let stepping_up = client.begin_step_up(&ada.tokens.access).await;
    let asked = attacker.ask(ADA).await;
    for _ in 0..3 {
        attacker.answer_unbound(ADA, &wrong(&asked.code)).await.refused(400, "invalid_otp");
    }
    let before = factors(&auth, &ada);
    assert!(before.get("f").is_none());

    let middle = living.len() / 2;
    let other = if living.as_bytes()[middle] == b'A' { "B" } else { "A" };
    let forged = format!("{}{other}{}", &living[..middle], &living[middle + 1..]);
    let (bobs, bobs_step_up) = (client.first_step(BOB).await, client.begin_step_up(&bob.tokens.access).await);
    let unknown = "A".repeat(living.len());
    let code = ada.app.wrong(&auth);
    for challenge in [&unknown, &forged, &asked.challenge, &used, &late, &bobs, &bobs_step_up, &stepping_up] {
        for _ in 0..3 {
            attacker.second_step(challenge, "totp", &code).await.refused(400, "invalid_otp");
        }
    }
    // A step-up needs the access token of its own session.
    for challenge in [&stepping_up, &living] {
        for _ in 0..3 {
            let body = json!({ "challenge_id": challenge, "method": "totp", "code": code });
            attacker.post(STEP_UP, body).await.needs_a_token();
            attacker.step_up(&bob.tokens.access, challenge, "totp", &code).await.refused(400, "invalid_otp");
        }
    }
    // Text without the form of a code costs no attempt, even with the living challenge.
    for typed in ["12345", "1234567", "12345a", "not a code"] {
        client.second_step(&living, "totp", typed).await.refused(400, "invalid_otp");
    }
    assert_eq!(factors(&auth, &ada), before);
    client.second_step(&living, "totp", &ada.app.code(&auth)).await.ok();
}

/// S91, V71: while an attacker in the mailbox makes six digits wait, the owner signs in with a backup code, which ends the wait.
#[tokio::test]
async fn s91_a_backup_code_is_taken_at_any_count() {
    let auth = deployment().await;
    let client = auth.client();
    let ada = client.enrol(ADA).await;
    let challenge = client.first_step(ADA).await;
    fail(&auth, &challenge, &ada.app, 10).await;
    let code = ada.app.code(&auth);
    waits(&client.second_step(&challenge, "totp", &code).await, 60);
    // Wrong backup codes count nowhere.
    let wrong = "0".repeat(24);
    for _ in 0..20 {
        client.second_step(&challenge, "backup_code", &wrong).await.refused(400, "invalid_otp");
    }
    assert_eq!(failures(&auth, &ada), 10);
    client.second_step(&challenge, "backup_code", &ada.backup_codes[0]).await.ok();
    client.sign_in_with(ADA, &ada.app).await;

    // The same by a step-up.
    let challenge = client.first_step(ADA).await;
    fail(&auth, &challenge, &ada.app, 10).await;
    let (access, stepping_up) = (&ada.tokens.access, client.begin_step_up(&ada.tokens.access).await);
    waits(&client.step_up(access, &stepping_up, "totp", &ada.app.code(&auth)).await, 60);
    client.step_up(access, &stepping_up, "backup_code", &ada.backup_codes[1]).await.ok();
}

/// S91, V71: an attacker in the mailbox makes six digits wait, but not on a device that the owner trusts.
#[tokio::test]
async fn s91_a_trusted_device_has_ten_attempts_of_its_own() {
    let auth = deployment().await;
    let (client, attacker) = (auth.client(), auth.client_at(ATTACKER));
    let ada = client.enrol(ADA).await;
    let (access, device) = sign_in_and_trust(&auth, ADA, &ada.app).await;
    let begin = async || {
        let challenge = attacker.first_step(ADA).await;
        fail(&auth, &challenge, &ada.app, 10).await;
        waits(&attacker.second_step(&challenge, "totp", &ada.app.code(&auth)).await, 60);
        client.begin_step_up(&access).await
    };
    let guess = async |challenge: &str, times: usize| {
        for _ in 0..times {
            let answer = step_up_on(client, &device, &access, challenge, &ada.app.wrong(&auth)).await;
            answer.refused(400, "invalid_otp");
        }
    };
    let stepping_up = begin().await;
    let unknown = format!("v1.{}", "A".repeat(22));
    for shown in ["", "v1.", unknown.as_str()] {
        waits(&step_up_on(client, shown, &access, &stepping_up, &ada.app.code(&auth)).await, 60);
    }
    guess(&stepping_up, 9).await;
    step_up_on(client, &device, &access, &stepping_up, &ada.app.code(&auth)).await.ok();
    auth.wait(30);

    // The success brought ten attempts again. After them, the device waits like every other client.
    let stepping_up = begin().await;
    guess(&stepping_up, 10).await;
    waits(&step_up_on(client, &device, &access, &stepping_up, &ada.app.code(&auth)).await, 60);
    assert_eq!(failures(&auth, &ada), 10);

    // A sign-in there needs no six digits.
    let asked = client.ask(ADA).await;
    let body = json!({ "identifier": ADA, "otp_code": asked.code, "challenge_id": asked.challenge,
        "trusted_device": device });
    client.post(VERIFY, body).await.tokens();
}

/// S92, V35: the code of a sign-in is refused in the next one, in a step-up and in the next step of time. A later code works.
#[tokio::test]
async fn s92_v35_a_code_of_an_app_works_once() {
    let auth = deployment().await;
    let client = auth.client();
    let ada = client.enrol(ADA).await;
    let code = ada.app.code(&auth);
    let challenge = client.first_step(ADA).await;
    let tokens = client.second_step(&challenge, "totp", &code).await.tokens();
    client.second_step(&challenge, "totp", &code).await.refused(400, "invalid_otp");
    let again = client.first_step(ADA).await;
    let stepping_up = client.begin_step_up(&tokens.access).await;
    for _ in 0..2 {
        client.second_step(&again, "totp", &code).await.refused(400, "invalid_otp");
        client.step_up(&tokens.access, &stepping_up, "totp", &code).await.refused(400, "invalid_otp");
        auth.wait(30);
    }
    client.second_step(&again, "totp", &ada.app.code(&auth)).await.ok();
    let stepping_up = client.begin_step_up(&tokens.access).await;
    let spent = client.step_up(&tokens.access, &stepping_up, "totp", &ada.app.code(&auth)).await;
    spent.refused(400, "invalid_otp");
}

/// S92, V35: three sign-ins, two of them twice, and a step-up bring the same code at once. One of them succeeds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s92_v35_parallel_sign_ins_with_one_code_open_one_session() {
    let auth = deployment().await;
    let client = auth.client();
    let ada = client.enrol(ADA).await;
    let access = &ada.tokens.access;
    let mut challenges = Vec::new();
    for _ in 0..3 {
        challenges.push(client.first_step(ADA).await);
    }
    challenges.extend_from_within(..2);
    let (stepping_up, code) = (client.begin_step_up(access).await, ada.app.code(&auth));
    let before = (sessions(&auth, &ada).len(), auth.items("S#").len());
    let signing_in = join_all(challenges.iter().map(|challenge| client.second_step(challenge, "totp", &code)));
    let (signed_in, stepped_up) = tokio::join!(signing_in, client.step_up(access, &stepping_up, "totp", &code));
    let opened = signed_in.iter().filter(|answer| answer.code() == "ok").count();
    assert_eq!(opened + usize::from(stepped_up.code() == "ok"), 1);
    let refused = signed_in.iter().chain([&stepped_up]).filter(|answer| answer.code() == "invalid_otp").count();
    assert_eq!(refused, 5);
    assert_eq!((sessions(&auth, &ada).len(), auth.items("S#").len()), (before.0 + opened, before.1 + opened));
}

/// S92: a clock that is fast has used a later code. The earlier ones, although never used, are over.
#[tokio::test]
async fn s92_an_earlier_step_is_refused_after_a_later_one() {
    let auth = deployment().await;
    let client = auth.client();
    let ada = client.enrol(ADA).await;
    auth.wait(60);
    let challenge = client.first_step(ADA).await;
    client.second_step(&challenge, "totp", &ada.app.code_at(auth.now() + 30)).await.ok();
    let challenge = client.first_step(ADA).await;
    for code in [auth.now() - 30, auth.now(), auth.now() + 30].map(|time| ada.app.code_at(time)) {
        client.second_step(&challenge, "totp", &code).await.refused(400, "invalid_otp");
    }
    auth.wait(30);
    client.second_step(&challenge, "totp", &ada.app.code(&auth)).await.refused(400, "invalid_otp");
    auth.wait(30);
    client.second_step(&challenge, "totp", &ada.app.code(&auth)).await.ok();
}

/// S92, V35: the code that confirmed the app opens no session.
#[tokio::test]
async fn s92_the_enrolments_code_is_spent() {
    let auth = deployment().await;
    let client = auth.client();
    let tokens = client.sign_in(ADA).await;
    let begun = client.post_as(&tokens.access, TOTP, json!({})).await.ok();
    let app = Authenticator::of(begun["secret"].as_str().unwrap());
    let code = app.code(&auth);
    let body = json!({ "factor_id": begun["factor_id"], "code": code });
    client.post_as(&tokens.access, CONFIRM, body).await.ok();
    let challenge = client.first_step(ADA).await;
    for _ in 0..2 {
        client.second_step(&challenge, "totp", &code).await.refused(400, "invalid_otp");
        auth.wait(30);
    }
    client.second_step(&challenge, "totp", &app.code(&auth)).await.ok();
}

/// S93: at the beginning and at the end of a step, its code and the two beside it are right.
#[tokio::test]
async fn s93_a_code_of_the_steps_beside_is_accepted() {
    let auth = deployment().await;
    let client = auth.client();
    let ada = client.enrol(ADA).await;
    for begins in [0, 30, 60] {
        for within in [0, 29] {
            auth.wait(240 + within);
            let challenge = client.first_step(ADA).await;
            let code = ada.app.code_at(auth.now() - 30 + begins);
            client.second_step(&challenge, "totp", &code).await.ok();
            auth.wait(30 - within);
        }
    }
}

/// S93: codes of two steps ago and of two steps ahead are wrong, and count as wrong.
#[tokio::test]
async fn s93_a_code_two_steps_away_is_refused() {
    let auth = deployment().await;
    let client = auth.client();
    let ada = client.enrol(ADA).await;
    // The codes are later than the one of the enrolment.
    auth.wait(90);
    let challenge = client.first_step(ADA).await;
    for time in [auth.now() - 60, auth.now() + 60] {
        client.second_step(&challenge, "totp", &ada.app.code_at(time)).await.refused(400, "invalid_otp");
    }
    assert_eq!(failures(&auth, &ada), 2);
    client.second_step(&challenge, "totp", &ada.app.code(&auth)).await.ok();
}

/// S94: the first step writes nothing about the user, and its answer lacks the tokens of a session and a device.
#[tokio::test]
async fn s94_no_session_exists_before_the_factor() {
    let auth = deployment().await;
    let client = auth.client();
    let ada = client.enrol(ADA).await;
    let before = auth.items("");
    let asked = client.ask(ADA).await;
    let answer = client.answer(ADA, &asked).await;
    assert!(!answer.headers.contains_key("set-cookie"));
    let due = answer.ok();
    assert_eq!(keys(&due), ["challenge_id", "expires_in", "methods", "second_factor_required", "success"]);
    assert_eq!((&due["methods"], &due["expires_in"]), (&json!(["totp", "backup_code"]), &json!(300)));
    assert_eq!(auth.items(""), before);

    let challenge = due["challenge_id"].as_str().unwrap();
    for path in [PROFILE, SESSIONS] {
        client.with_token("GET", path, challenge).await.needs_a_token();
    }
    client.refresh(challenge).await.refused(401, "invalid_token");
    client.post_as(challenge, STEP_UP_OPTIONS, json!({})).await.needs_a_token();
    // It is no trusted device either.
    let asked = client.ask(ADA).await;
    let body = json!({ "identifier": ADA, "otp_code": asked.code, "challenge_id": asked.challenge,
        "trusted_device": challenge, "device": challenge });
    assert_eq!(client.post(VERIFY, body).await.ok()["second_factor_required"], json!(true));
    client.second_step(challenge, "totp", &ada.app.wrong(&auth)).await.refused(400, "invalid_otp");
    client
        .post(SECOND_FACTOR, json!({ "challenge_id": challenge, "method": "enrolled" }))
        .await
        .refused(400, "invalid_otp");
    assert_eq!((sessions(&auth, &ada).len(), auth.items("S#").len()), (1, 1));

    let signed_in = client.second_step(challenge, "totp", &ada.app.code(&auth)).await.ok();
    assert!(signed_in["device"].is_string() && signed_in.get("trusted_device").is_none(), "{signed_in}");
    let claims = unverified(signed_in["tokens"]["access"].as_str().unwrap()).1;
    assert_eq!((&claims["acr"], &claims["amr"]), (&json!("2f"), &json!(["otp", "mfa"])));
    assert_eq!((&claims["sub"], sessions(&auth, &ada).len()), (&json!(user(&ada)), 2));
}

/// Whether an example answers with tokens.
fn has_tokens(example: &Value) -> bool {
    [example, &example["tokens"]].iter().any(|place| place.get("access").is_some())
}

/// S94, V70: the right code alone opens no session, on any path that answers with tokens.
#[tokio::test]
async fn s94_every_path_of_a_sign_in_asks_for_the_factor() {
    let issues = CONTRACT.operations.iter().filter(|operation| {
        operation.responses.get(&200).is_some_and(|response| response.examples.values().any(has_tokens))
    });
    let issuing: BTreeSet<&str> = issues.map(|operation| operation.id.as_str()).collect();
    // A new path with tokens needs its case below.
    let here = [
        "accountsVerifyCode",
        "cfgRefresh",
        "cfgVerifyCode",
        "refresh",
        "secondFactor",
        "stepUp",
        "verifyCode",
        "verifyOtp",
    ];
    assert_eq!(issuing, BTreeSet::from(here));

    for path in [VERIFY, "/accounts/otp/verify/", "/cfg/accounts/otp/verify/", "/api/auth/verify-otp/"] {
        let sms = [("SMS_PER_IP_DAY", "100"), ("SMS_BREAKER_SHARE", "0"), OPTIONAL];
        let auth = Deployment::with(&[&SETTINGS[..], &sms].concat()).await;
        let client = auth.client();
        let ada = client.enrol(PHONE).await;
        let before = auth.items("");
        client.ask(PHONE).await;
        let code = auth.newest_code(PHONE);
        let body = match path {
            VERIFY => json!({ "identifier": PHONE, "otp_code": code }),
            "/api/auth/verify-otp/" => json!({ "phone_number": PHONE, "otp_code": code }),
            _ => json!({ "phone": PHONE, "otp": code }),
        };
        let answer = client.post(path, body.clone()).await;
        assert!(!answer.headers.contains_key("set-cookie") && !has_tokens(&answer.body), "{path}: {}", answer.body);
        assert_eq!(auth.items(""), before, "{path}");
        let challenge = match path {
            VERIFY => answer.ok()["challenge_id"].clone(),
            "/cfg/accounts/otp/verify/" => {
                let due = answer.ok();
                assert_eq!(due["requires_2fa"], json!(true));
                due["session_id"].clone()
            }
            _ => {
                assert_eq!((answer.status.as_u16(), answer.body), (403, json!({ "detail": "2FA required" })), "{path}");
                json!("")
            }
        };
        // The code is used up.
        assert_eq!(client.post(path, body).await.status, 400, "{path}");

        // The other paths with tokens refuse what this path gave.
        let challenge = challenge.as_str().unwrap();
        for path in [REFRESH, "/cfg/accounts/token/refresh/"] {
            let refused = client.post(path, json!({ "refresh": challenge })).await;
            assert!(refused.status.is_client_error(), "{path}: {}", refused.body);
        }
        let body = json!({ "challenge_id": challenge, "method": "totp", "code": ada.app.wrong(&auth) });
        client.post(STEP_UP, body.clone()).await.needs_a_token();
        // An empty id is none.
        let code = if challenge.is_empty() { "invalid_request" } else { "invalid_otp" };
        client.post(SECOND_FACTOR, body).await.refused(400, code);
        assert_eq!((sessions(&auth, &ada).len(), auth.items("S#").len()), (1, 1), "{path}");
        if !challenge.is_empty() {
            client.second_step(challenge, "totp", &ada.app.code(&auth)).await.ok();
        }
    }
}

/// S94: a factor is added after the code was sent, or while the sign-in has read the user already.
#[tokio::test]
async fn s94_a_factor_added_during_a_sign_in_is_asked_for() {
    let auth = deployment().await;
    let client = auth.client();
    let tokens = client.sign_in(ADA).await;
    let asked = client.ask(ADA).await;
    let ada = client.enrol_in(&tokens).await;
    let due = client.answer(ADA, &asked).await.ok();
    assert_eq!(due["second_factor_required"], json!(true), "{due}");
    assert_eq!(sessions(&auth, &ada).len(), 1);

    let tokens = client.sign_in(BOB).await;
    let asked = client.ask(BOB).await;
    let is_entry = |call: &Held| call.operation == "UpdateItem" && call.keys.iter().any(|key| key.starts_with("U#"));
    let adding = async { drop(client.enrol_in(&tokens).await) };
    // On the heap, because the future exceeds a test's stack.
    let answer = Box::pin(held(&auth, is_entry, client.answer(BOB, &asked), adding)).await;
    answer.refused(400, "invalid_otp");
    let user = format!("U#{}", unverified(&tokens.access).1["sub"].as_str().unwrap());
    assert_eq!(auth.items(&user)[0]["ss"]["M"].as_object().unwrap().len(), 1);
    client.first_step(BOB).await;
}

/// S95, V36: a backup code is read as people type it, works once, and the answer tells how many are left.
#[tokio::test]
async fn s95_v36_a_backup_code_works_once() {
    let auth = deployment().await;
    let client = auth.client();
    let ada = client.enrol(ADA).await;
    assert_eq!(BTreeSet::from_iter(&ada.backup_codes).len(), 8);
    let code = &ada.backup_codes[0];
    let typed = format!(" {} ", code.to_lowercase().replace('-', " "));
    let challenge = client.first_step(ADA).await;
    let signed_in = client.second_step(&challenge, "backup_code", &typed).await.ok();
    assert_eq!(signed_in["backup_codes_left"], json!(7));
    let access = signed_in["tokens"]["access"].as_str().unwrap();
    assert_eq!(unverified(access).1["acr"], json!("2f"));

    let again = client.first_step(ADA).await;
    let stepping_up = client.begin_step_up(access).await;
    for spent in [code, &typed] {
        client.second_step(&challenge, "backup_code", spent).await.refused(400, "invalid_otp");
        client.second_step(&again, "backup_code", spent).await.refused(400, "invalid_otp");
        client.step_up(access, &stepping_up, "backup_code", spent).await.refused(400, "invalid_otp");
    }
    let stepped_up = client.step_up(access, &stepping_up, "backup_code", &ada.backup_codes[1]).await.ok();
    assert_eq!(stepped_up["backup_codes_left"], json!(6));
    let again = client.first_step(ADA).await;
    client.second_step(&again, "backup_code", &ada.backup_codes[1]).await.refused(400, "invalid_otp");
    // A code of the app leaves them alone.
    let signed_in = client.second_step(&again, "totp", &ada.app.code(&auth)).await.ok();
    assert!(signed_in.get("backup_codes_left").is_none(), "{signed_in}");
    assert_eq!(factors(&auth, &ada)["bk"]["M"].as_object().unwrap().len(), 6);
}

/// S95, V36: three sign-ins, two of them twice, and a step-up bring the same backup code at once. One of them succeeds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s95_v36_parallel_sign_ins_with_one_backup_code_open_one_session() {
    let auth = deployment().await;
    let client = auth.client();
    let ada = client.enrol(ADA).await;
    let (access, code) = (&ada.tokens.access, &ada.backup_codes[0]);
    let mut challenges = Vec::new();
    for _ in 0..3 {
        challenges.push(client.first_step(ADA).await);
    }
    challenges.extend_from_within(..2);
    let stepping_up = client.begin_step_up(access).await;
    let before = (sessions(&auth, &ada).len(), auth.items("S#").len());
    let signing_in = join_all(challenges.iter().map(|challenge| client.second_step(challenge, "backup_code", code)));
    let (signed_in, stepped_up) = tokio::join!(signing_in, client.step_up(access, &stepping_up, "backup_code", code));
    let opened = signed_in.iter().filter(|answer| answer.code() == "ok").count();
    assert_eq!(opened + usize::from(stepped_up.code() == "ok"), 1);
    let refused = signed_in.iter().chain([&stepped_up]).filter(|answer| answer.code() == "invalid_otp").count();
    assert_eq!(refused, 5);
    assert_eq!((sessions(&auth, &ada).len(), auth.items("S#").len()), (before.0 + opened, before.1 + opened));
    assert_eq!(factors(&auth, &ada)["bk"]["M"].as_object().unwrap().len(), 7);
}

/// S95: after a user has made new backup codes, the earlier ones are wrong.
#[tokio::test]
async fn s95_new_backup_codes_end_the_old_ones() {
    let auth = deployment().await;
    let client = auth.client();
    let ada = client.enrol(ADA).await;
    let stepped = client.step_up_with(&ada.tokens, &ada.app).await;
    let renewed = client.post_as(&stepped.access, BACKUP_CODES, json!({})).await.ok();
    let renewed: Vec<&str> =
        renewed["backup_codes"].as_array().unwrap().iter().map(|code| code.as_str().unwrap()).collect();
    assert_eq!(
        BTreeSet::from_iter(renewed.iter().copied().chain(ada.backup_codes.iter().map(String::as_str))).len(),
        16
    );
    let challenge = client.first_step(ADA).await;
    for old in &ada.backup_codes {
        client.second_step(&challenge, "backup_code", old).await.refused(400, "invalid_otp");
    }
    let signed_in = client.second_step(&challenge, "backup_code", renewed[0]).await.ok();
    assert_eq!(signed_in["backup_codes_left"], json!(7));
}

/// S95: another user's backup code is wrong, even if a writer of the table has copied its digest.
#[tokio::test]
async fn s95_a_backup_code_of_somebody_else_is_refused() {
    let auth = deployment().await;
    let client = auth.client();
    let (ada, bob) = (client.enrol(ADA).await, client.enrol(BOB).await);
    let challenge = client.first_step(ADA).await;
    let refuse_all = async || {
        for code in &bob.backup_codes {
            client.second_step(&challenge, "backup_code", code).await.refused(400, "invalid_otp");
        }
    };
    refuse_all().await;
    let own = factors(&auth, &ada);
    let mut copied = own.clone();
    copied["bk"] = factors(&auth, &bob)["bk"].clone();
    put(&auth, &copied);
    refuse_all().await;
    put(&auth, &own);
    client.second_step(&challenge, "backup_code", &ada.backup_codes[0]).await.ok();
    let challenge = client.first_step(BOB).await;
    client.second_step(&challenge, "backup_code", &bob.backup_codes[0]).await.ok();
}

/// S99: a wrong, used, late or malformed code of every method, and a challenge that is unknown, forged, late, used, or of another
/// kind, look alike.
#[tokio::test]
async fn s99_every_refused_factor_gets_the_same_answer() {
    let auth = deployment().await;
    let client = auth.client();
    let (ada, bob) = (client.enrol(ADA).await, client.enrol(BOB).await);
    let access = &ada.tokens.access;
    let late = client.first_step(ADA).await;
    let late_step_up = client.begin_step_up(access).await;
    auth.wait(540);
    let (used, spent) = (client.first_step(ADA).await, ada.app.code(&auth));
    client.second_step(&used, "totp", &spent).await.ok();
    let by_backup_code = client.first_step(ADA).await;
    client.second_step(&by_backup_code, "backup_code", &ada.backup_codes[0]).await.ok();
    let asked = client.ask(ADA).await;
    let challenge = client.first_step(ADA).await;
    let stepping_up = client.begin_step_up(access).await;
    let bobs = client.first_step(BOB).await;
    auth.wait(30);

    let right = ada.app.code(&auth);
    let unused = ada.backup_codes[1].as_str();
    let (no_totp, no_backup_code) = (ada.app.wrong(&auth), "0".repeat(24));
    let unknown = "A".repeat(challenge.len());
    let forged = format!("{challenge}AAAA");
    let mut answers = Vec::new();
    for (method, code) in [
        ("totp", no_totp.as_str()),
        ("totp", &spent),
        ("totp", &ada.app.code_at(auth.now() + 60)),
        ("totp", "12345"),
        ("totp", unused),
        ("totp", &asked.code[..1]),
        ("backup_code", &no_backup_code),
        ("backup_code", &ada.backup_codes[0]),
        ("backup_code", &bob.backup_codes[0]),
        ("backup_code", &right),
        ("backup_code", "0"),
        ("enrolled", ""),
    ] {
        answers.push(client.second_step(&challenge, method, code).await);
        answers.push(client.step_up(access, &stepping_up, method, code).await);
    }
    for (method, code) in [("totp", right.as_str()), ("backup_code", unused), ("enrolled", "")] {
        for other in ["ä", &unknown, &forged, &late, &used, &by_backup_code, &bobs, &asked.challenge, &stepping_up] {
            answers.push(client.second_step(other, method, code).await);
        }
        for other in ["ä", &unknown, &forged, &late_step_up, &used, &bobs, &asked.challenge, &challenge] {
            answers.push(client.step_up(access, other, method, code).await);
        }
    }
    let shown = |answer: &Answer| {
        let headers =
            answer.headers.iter().filter(|(name, _)| !["x-request-id", "apigw-requestid"].contains(&name.as_str()));
        let headers: BTreeSet<_> =
            headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
        (answer.status.as_u16(), answer.body.clone(), headers)
    };
    for answer in &answers {
        answer.refused(400, "invalid_otp");
        assert_eq!(shown(answer), shown(&answers[0]));
    }
    client.second_step(&challenge, "totp", &right).await.ok();
}

/// V06, AuthQuake: ten wrong codes are all that an attacker has, in however many sign-ins, networks and instances.
#[tokio::test]
async fn v06_new_sign_ins_bring_no_new_attempts() {
    let auth = deployment().await;
    let ada = auth.client().enrol(ADA).await;
    let challenge = auth.client_at(ATTACKER).first_step(ADA).await;
    fail(&auth, &challenge, &ada.app, 10).await;
    let elsewhere = auth.stack.another_api("elsewhere").await.unwrap();
    for number in 1..=2 {
        let attacker = auth.client_at(&format!("203.0.113.{number}")).by(&elsewhere);
        let challenge = attacker.first_step(ADA).await;
        for _ in 0..3 {
            waits(&attacker.second_step(&challenge, "totp", &ada.app.wrong(&auth)).await, 60);
        }
    }
    assert_eq!(failures(&auth, &ada), 10);
}

/// V70: the first step is repeated with its retry key, before and after the second step.
#[tokio::test]
async fn v70_a_retry_of_the_first_step_opens_no_session() {
    let auth = deployment().await;
    let client = auth.client();
    let ada = client.enrol(ADA).await;
    let asked = client.ask(ADA).await;
    let due = client.answer_with(ADA, &asked, RETRY).await.ok();
    assert_eq!(due["second_factor_required"], json!(true), "{due}");
    client.answer_with(ADA, &asked, RETRY).await.refused(400, "invalid_otp");
    assert_eq!((sessions(&auth, &ada).len(), auth.items("S#").len()), (1, 1));
    client.second_step(due["challenge_id"].as_str().unwrap(), "totp", &ada.app.code(&auth)).await.ok();
    client.answer_with(ADA, &asked, RETRY).await.refused(400, "invalid_otp");
    assert_eq!((sessions(&auth, &ada).len(), auth.items("S#").len()), (2, 2));
}

/// V72: codes of one user and the challenge of another one open nothing. Neither does a challenge of a step-up in a sign-in, or the
/// other way round.
#[tokio::test]
async fn v72_a_pending_sign_in_is_of_one_user() {
    let auth = deployment().await;
    let client = auth.client();
    let (ada, bob) = (client.enrol(ADA).await, client.enrol(BOB).await);
    let (adas, bobs) = (client.first_step(ADA).await, client.first_step(BOB).await);
    let stepping_up = client.begin_step_up(&ada.tokens.access).await;
    for (challenge, of) in [(&adas, &bob), (&bobs, &ada)] {
        client.second_step(challenge, "totp", &of.app.code(&auth)).await.refused(400, "invalid_otp");
        client.second_step(challenge, "backup_code", &of.backup_codes[0]).await.refused(400, "invalid_otp");
    }
    for of in [&ada, &bob] {
        for (method, code) in [("totp", of.app.code(&auth)), ("backup_code", of.backup_codes[0].clone())] {
            client.step_up(&bob.tokens.access, &stepping_up, method, &code).await.refused(400, "invalid_otp");
            client.second_step(&stepping_up, method, &code).await.refused(400, "invalid_otp");
            client.step_up(&of.tokens.access, &adas, method, &code).await.refused(400, "invalid_otp");
        }
    }
    for (challenge, of) in [(&adas, &ada), (&bobs, &bob)] {
        let tokens = client.second_step(challenge, "totp", &of.app.code(&auth)).await.tokens();
        assert_eq!(unverified(&tokens.access).1["sub"], json!(user(of)));
        assert_eq!(sessions(&auth, of).len(), 2);
    }
}

/// V72: a challenge opens one session. It also ends with a success in another sign-in, with a change of factors, and when the user
/// signs out everywhere.
#[tokio::test]
async fn v72_a_pending_sign_in_is_used_once() {
    let auth = deployment().await;
    let client = auth.client();
    let ada = client.enrol(ADA).await;
    let mut unused = ada.backup_codes.iter();
    let (first, beside) = (client.first_step(ADA).await, client.first_step(ADA).await);
    let tokens = client.second_step(&first, "totp", &ada.app.code(&auth)).await.tokens();
    auth.wait(30);
    let mut assert_over = async |challenge: &str| {
        client.second_step(challenge, "totp", &ada.app.code(&auth)).await.refused(400, "invalid_otp");
        client.second_step(challenge, "backup_code", unused.next().unwrap()).await.refused(400, "invalid_otp");
    };
    assert_over(&first).await;
    assert_over(&beside).await;
    assert_eq!(sessions(&auth, &ada).len(), 2);

    let before_a_change = client.first_step(ADA).await;
    let renewed = client.post_as(&tokens.access, BACKUP_CODES, json!({})).await.ok();
    assert_over(&before_a_change).await;
    let code = renewed["backup_codes"][0].as_str().unwrap();
    client.second_step(&before_a_change, "backup_code", code).await.refused(400, "invalid_otp");

    let before_the_end = client.first_step(ADA).await;
    client.logout_everywhere(&tokens.refresh).await.ok();
    client.second_step(&before_the_end, "totp", &ada.app.code(&auth)).await.refused(400, "invalid_otp");
    client.second_step(&before_the_end, "backup_code", code).await.refused(400, "invalid_otp");
    assert_eq!(sessions(&auth, &ada).len(), 0);
    auth.wait(240);
    client.sign_in_with(ADA, &ada.app).await;
}
