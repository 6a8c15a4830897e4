//! Purposes of codes: a code that confirms a request of a session opens nothing else, and is nobody else's.

use axum::body::Bytes;
use axum::http::Request;
use serde_json::{Value, json};
use tests::client::{REQUEST, VERIFY};
use tests::deployment::wrong;
use tests::operations::SETTINGS;
use tests::{Answer, Asked, Client, Deployment, Tokens};

use crate::workspace::read;

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";
const PHONE: &str = "+447400123456";

/// A client that has signed in: its tokens, and its device token of the identifier.
pub(crate) struct Known {
    pub(crate) who: &'static str,
    pub(crate) tokens: Tokens,
    pub(crate) device: String,
}

impl Known {
    pub(crate) async fn sign_in(client: Client<'_>, who: &'static str) -> Known {
        let asked = client.ask(who).await;
        let signed_in = client.answer(who, &asked).await;
        let device = signed_in.body["device"].as_str().unwrap().to_owned();
        Known { who, tokens: signed_in.tokens(), device }
    }

    /// A request for a code that confirms a request, with other fields.
    async fn request(&self, client: Client<'_>, fields: Value) -> Answer {
        let mut body = json!({ "identifier": self.who, "purpose": "step_up", "device": self.device });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        client.post_as(&self.tokens.access, REQUEST, body).await
    }

    pub(crate) async fn ask(&self, auth: &Deployment) -> Asked {
        asked(auth, self.who, &self.request(auth.client(), json!({})).await.ok())
    }
}

fn asked(auth: &Deployment, who: &str, answer: &Value) -> Asked {
    Asked { challenge: answer["challenge_id"].as_str().unwrap().to_owned(), code: auth.newest_code(who) }
}

/// The entries of codes with digits, those of strangers and of known devices.
fn entries(auth: &Deployment) -> Vec<Value> {
    let item = auth.identifier(ADA).unwrap();
    let maps = ["co", "ck"].into_iter().filter_map(|map| item[map]["M"].as_object());
    maps.flat_map(|map| map.values().map(|entry| entry["M"].clone())).collect()
}

/// S271: without a valid access token nothing is sent, and a sign-in needs none.
#[tokio::test]
async fn a_code_that_confirms_a_request_needs_an_access_token() {
    let auth = Deployment::start().await;
    let ada = Known::sign_in(auth.client(), ADA).await;
    let before = auth.messages_to(ADA);
    let body = json!({ "identifier": ADA, "purpose": "step_up", "device": ada.device });
    auth.client().post(REQUEST, body.clone()).await.needs_a_token();
    for header in ["Bearer", "Bearer none", "Basic YTpi", &format!("Bearer {}x", ada.tokens.access)] {
        auth.client().post_with("authorization", header, REQUEST, body.clone()).await.needs_a_token();
    }
    auth.wait(7_200);
    ada.request(auth.client(), json!({})).await.needs_a_token();
    assert_eq!(auth.messages_to(ADA), before);
    auth.client().post_with("authorization", "Bearer none", REQUEST, json!({ "identifier": ADA })).await.ok();
    auth.client().post(REQUEST, json!({ "identifier": ADA, "purpose": "sign_in" })).await.ok();
}

/// The keys of HMAC tokens are in the keyring only.
#[tokio::test]
async fn an_access_token_of_every_kind_of_key_is_checked() {
    for algorithm in ["HS256", "ES256", "EdDSA"] {
        let auth = Deployment::with(&[("JWT_ALGORITHM", algorithm)]).await;
        Known::sign_in(auth.client(), ADA).await.ask(&auth).await;
    }
}

/// S275: a thief of an access token alone, or with a device token of another identifier, sends no message.
#[tokio::test]
async fn a_code_that_confirms_a_request_needs_the_identifiers_device_token() {
    let auth = Deployment::start().await;
    let (ada, bob) = (Known::sign_in(auth.client(), ADA).await, Known::sign_in(auth.client(), BOB).await);
    let before = auth.messages_to(ADA);
    for device in [json!(null), json!(""), json!("v1.99999999999.AAAA"), json!(bob.device)] {
        ada.request(auth.client(), json!({ "device": device })).await.refused(403, "forbidden");
    }
    assert_eq!(auth.messages_to(ADA), before);
    ada.ask(&auth).await;
    // The owner signs out everywhere. The device is unknown again, and the access token still lives.
    let tokens = auth.client().sign_in(ADA).await;
    auth.client().logout_everywhere(&tokens.refresh).await.ok();
    ada.request(auth.client(), json!({})).await.refused(403, "forbidden");
}

/// S270: unknown purposes, and those that nothing takes, are refused. Replaced systems know none.
#[tokio::test]
async fn other_purposes_are_refused() {
    let auth = Deployment::start().await;
    let ada = Known::sign_in(auth.client(), ADA).await;
    for purpose in [json!("contact"), json!("delete"), json!(5), json!(["step_up"]), json!("sign-in"), json!("Step_Up")]
    {
        let answer = ada.request(auth.client(), json!({ "purpose": purpose })).await;
        answer.refused(400, "invalid_request");
    }
    let body = json!({ "identifier": ADA, "purpose": "step_up", "device": ada.device });
    let bearer = format!("Bearer {}", ada.tokens.access);
    let answer = auth.client().post_with("authorization", &bearer, "/accounts/otp/request/", body).await;
    assert_eq!((answer.status.as_u16(), auth.messages_to(ADA)), (400, 1), "{}", answer.body);
}

/// S270, S274: a code that confirms a request opens no session, with its challenge id or without one, before and after a code for a
/// sign-in. An answer without an id spends none of its attempts.
#[tokio::test]
async fn a_code_that_confirms_a_request_opens_no_session() {
    let auth = Deployment::start().await;
    let ada = Known::sign_in(auth.client(), ADA).await;
    let sessions = auth.items("S#").len();
    let before = ada.ask(&auth).await;
    let sign_in = auth.client().ask(ADA).await;
    let after = ada.ask(&auth).await;
    for confirming in [&before, &after] {
        auth.client().answer(ADA, confirming).await.refused(400, "invalid_otp");
        auth.client().answer_unbound(ADA, &confirming.code).await.refused(400, "invalid_otp");
        let mixed = Asked { challenge: sign_in.challenge.clone(), code: confirming.code.clone() };
        assert!(confirming.code == sign_in.code || auth.client().answer(ADA, &mixed).await.code() == "invalid_otp");
        let mixed = Asked { challenge: confirming.challenge.clone(), code: sign_in.code.clone() };
        auth.client().answer(ADA, &mixed).await.refused(400, "invalid_otp");
    }
    assert_eq!(auth.items("S#").len(), sessions);
    let confirming: Vec<_> = entries(&auth).into_iter().filter(|entry| entry["p"]["S"] == "s").collect();
    assert_eq!(confirming.len(), 2);
    assert!(confirming.iter().all(|entry| entry["t"]["N"] == "3"), "{confirming:?}");
    let asked = auth.client().ask(ADA).await;
    auth.client().answer(ADA, &asked).await.ok();
}

/// V37, S270: the newest alias code of another network is the newest one for a sign-in.
#[tokio::test]
async fn an_answer_without_an_id_spends_attempts_of_codes_for_a_sign_in_only() {
    let auth = Deployment::start().await;
    let ada = Known::sign_in(auth.client(), ADA).await;
    // Known devices have three codes. The next ones are among those of strangers.
    for _ in 0..4 {
        ada.ask(&auth).await;
    }
    for _ in 0..2 {
        auth.client().answer_unbound(ADA, "000000").await.refused(400, "invalid_otp");
    }
    assert!(entries(&auth).iter().all(|entry| entry["t"]["N"] == "3"));
}

/// S272: such a code takes from the buckets of its identifier, and leaves the last token to the long code that all clients share. It
/// shares no code, and none of its own is shared.
#[tokio::test]
async fn a_code_that_confirms_a_request_is_never_shared() {
    let auth = Deployment::start().await;
    let ada = Known::sign_in(auth.client(), ADA).await;
    let before = auth.messages_to(ADA);
    let mut codes = Vec::new();
    for _ in 0..7 {
        codes.push(ada.ask(&auth).await.code);
    }
    assert_eq!(auth.messages_to(ADA), before + 7);
    // Three for known devices, of which the third has eight digits. Then this network has its two short codes, and two long ones.
    assert_eq!(codes.iter().map(String::len).collect::<Vec<_>>(), [6, 6, 8, 6, 6, 13, 13]);
    assert_ne!(codes[5], codes[6]);
    let refused = ada.request(auth.client(), json!({})).await;
    refused.refused(429, "rate_limited");
    assert_eq!(refused.retry_after(), 240);
    // The last token buys a long code for a sign-in, although newer long codes exist.
    let stranger = auth.client_at("203.0.113.1").ask(ADA).await;
    assert_eq!((auth.messages_to(ADA), stranger.code.len()), (before + 8, 13));
    assert!(!codes.contains(&stranger.code));
    let shared = auth.client_at("203.0.113.2").ask(ADA).await;
    assert_eq!((auth.messages_to(ADA), &shared.code), (before + 8, &stranger.code));
    // It shares nothing either.
    let refused = ada.request(auth.client(), json!({})).await;
    refused.refused(429, "rate_limited");
    assert_eq!(refused.retry_after(), 240);
    for code in &codes[5..] {
        let typed = Asked { challenge: shared.challenge.clone(), code: code.clone() };
        auth.client().answer(ADA, &typed).await.refused(400, "invalid_otp");
        auth.client().answer_unbound(ADA, code).await.refused(400, "invalid_otp");
    }
    auth.client_at("203.0.113.2").answer(ADA, &shared).await.ok();
    // Two tokens of the open bucket are back.
    auth.wait(480);
    ada.ask(&auth).await;
}

/// S270: a resend keeps the purpose. A request with another one does not continue the challenge.
#[tokio::test]
async fn a_resend_keeps_the_purpose() {
    let auth = Deployment::start().await;
    let ada = Known::sign_in(auth.client(), ADA).await;
    let first = ada.ask(&auth).await;
    // Too soon, it is the same challenge without a message.
    let before = auth.messages_to(ADA);
    ada.request(auth.client(), json!({ "challenge_id": first.challenge })).await.ok();
    assert_eq!(auth.messages_to(ADA), before);
    auth.wait(30);
    let again = ada.request(auth.client(), json!({ "challenge_id": first.challenge })).await.ok();
    let again = asked(&auth, ADA, &again);
    let kept = entries(&auth);
    assert_eq!((kept.len(), &kept[0]["c"]["N"], &kept[0]["p"]["S"]), (1, &json!("2"), &json!("s")));
    auth.client().answer(ADA, &again).await.refused(400, "invalid_otp");
    // A sign-in that names it begins a challenge of its own.
    let other = auth.client().post(REQUEST, json!({ "identifier": ADA, "challenge_id": again.challenge })).await.ok();
    let other = asked(&auth, ADA, &other);
    let marks: Vec<_> = entries(&auth).iter().map(|entry| entry["p"]["S"].clone()).collect();
    assert_eq!(marks.iter().filter(|mark| **mark == json!("s")).count(), 1, "{marks:?}");
    assert_eq!(marks.len(), 2, "{marks:?}");
    auth.client().answer(ADA, &other).await.ok();
    // A code for a sign-in is not continued by a request with a purpose.
    let sign_in = auth.client().ask(ADA).await;
    auth.wait(30);
    ada.request(auth.client(), json!({ "challenge_id": sign_in.challenge })).await.ok();
    auth.client().answer(ADA, &sign_in).await.ok();
}

/// S272: the attempts of all purposes are charged to the identifier together.
#[tokio::test]
async fn attempts_of_all_purposes_are_charged_together() {
    let auth = Deployment::start().await;
    let ada = Known::sign_in(auth.client(), ADA).await;
    assert_eq!(auth.charged(ADA), 0);
    ada.ask(&auth).await;
    assert_eq!(auth.charged(ADA), 3);
    let sign_in = auth.client().ask(ADA).await;
    assert_eq!(auth.charged(ADA), 6);
    let guess = Asked { code: wrong(&sign_in.code), ..sign_in.clone() };
    auth.client().answer(ADA, &guess).await.refused(400, "invalid_otp");
    // A right answer leaves the charges of the code that is under way.
    auth.client().answer(ADA, &sign_in).await.ok();
    assert_eq!(auth.charged(ADA), 3);
}

/// The challenge of every purpose has a status, and a long code for one purpose tells nothing about a long code for another.
#[tokio::test]
async fn a_challenge_of_every_purpose_has_a_status() {
    let auth = Deployment::start().await;
    let ada = Known::sign_in(auth.client(), ADA).await;
    let asked = ada.ask(&auth).await;
    let state = async |challenge: &str| auth.client().status(ADA, challenge).await.ok()["state"].clone();
    assert_eq!(state(&asked.challenge).await, "sent");
    auth.wait(1);
    auth.stack.deliver().await;
    auth.wait(1);
    assert_eq!(state(&asked.challenge).await, "delivered");
    assert_eq!(state("AAAA").await, "over");
    for _ in 0..5 {
        ada.ask(&auth).await;
    }
    let long = ada.ask(&auth).await;
    assert_eq!((long.code.len(), state(&long.challenge).await), (13, json!("sent")));
}

/// S273: a message says what its code is for, in every language, by mail and text.
#[tokio::test]
async fn a_message_says_what_its_code_is_for() {
    let auth = Deployment::with(&SETTINGS).await;
    for tag in ["ar", "de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt-BR", "tr", "zh-Hans"] {
        let texts: toml::Table = read(format!("shared/messages/{tag}.toml")).parse().unwrap();
        let filled = |table: &str, key: &str, code: &str| {
            texts[table][key].as_str().unwrap().replace("{code}", code).replace("{product}", "Latchkey")
        };
        auth.wait(7_200);
        let ada = Known::sign_in(auth.client(), ADA).await;
        let phone = Known::sign_in(auth.client(), PHONE).await;
        ada.request(auth.client(), json!({ "locale": tag })).await.ok();
        let (mail, code) = (auth.stack.inbox().messages(Some(ADA)).remove(0), auth.newest_code(ADA));
        assert_eq!(mail.subject.unwrap(), filled("confirm", "subject", &code));
        assert!(mail.text.contains(&filled("confirm", "instruction", &code)), "{}", mail.text);
        assert!(!mail.text.contains(&filled("mail", "instruction", &code)), "{}", mail.text);
        phone.request(auth.client(), json!({ "locale": tag })).await.ok();
        let (sms, code) = (auth.stack.inbox().messages(Some(PHONE)).remove(0), auth.newest_code(PHONE));
        assert!(sms.text.starts_with(&filled("confirm", "text", &code)), "{}", sms.text);
    }
}

/// The log line of such a request names the purpose, and that of a sign-in names none.
#[tokio::test]
async fn the_log_names_the_purpose() {
    let auth = Deployment::start().await;
    let ada = Known::sign_in(auth.client(), ADA).await;
    let steps = |auth: &Deployment| {
        let lines: Vec<Value> = auth.stack.logs().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        let steps = lines.iter().flat_map(|line| line["steps"].as_array().into_iter().flatten());
        let challenges = steps.filter(|step| step["step"] == "challenge").cloned();
        challenges.map(|step| step["purpose"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(steps(&auth), [Value::Null]);
    ada.ask(&auth).await;
    assert_eq!(steps(&auth), [Value::Null, json!("step_up")]);
}

/// In cookie mode, the device token comes from its cookie, and the challenge id goes to one.
#[tokio::test]
async fn a_browser_asks_with_its_cookies() {
    let auth = Deployment::start().await;
    let mut browser = auth.client().browser("http://localhost:3000");
    let signed_in = browser.sign_in(ADA).await;
    let access = signed_in["tokens"]["access"].as_str().unwrap();
    let cookies: Vec<_> = browser.cookies.iter().map(|(name, (value, _))| format!("{name}={value}")).collect();
    let request = Request::post(REQUEST)
        .header("content-type", "application/json")
        .header("origin", "http://localhost:3000")
        .header("authorization", format!("Bearer {access}"))
        .header("cookie", cookies.join("; "));
    let body = json!({ "identifier": ADA, "purpose": "step_up", "token_delivery": "cookie" }).to_string();
    let answer = auth.client().send(request.body(Bytes::from(body)).unwrap()).await;
    assert!(answer.clone().ok()["challenge_id"].is_null());
    let set = answer.headers.get_all("set-cookie").iter().map(|line| line.to_str().unwrap().to_owned());
    let challenge = set.filter_map(|line| Some(line.strip_prefix("__Host-challenge=")?.split_once(';')?.0.to_owned()));
    let challenge: Vec<_> = challenge.collect();
    assert_eq!(challenge.len(), 1);
    let code = auth.newest_code(ADA);
    let body = json!({ "identifier": ADA, "otp_code": code, "challenge_id": challenge[0] });
    auth.client().post(VERIFY, body).await.refused(400, "invalid_otp");
}
