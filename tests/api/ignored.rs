//! Claims of a request about its sender, its host or earlier checks are ignored.

use axum::body::Bytes;
use axum::http::Request;
use serde_json::{Value, json};
use tests::client::{LOGOUT, PROFILE, REFRESH, REQUEST, SESSIONS, VERIFY};
use tests::deployment::{unverified, wrong};
use tests::{Answer, Client, Deployment};

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";
const PHONE: &str = "+447400123456";

/// A request with custom headers.
async fn send(client: Client<'_>, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
    let json = [("content-type", "application/json")];
    let request = Request::builder().method(method).uri(path);
    let request = headers.iter().chain(&json).fold(request, |request, (name, value)| request.header(*name, *value));
    let text = if body.is_null() { String::new() } else { body.to_string() };
    client.send(request.body(Bytes::from(text)).unwrap()).await
}

/// S78, V28: every header that some server treats as its own name, in each request of a journey.
#[tokio::test]
async fn a_foreign_host_changes_nothing() {
    const EVIL: &str = "evil.example";
    let auth = Deployment::with(&[("JWT_ISSUER", ""), ("WEBOTP_HOST", "app.example.com")]).await;
    let plain = auth.client().get("/.well-known/openid-configuration").await.ok();
    let forwarded = format!("for=1.2.3.4;host={EVIL};proto=http");
    for (name, value) in
        [("host", EVIL), ("x-forwarded-host", EVIL), ("forwarded", &forwarded), ("x-original-host", EVIL)]
    {
        let headers = [(name, value), ("x-forwarded-proto", "http")];
        let discovery = send(auth.client(), "GET", "/.well-known/openid-configuration", &headers, &Value::Null).await;
        assert_eq!(discovery.ok(), plain, "{name}");
        for who in [format!("{name}@example.com"), PHONE.to_owned()] {
            let asked = send(auth.client(), "POST", REQUEST, &headers, &json!({ "identifier": who })).await.ok();
            let message = auth.stack.inbox().messages(Some(&who)).remove(0);
            assert!(!format!("{message:?}").contains(EVIL), "{name}: {message:?}");
            let challenge = &asked["challenge_id"];
            let body = json!({ "identifier": who, "otp_code": auth.newest_code(&who), "challenge_id": challenge });
            let answer = send(auth.client(), "POST", VERIFY, &headers, &body).await;
            assert!(!format!("{answer:?}").contains(EVIL), "{name}: {answer:?}");
            let tokens = answer.tokens();
            assert_eq!(unverified(&tokens.access).1["iss"], plain["issuer"], "{name}");
            auth.client().with_token("GET", PROFILE, &tokens.access).await.ok();
            let body = json!({ "refresh": tokens.refresh });
            let refreshed = send(auth.client(), "POST", REFRESH, &headers, &body).await.tokens();
            assert_eq!(unverified(&refreshed.access).1["iss"], plain["issuer"], "{name}");
        }
        auth.wait(3_600);
    }
    assert!(plain["issuer"].as_str().unwrap().starts_with("https://"));
}

/// V28, V39: a message contains a code to type, and is free of links.
#[tokio::test]
async fn a_message_has_no_link() {
    let auth = Deployment::with(&[("WEBOTP_HOST", "app.example.com")]).await;
    for who in [ADA, PHONE] {
        let body = json!({ "identifier": who, "source_url": "https://evil.example/x" });
        auth.client().post(REQUEST, body).await.ok();
        let message = auth.stack.inbox().messages(Some(who)).remove(0);
        let parts = [message.subject.unwrap_or_default(), message.text, message.html.unwrap_or_default()];
        assert!(parts.iter().any(|part| part.contains(&auth.newest_code(who))));
        for part in parts.map(|part| part.to_lowercase()) {
            for link in ["http", "www.", "://", "<a", "href", "<img", "src=", "url(", "evil"] {
                assert!(!part.contains(link), "{link} is in {part}");
            }
        }
    }
}

/// V10: fields claiming a successful verification are ignored.
#[tokio::test]
async fn claims_of_a_verification_are_ignored() {
    let auth = Deployment::start().await;
    let claimed = [
        "verified",
        "is_verified",
        "email_verified",
        "phone_verified",
        "otp_verified",
        "is_active",
        "is_staff",
        "success",
    ];
    let claim = |mut body: Value| {
        claimed.iter().for_each(|name| body[*name] = json!(true));
        (body["step"], body["user"]) = (json!("done"), json!({ "email": BOB, "email_verified": true }));
        body
    };
    let asked = auth.client().ask(PHONE).await;
    let (code, challenge) = (&asked.code, &asked.challenge);
    let of_phone = json!({ "identifier": PHONE, "challenge_id": challenge });
    auth.client().post(VERIFY, claim(of_phone.clone())).await.refused(400, "invalid_request");
    let mut guess = of_phone.clone();
    guess["otp_code"] = json!(wrong(code));
    auth.client().post(VERIFY, claim(guess)).await.refused(400, "invalid_otp");
    assert!(auth.items("U#").is_empty() && auth.items("ID#").is_empty(), "a user was created");

    let mut right = of_phone;
    right["otp_code"] = json!(code);
    let user = auth.client().post(VERIFY, claim(right)).await.ok()["user"].take();
    let verified = [&user["email_verified"], &user["phone_verified"], &user["email"], &user["phone"]];
    assert_eq!(verified, [&json!(false), &json!(true), &Value::Null, &json!(PHONE)]);
}

/// V22, S89: headers and fields naming another user or tenant are ignored.
#[tokio::test]
async fn a_user_or_tenant_in_a_request_is_ignored() {
    let auth = Deployment::start().await;
    let (ada, bob) = (auth.client().sign_in(ADA).await, auth.client().sign_in(BOB).await);
    let user = auth.client().with_token("GET", PROFILE, &ada.access).await.ok();
    let of_bob = auth.client().with_token("GET", PROFILE, &bob.access).await.ok()["id"].take();
    let of_bob = of_bob.as_str().unwrap();
    let bearer = format!("Bearer {}", ada.access);
    let names = ["x-user-id", "x-user", "x-tenant", "x-tenant-id", "x-forwarded-user", "tenant"];
    let mut headers: Vec<_> = names.map(|name| (name, if name.contains("user") { of_bob } else { "other" })).into();
    let claims = json!({ "user_id": of_bob, "sub": of_bob, "uid": of_bob, "tenant": "other", "tenant_id": "other" });
    let with = |mut body: Value| {
        claims.as_object().unwrap().iter().for_each(|(name, value)| body[name] = value.clone());
        body
    };
    let keys = |table: &str| -> Vec<Value> {
        auth.items_of(table, "").into_iter().map(|item| item["pk"].clone()).filter(|key| !is_session(key)).collect()
    };
    let before = (keys("USER_TABLE"), keys("OTP_TABLE"));

    let refreshed = send(auth.client(), "POST", REFRESH, &headers, &with(json!({ "refresh": ada.refresh }))).await;
    let newer = refreshed.tokens();
    assert_eq!(unverified(&newer.access).1["sub"], user["id"]);
    let asked = send(auth.client(), "POST", REQUEST, &headers, &with(json!({ "identifier": ADA }))).await.ok();
    let body = json!({ "identifier": ADA, "otp_code": auth.newest_code(ADA), "challenge_id": asked["challenge_id"] });
    let signed_in = send(auth.client(), "POST", VERIFY, &headers, &with(body)).await.ok();
    assert_eq!((&signed_in["user"]["id"], &signed_in["user"]["is_new_user"]), (&user["id"], &json!(false)));
    assert!(unverified(signed_in["tokens"]["access"].as_str().unwrap()).1.get("tenant_id").is_none());
    // The items have the same keys as before, so nothing was created for another tenant or user.
    assert_eq!((keys("USER_TABLE"), keys("OTP_TABLE")), before);

    headers.push(("authorization", &bearer));
    assert_eq!(send(auth.client(), "GET", PROFILE, &headers, &Value::Null).await.ok(), user);
    send(auth.client(), "DELETE", SESSIONS, &headers, &Value::Null).await.ok();
    let body = with(json!({ "refresh": newer.refresh, "all": true }));
    send(auth.client(), "POST", LOGOUT, &headers, &body).await.ok();
    assert_eq!(auth.live(&mut [bob]).await, 1, "Ada has ended Bob's session");
    assert_eq!(auth.live(&mut [newer]).await, 0);
}

fn is_session(key: &Value) -> bool {
    key["S"].as_str().unwrap().starts_with("S#")
}

/// S87: one warm instance of each function serves two users in turn.
#[tokio::test]
async fn a_warm_instance_leaks_nothing_between_users() {
    let auth = Deployment::start().await;
    let (first, told_first) = journey(&auth, "unmistakable@example.com", "203.0.113.66", "Firefox/140.0 Linux").await;
    let (second, told_second) = journey(&auth, PHONE, "198.51.100.7", "").await;
    assert!(first.len() >= 8 && second.len() == first.len(), "{first:?}");
    for secret in &first {
        assert!(told_first.contains(secret.as_str()), "the first user did not get {secret}");
        assert!(!told_second.contains(secret.as_str()), "the second user got {secret}");
    }
}

/// Everything the user sends and receives: bodies, headers and messages.
async fn journey(auth: &Deployment, who: &str, address: &str, device: &str) -> (Vec<String>, String) {
    let (client, agent) = (auth.client_at(address), [("user-agent", device)]);
    let asked = send(client, "POST", REQUEST, &agent, &json!({ "identifier": who })).await;
    let code = auth.newest_code(who);
    let body = json!({ "identifier": who, "otp_code": code, "challenge_id": asked.body["challenge_id"] });
    let verified = send(client, "POST", VERIFY, &agent, &body).await;
    let tokens = verified.clone().tokens();
    let refreshed = send(client, "POST", REFRESH, &agent, &json!({ "refresh": tokens.refresh })).await;
    let list = client.with_token("GET", SESSIONS, &tokens.access).await;
    let profile = client.with_token("GET", PROFILE, &tokens.access).await;
    let refused = send(client, "POST", VERIFY, &agent, &body).await;
    let logout = send(client, "POST", LOGOUT, &agent, &json!({ "refresh": refreshed.clone().tokens().refresh })).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let session = text(&list.body["sessions"][0]["id"]);
    let again = refreshed.clone().tokens();
    let (challenge, user) = (text(&asked.body["challenge_id"]), text(&verified.body["user"]["id"]));
    let secrets = vec![
        who.to_owned(),
        code,
        challenge,
        user,
        session,
        tokens.access,
        tokens.refresh,
        again.access,
        again.refresh,
    ];
    let messages = format!("{:?}", auth.stack.inbox().messages(Some(who)));
    let told = [asked, verified, refreshed, list, profile, refused, logout].map(|answer| format!("{answer:?}"));
    (secrets, told.concat() + &messages)
}
