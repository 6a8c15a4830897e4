//! Codes, tokens and addresses must not appear in logs and tables.

use std::panic::{AssertUnwindSafe, catch_unwind};

use data_encoding::BASE64;
use ring::hmac;
use serde_json::{Value, json};
use tests::authenticator::{CONFIRM, SECOND_FACTOR, TOTP};
use tests::client::{LOGOUT, REQUEST};
use tests::deployment::wrong;
use tests::{Asked, Authenticator, Deployment};

use crate::workspace::{files, read};

/// Long enough not to appear in a digest by chance.
const ADA: &str = "unmistakable@example.com";

/// S09, V31: after a journey with every kind of error.
#[tokio::test]
async fn no_code_token_or_address_is_in_a_log_or_in_the_otp_table() {
    let auth = Deployment::start().await;
    let client = auth.client_at("203.0.113.66");

    let asked = client.ask(ADA).await;
    client.answer(ADA, &Asked { code: wrong(&asked.code), ..asked.clone() }).await;
    client.answer_unbound("mallory@example.com", &asked.code).await;
    client.post(REQUEST, json!({ "identifier": "+15551234567" })).await;
    let texted = client.ask("+447400123456").await;
    client.answer("+447400123456", &Asked { code: wrong(&texted.code), ..texted.clone() }).await;
    client.answer("+447400123456", &texted).await.ok();
    client.post(REQUEST, json!({ "identifier": "mallory at example" })).await;
    auth.faults(json!({ "delivery": "refused" }));
    client.post(REQUEST, json!({ "identifier": ADA })).await.refused(502, "email_send_failed");
    client.post(REQUEST, json!({ "identifier": "+447400123456" })).await.refused(502, "sms_send_failed");
    auth.faults(json!({ "aws": [{ "service": "dynamodb", "error": "AccessDeniedException", "times": 1 }] }));
    client.post(REQUEST, json!({ "identifier": ADA })).await.refused(500, "internal_error");
    auth.faults(json!({}));

    let first = client.answer(ADA, &asked).await.tokens();
    client.ask("mallory@example.com").await;
    let second = client.refresh(&first.refresh).await.tokens();
    auth.wait(11);
    client.refresh(&first.refresh).await.refused(401, "invalid_token");
    client.post(LOGOUT, json!({ "refresh": second.refresh, "all": true })).await.ok();

    // Invalid addresses get no messages, so the witness learns only the others.
    let logs = auth.stack.logs();
    assert!(logs.len() > 10 && logs.iter().any(|line| line.contains("\"outcome\":\"ok\"")), "the log is empty");
    let table = serde_json::to_string(&auth.items_of("OTP_TABLE", "")).unwrap();
    for text in logs.iter().chain([&table]) {
        for typed in ["unmistakable", "mallory"] {
            assert!(!text.contains(typed), "{typed} is in {text}");
        }
        serde_json::from_str::<Value>(text).expect("a log line is JSON");
    }
}

/// Every deployment in the tests ends with this check (`tests::witness`). It finds each kind of secret.
#[tokio::test]
async fn leaks_are_found_at_the_end_of_every_test() {
    let auth = Deployment::start().await;
    let client = auth.client_at("203.0.113.66");
    let asked = client.ask(ADA).await;
    let texted = client.ask("+447400123456").await;
    auth.faults(json!({ "delivery": "refused" }));
    client.post(REQUEST, json!({ "identifier": "grace@example.com" })).await.refused(502, "email_send_failed");
    auth.faults(json!({}));
    let tokens = client.answer(ADA, &asked).await.tokens();
    assert_eq!(auth.witness.leaks(), Vec::<String>::new());

    let (codes, keys) = (auth.code_keys(), auth.signing_keys());
    let pepper = serde_json::to_value(&codes.peppers).unwrap()[0]["key"].as_str().unwrap().to_owned();
    let signing = keys.signing.all()[0].key.reveal().lines().nth(3).unwrap().to_owned();
    let last_part = |token: &str| token.rsplit_once('.').unwrap().1.to_owned();
    let secrets = [
        asked.code,
        texted.code,
        asked.challenge,
        last_part(&tokens.access),
        last_part(&tokens.refresh),
        tokens.access,
        tokens.refresh,
        pepper,
        signing,
        ADA.to_uppercase(),
        "+447400123456".to_owned(),
        "447400123456".to_owned(),
        "grace@example.com".to_owned(),
        "203.0.113.66".to_owned(),
    ];
    for (told, secret) in secrets.iter().enumerate() {
        auth.witness.line(&format!("{{\"cause\":\"code={secret}.\",\"times\":{told}}}"));
        let line = format!("\"times\":{told}}}");
        assert!(auth.witness.leaks().iter().any(|leak| leak.ends_with(&line)), "{secret} was not found");
    }
    let digits = BASE64.encode(secrets[0].as_bytes());
    auth.witness.table(&json!({ "pk": { "S": "I#x" }, "code": { "B": digits } }));
    assert!(auth.witness.leaks().iter().any(|leak| leak.contains("OtpTable")));
    let ended = catch_unwind(AssertUnwindSafe(|| drop(auth)));
    assert!(ended.is_err(), "a deployment ended without an error despite leaks");
}

/// The same for second factors: secrets of apps, their codes, backup codes, what waits for a factor, and trusted devices.
#[tokio::test]
async fn secrets_of_second_factors_are_found() {
    let auth = Deployment::start().await;
    let client = auth.client();
    let tokens = client.sign_in(ADA).await;
    let begun = client.post_as(&tokens.access, TOTP, json!({})).await.ok();
    let secret = begun["secret"].as_str().unwrap().to_owned();
    let app = Authenticator::of(&secret);
    let code = app.code(&auth);
    let confirmation = json!({ "factor_id": begun["factor_id"], "code": code });
    let added = client.post_as(&tokens.access, CONFIRM, confirmation).await.ok();
    let backup_codes: Vec<_> =
        added["backup_codes"].as_array().unwrap().iter().map(|code| code.as_str().unwrap().to_owned()).collect();
    auth.wait(30);
    let challenge = client.first_step(ADA).await;
    let body =
        json!({ "challenge_id": challenge, "method": "backup_code", "code": backup_codes[0], "trust_device": true });
    let trusted = client.post(SECOND_FACTOR, body).await.ok()["trusted_device"].as_str().unwrap().to_owned();
    client.step_up_with(&tokens, &app).await;
    auth.stack.deliver().await;
    assert_eq!(auth.witness.leaks(), Vec::<String>::new());

    let factors = auth.items("F#").remove(0);
    let unused = backup_codes[7].replace('-', "").to_lowercase();
    for (told, secret) in
        [&secret, &code, &backup_codes[0], &backup_codes[7], &unused, &challenge, &trusted].into_iter().enumerate()
    {
        assert!(!factors.to_string().contains(secret.as_str()), "{secret} is in {factors}");
        auth.witness.line(&format!("{{\"cause\":\"code={secret}.\",\"times\":{told}}}"));
        let line = format!("\"times\":{told}}}");
        assert!(auth.witness.leaks().iter().any(|leak| leak.ends_with(&line)), "{secret} was not found");
    }
    let ended = catch_unwind(AssertUnwindSafe(|| drop(auth)));
    assert!(ended.is_err(), "a deployment ended without an error despite leaks");
}

/// A secret that is stored as it is would be found at the end.
#[tokio::test]
async fn a_plain_secret_of_an_app_is_found() {
    for is_plain in [false, true] {
        let auth = Deployment::start().await;
        let tokens = auth.client().sign_in(ADA).await;
        let begun = auth.client().post_as(&tokens.access, TOTP, json!({})).await.ok();
        let mut item = auth.items("F#").remove(0);
        if is_plain {
            item["en"]["M"]["x"] = json!({ "S": begun["secret"] });
        }
        let put = json!({ "TableName": auth.setting("USER_TABLE"), "Item": item });
        auth.stack.services().dynamodb("PutItem", put).unwrap();
        let ended = catch_unwind(AssertUnwindSafe(|| drop(auth)));
        assert_eq!(ended.is_err(), is_plain);
    }
}

/// The end also searches what `record` has stored.
#[tokio::test]
async fn an_address_in_record_table_is_found() {
    for (text, is_leak) in [("otp_email", false), (ADA, true)] {
        let auth = Deployment::start().await;
        auth.client().sign_in(ADA).await;
        let item = json!({ "pk": { "S": "A#x" }, "sk": { "S": "1" }, "via": { "S": text } });
        let put = json!({ "TableName": auth.setting("RECORD_TABLE"), "Item": item });
        auth.stack.services().dynamodb("PutItem", put).unwrap();
        let ended = catch_unwind(AssertUnwindSafe(|| drop(auth)));
        assert_eq!(ended.is_err(), is_leak, "{text}");
    }
}

/// A page may name any host as its source, even the address of its own visitor. `record` passes it on.
#[tokio::test]
async fn an_address_that_record_passes_on_is_found() {
    const OWN: &str = "203.0.113.66";
    for (host, places) in [("203.0.113.67", vec![]), (OWN, vec!["RecordTable", "an event"])] {
        let auth = Deployment::start().await;
        auth.client_at(OWN).sign_in_from(ADA, &format!("https://{host}/")).await;
        auth.stack.deliver().await;
        let leaks = auth.witness.leaks();
        let found = |place: &&str| leaks.iter().any(|leak| leak.starts_with(&format!("{OWN} is in {place}: ")));
        assert_eq!(["RecordTable", "an event"].into_iter().filter(found).collect::<Vec<_>>(), places, "{leaks:?}");
        let ended = catch_unwind(AssertUnwindSafe(|| drop(auth)));
        assert_eq!(ended.is_err(), host == OWN, "{host}");
    }
}

/// Six digits may be part of something else. They are a code only as a separate word.
#[tokio::test]
async fn digits_within_longer_text_are_not_a_code() {
    let auth = Deployment::start().await;
    let code = auth.client().ask(ADA).await.code;
    for line in [
        format!("0.{code} and {code}.5"),
        format!("1{code} {code}2 a{code} {code}f"),
        format!("00:00:00:{code}:5"),
        format!("SMS#1767312000#{code}"),
    ] {
        auth.witness.line(&line);
    }
    assert_eq!(auth.witness.leaks(), Vec::<String>::new());
}

/// A stack started or called in another way would have no witness.
#[test]
fn every_stack_of_the_tests_has_a_witness() {
    for (words, only) in [("Stack::start(", "src/deployment.rs"), ("self.api.call(", "src/client.rs")] {
        let found = files("tests", ".rs").into_iter().filter(|file| read(file).contains(words));
        // The fuzzer is exempt, because its input is public and the log of a million requests is too large.
        let others = ["api/secrets.rs", "fuzz/src/stage.rs"];
        let found: Vec<_> = found.filter(|file| !others.iter().any(|other| file.ends_with(other))).collect();
        assert!(found.len() == 1 && found[0].ends_with(only), "{words}: {found:?}");
    }
    // Deployments without a witness are only for measurements.
    for file in files("tests/api", ".rs").into_iter().chain(files("tests/orders", ".rs")) {
        assert!(file.ends_with("api/secrets.rs") || !read(&file).contains("Deployment::measured("), "{file:?}");
    }
}

/// S87: a second user on the same warm instance sees nothing of the first.
#[tokio::test]
async fn each_request_has_one_log_line() {
    let auth = Deployment::start().await;
    auth.client().post(REQUEST, json!({ "identifier": ADA })).await.ok();
    auth.client().post(REQUEST, json!({ "identifier": "nobody" })).await.refused(400, "invalid_email");
    let lines: Vec<Value> = auth
        .stack
        .logs()
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        // The keys were made when the stack started.
        .filter(|line: &Value| !line["outcome"].is_null() && line["function"] != "rotate-keys")
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(
        (&lines[0]["outcome"], &lines[0]["status"], &lines[0]["cold_start"]),
        (&json!("ok"), &json!(200), &json!(true))
    );
    assert_eq!(
        (&lines[1]["outcome"], &lines[1]["status"], &lines[1]["cold_start"]),
        (&json!("invalid_email"), &json!(400), &json!(false))
    );
    assert!(lines.iter().all(|line| line["request_id"].is_string()
        && line["function"] == "request-otp"
        && line["duration_ms"].is_number()));
}

/// S08, S89, V07: the table stores a keyed digest of the tenant, the channel, the address, the purpose, the challenge and the
/// code. This test computes the digest independently, and again with each part changed.
#[tokio::test]
async fn a_codes_digest_covers_its_whole_context() {
    for (who, channel) in [(ADA, "email"), ("+447400123456", "phone")] {
        let auth = Deployment::start().await;
        let asked = auth.client().ask(who).await;
        let keys = serde_json::to_value(auth.code_keys().peppers).unwrap();
        let pepper = BASE64.decode(keys[0]["key"].as_str().unwrap().as_bytes()).unwrap();
        let pepper = hmac::Key::new(hmac::HMAC_SHA256, &pepper);
        let item = auth.items_of("OTP_TABLE", "I#").remove(0);
        let (challenge, kept) = item["co"]["M"].as_object().unwrap().iter().next().unwrap();
        let kept = BASE64.decode(kept["M"]["h"]["B"].as_str().unwrap().as_bytes()).unwrap();
        let fields = ["default", channel, who, "sign-in", challenge, &asked.code];
        let digest = |fields: [&str; 6]| {
            let mut mac = hmac::Context::with_key(&pepper);
            for field in ["code"].into_iter().chain(fields) {
                mac.update(&(field.len() as u64).to_be_bytes());
                mac.update(field.as_bytes());
            }
            mac.sign().as_ref()[..16].to_vec()
        };
        assert_eq!(digest(fields), kept, "{who}");
        for other in 0..fields.len() {
            let mut changed = fields;
            changed[other] = "other";
            assert_ne!(digest(changed), kept, "{}", fields[other]);
        }
    }
}
