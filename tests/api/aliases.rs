//! Aliases of replaced systems: they accept the old frontends' requests and answer in the expected format.

use axum::body::Bytes;
use axum::http::Request;
use serde_json::{Value, json};
use shared::http::{ALIASES, ROUTES};
use tests::client::VERIFY;
use tests::deployment::wrong;
use tests::operations::SETTINGS;
use tests::{Answer, Client, Deployment};

use crate::workspace::read;

const ADA: &str = "ada@example.com";
const PHONE: &str = "+447400123456";

/// The names of an object's members.
fn members(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// Sends a request with a fixed body and token to an alias.
async fn ask(client: Client<'_>, method: &str, path: &str) -> Answer {
    let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    client.send(request.body(Bytes::from_static(b"{}")).unwrap()).await
}

const ACCOUNT: [&str; 8] =
    ["date_joined", "email", "first_name", "full_name", "id", "last_name", "phone", "phone_verified"];

/// One frontend uses two prefixes. Unknown fields are ignored.
#[tokio::test]
async fn a_code_by_the_accounts_paths_gives_flat_tokens() {
    let auth = Deployment::start().await;
    for (prefix, contact) in [("/accounts", ADA), ("/cfg/accounts", PHONE)] {
        let is_phone = contact == PHONE;
        let channel = if is_phone { "phone" } else { "email" };
        let body =
            json!({ "identifier": contact, "channel": channel, "source_url": "https://app.example.com", "x": 1 });
        let sent = auth.client().post(&format!("{prefix}/otp/request/"), body).await.ok();
        let (to, life) = if is_phone { ("phone number", 300) } else { ("email address", 360) };
        assert_eq!(sent, json!({ "message": format!("OTP sent to your {to}"), "expires_in": life, "resend_in": 30 }));

        let body = json!({ channel: contact, "otp": auth.newest_code(contact) });
        let signed_in = auth.client().post(&format!("{prefix}/otp/verify/"), body).await.ok();
        assert_eq!(members(&signed_in), ["access", "refresh", "user"]);
        let user = &signed_in["user"];
        assert_eq!(members(user), ACCOUNT);
        assert_eq!((&user["phone_verified"], &user[channel]), (&json!(is_phone), &json!(contact)));
        assert_eq!(user[if is_phone { "email" } else { "phone" }], Value::Null);

        let access = signed_in["access"].as_str().unwrap();
        let profile = auth.client().with_token("GET", "/cfg/accounts/profile/", access).await.ok();
        assert_eq!(&profile, user);
        auth.client().refresh(signed_in["refresh"].as_str().unwrap()).await.ok();
    }
}

/// Uses the old name of the code's field. A resend has its own waiting time.
#[tokio::test]
async fn errors_of_the_accounts_paths_have_a_code_and_a_text() {
    let auth = Deployment::with(&[("OTP_REQUESTS_PER_IP", "1")]).await;
    let client = auth.client();
    for prefix in ["/accounts", "/cfg/accounts"] {
        let (request, verify) = (format!("{prefix}/otp/request/"), format!("{prefix}/otp/verify/"));
        let refused = client.post(&request, json!({ "identifier": "nobody" })).await;
        let body = json!({ "error": "Please provide a valid email address.", "error_code": "invalid_email" });
        assert_eq!((refused.status.as_u16(), refused.body), (400, body));
        let refused = client.post(&verify, json!({ "identifier": ADA, "otp": "123456" })).await;
        let body = json!({ "error": "That code did not work. Ask for a new one.", "error_code": "invalid_otp" });
        assert_eq!((refused.status.as_u16(), refused.body), (400, body));

        client.post(&request, json!({ "identifier": ADA })).await;
        let limited = client.post(&request, json!({ "identifier": ADA })).await;
        assert_eq!(
            (limited.status.as_u16(), members(&limited.body)),
            (429, vec!["error", "error_code", "retry_after"])
        );
        assert_eq!(limited.body["error_code"], json!("rate_limited"));
        assert_eq!(limited.headers["retry-after"], limited.body["retry_after"].to_string().as_str());
    }
}

#[tokio::test]
async fn the_cfg_paths_refresh_and_blacklist_tokens() {
    let auth = Deployment::start().await;
    let first = auth.client().sign_in(ADA).await;
    let body = json!({ "refresh": first.refresh });
    let second = auth.client().post("/cfg/accounts/token/refresh/", body).await.ok();
    assert_eq!(members(&second), ["access", "refresh"]);
    assert_ne!(second["refresh"], json!(first.refresh));

    let body = json!({ "refresh": second["refresh"] });
    let blacklist = auth.client().post("/cfg/accounts/token/blacklist/", body.clone()).await.ok();
    assert_eq!(blacklist, json!({}));
    let refused = auth.client().post("/cfg/accounts/token/refresh/", body).await;
    let not_valid = json!({ "detail": "This session has ended. Sign in again.", "code": "token_not_valid" });
    assert_eq!((refused.status.as_u16(), refused.body), (401, not_valid));
    for path in ["/cfg/accounts/token/refresh/", "/cfg/accounts/token/blacklist/"] {
        let refused = auth.client().post(path, json!({})).await;
        assert_eq!((refused.status.as_u16(), members(&refused.body)), (400, vec!["code", "detail"]));
        assert_eq!(refused.body["code"], json!("invalid_request"));
    }
}

/// The request contains only a phone number.
#[tokio::test]
async fn a_user_signs_in_by_the_phone_paths() {
    let auth = Deployment::with(&[("OTP_SMS_EXPIRY_SECONDS", "90")]).await;
    let typed = "+44 7400 123456";
    let sent = auth.client().post("/api/auth/send-otp/", json!({ "phone_number": typed })).await.ok();
    let expected = json!({ "message": "OTP sent successfully", "phone_number": typed, "expires_in_minutes": 1 });
    assert_eq!(sent, expected);

    for is_new in [true, false] {
        let body = json!({ "phone_number": PHONE, "otp_code": auth.newest_code(PHONE) });
        let signed_in = auth.client().post("/api/auth/verify-otp/", body).await.ok();
        assert_eq!(members(&signed_in), ["is_new_user", "message", "tokens", "user"]);
        assert_eq!(signed_in["message"], json!("Authentication successful"));
        assert_eq!(
            (members(&signed_in["tokens"]), &signed_in["is_new_user"]),
            (vec!["access", "refresh"], &json!(is_new))
        );
        let user = &signed_in["user"];
        let expected = json!({
            "id": user["id"], "phone_number": PHONE, "username": user["id"], "first_name": "", "last_name": "",
            "is_phone_verified": true, "date_joined": "2026-01-01T00:00:00Z",
        });
        assert_eq!(user, &expected);
        let access = signed_in["tokens"]["access"].as_str().unwrap();
        let profile = auth.client().with_token("GET", "/api/auth/profile/", access).await.ok();
        assert_eq!(profile, json!({ "user": expected }));
        auth.client().post("/api/auth/send-otp/", json!({ "phone_number": PHONE })).await.ok();
    }
    let mailed = json!({ "identifier": ADA, "channel": "email" });
    let texts = [
        ("/api/auth/send-otp/", mailed.clone(), "The channel does not match the identifier."),
        ("/api/auth/verify-otp/", mailed, "The field otp_code is missing."),
        ("/api/auth/verify-otp/", json!({ "email": ADA, "otp_code": "123456" }), "The channel does not match"),
        ("/api/auth/send-otp/", json!({ "phone_number": "07400 123456" }), "Please provide a valid phone number"),
        ("/api/auth/send-otp/", json!({}), "The field identifier is missing."),
        ("/api/auth/verify-otp/", json!({ "phone_number": PHONE, "otp_code": "1" }), "That code did not work."),
    ];
    for (path, body, text) in texts {
        let refused = auth.client().post(path, body).await;
        assert_eq!((refused.status.as_u16(), members(&refused.body)), (400, vec!["error"]));
        assert!(refused.body["error"].as_str().unwrap().starts_with(text), "{}", refused.body);
    }
}

/// V21, V32, S62: an alias adds default fields, but accepts only valid bodies and reports the same errors.
#[tokio::test]
async fn every_path_parses_bodies_strictly() {
    let auth = Deployment::start().await;
    let long = json!({ "phone_number": PHONE, "x": "a".repeat(8 * 1024) }).to_string();
    let bodies = [
        r#"{"phone_number":"+447400123456","phone_number":"+447400123457"}"#,
        r#"{"phone_number":["+447400123456"]}"#,
        r#"{"phone_number":"+447400123456"} x"#,
        "[]",
        &long,
    ];
    for alias in ALIASES.iter().filter(|alias| alias.method == "POST") {
        for body in bodies {
            let refused = auth.client().post_text(alias.path, body).await;
            let ours = auth.client().post_text(alias.stands_for, body).await;
            assert_eq!((refused.status, ours.code()), (ours.status, "invalid_request"), "{} {body}", alias.path);
        }
        let request = Request::post(alias.path).header("content-type", "text/plain");
        let body = Bytes::from(json!({ "phone_number": PHONE }).to_string());
        assert_eq!(auth.client().send(request.body(body).unwrap()).await.status, 400);
    }
    assert!(auth.stack.inbox().messages(None).is_empty());
}

/// Frontends of replaced systems store their tokens themselves, even in a deployment with cookies as its default.
#[tokio::test]
async fn aliases_return_tokens_in_the_body_even_with_cookie_delivery() {
    for (request, verify) in [
        ("/accounts/otp/request/", "/accounts/otp/verify/"),
        ("/cfg/accounts/otp/request/", "/cfg/accounts/otp/verify/"),
        ("/api/auth/send-otp/", "/api/auth/verify-otp/"),
    ] {
        let auth = Deployment::with(&[("TOKEN_DELIVERY", "cookie")]).await;
        // The browser sends its cookies to every path of this host.
        let mut browser = auth.client().browser("http://localhost:3000");
        browser.sign_in(PHONE).await;
        auth.wait(60);
        let (kept, wish) = (browser.cookies.clone(), "cookie");
        let body = json!({ "phone_number": PHONE, "token_delivery": wish });
        let sent = browser.post(request, body).await;
        let body = json!({ "phone_number": PHONE, "otp_code": auth.newest_code(PHONE), "token_delivery": wish });
        let signed_in = browser.post(verify, body).await;
        let tokens = signed_in.body.get("tokens").unwrap_or(&signed_in.body);
        let body = json!({ "refresh": tokens["refresh"], "token_delivery": wish });
        let refreshed = browser.post("/cfg/accounts/token/refresh/", body).await;
        let body = json!({ "refresh": refreshed.body["refresh"], "token_delivery": wish });
        let ended = browser.post("/cfg/accounts/token/blacklist/", body).await;
        for answer in [sent, signed_in, refreshed, ended] {
            assert!(!answer.headers.contains_key("set-cookie"), "{verify}: {:?}", answer.headers);
            answer.ok();
        }
        // The body has another session's token. The cookie keeps its own session.
        assert_eq!(browser.cookies, kept);
        browser.refresh().await.ok();
        let without = browser.post("/cfg/accounts/token/refresh/", json!({})).await;
        assert_eq!((without.status.as_u16(), &without.body["code"]), (400, &json!("invalid_request")));
    }
}

/// The alias checks the token and sends the usual headers.
#[tokio::test]
async fn a_profile_needs_a_token_by_every_path() {
    let auth = Deployment::start().await;
    for path in ["/cfg/accounts/profile/", "/api/auth/profile"] {
        let refused = auth.client().with_token("GET", path, "x").await;
        assert_eq!(refused.status, 401);
        assert_eq!(refused.body, json!({ "detail": "This session has ended. Sign in again." }));
        for (name, value) in [("www-authenticate", "Bearer"), ("cache-control", "no-store")] {
            assert_eq!(refused.headers[name], value);
        }
    }
}

/// Works with and without the final slash, and only for the alias's method. The fallback's errors also use the alias's format.
#[tokio::test]
async fn every_alias_reaches_its_route() {
    let auth = Deployment::start().await;
    for alias in ALIASES {
        for path in [alias.path.to_owned(), format!("{}/", alias.path)] {
            let here = ask(auth.client(), alias.method, &path).await;
            let ours = ask(auth.client(), alias.method, alias.stands_for).await;
            let status = if alias.method == "GET" { 401 } else { 400 };
            assert_eq!((here.status.as_u16(), ours.status.as_u16()), (status, status), "{path}");
            assert!(here.body.get("success").is_none(), "{path} answers in the API's own format: {}", here.body);

            let other = ask(auth.client(), "PUT", &path).await;
            assert_eq!((other.status.as_u16(), &other.headers["allow"]), (405, &alias.method.parse().unwrap()));
            assert_eq!(members(&other.body), members(&here.body), "{path}");
        }
        let below = ask(auth.client(), alias.method, &format!("{}/more", alias.path)).await;
        below.refused(404, "not_found");
    }
}

/// API Gateway might miss the empty rest. The redirect keeps the alias's path, because other paths answer in another format.
#[tokio::test]
async fn a_slash_that_the_gateway_does_not_match_is_redirected_to_the_alias() {
    let auth = Deployment::start().await;
    auth.stack.api().unwrap().gateway().set_ignores_empty_rest(true);
    for alias in ALIASES {
        let answer = ask(auth.client(), alias.method, &format!("{}/", alias.path)).await;
        assert_eq!((answer.status.as_u16(), &answer.headers["location"]), (308, &alias.path.parse().unwrap()));
    }
}

/// With aliases off, these paths behave like unknown ones, for every method. Latchkey's own paths keep working.
#[tokio::test]
async fn disabled_aliases_are_not_found() {
    let auth = Deployment::with(&[("ALIASES", "off")]).await;
    let tokens = auth.client().sign_in(ADA).await;
    for alias in ALIASES {
        for path in [alias.path.to_owned(), format!("{}/", alias.path)] {
            for method in [alias.method, "PUT"] {
                ask(auth.client(), method, &path).await.refused(404, "not_found");
            }
            auth.client().with_token(alias.method, &path, &tokens.access).await.refused(404, "not_found");
        }
    }
    let calls = auth.stack.services().calls();
    calls.take();
    ask(auth.client(), "POST", "/api/auth/send-otp").await;
    assert!(calls.take().is_empty());
    auth.client().with_token("GET", tests::client::PROFILE, &tokens.access).await.ok();
}

/// The guide lists every alias. Every route that requests a code is throttled, under each of its paths.
#[test]
fn every_alias_is_documented_and_throttled() {
    let (guide, template) = (read("docs/migration.md"), read("template.yaml"));
    for alias in ALIASES {
        let row = format!("| `{} {}/` | `{}/` |", alias.method, alias.path, alias.stands_for);
        assert!(guide.contains(&row), "docs/migration.md has no row that begins with {row}");
    }
    let aliases = ALIASES.iter().map(|alias| (alias.method, alias.path, alias.stands_for.ends_with("/otp/request")));
    let routes = ROUTES.iter().map(|route| (route.method, route.path, route.function == "request-otp"));
    for (method, path, requests) in aliases.chain(routes) {
        for rest in ["", "/{proxy+}"] {
            let fuse = format!("\"{method} {path}{rest}\":\n          ThrottlingRateLimit: !Ref RequestRate\n");
            assert_eq!(template.contains(&fuse), requests, "{fuse}");
        }
    }
}

/// V06, V27: an attempt counts the same by every path, and so does the last one.
#[tokio::test]
async fn attempts_count_the_same_by_every_path() {
    let sms = [("SMS_PER_IP_DAY", "100"), ("SMS_BREAKER_SHARE", "0")];
    let auth = Deployment::with(&[&SETTINGS[..], &sms].concat()).await;
    let verifying = ALIASES.iter().filter(|alias| alias.stands_for == VERIFY.trim_end_matches('/'));
    let paths: Vec<&str> = verifying.map(|alias| alias.path).chain([VERIFY]).collect();
    assert_eq!(paths.len(), 4);
    for (number, guessed) in paths.iter().enumerate() {
        for (other, answered) in paths.iter().enumerate() {
            let phone = format!("+4474001234{number}{other}");
            let asked = auth.client().ask(&phone).await;
            let answer = async |path: &str, code: &str| {
                let body = json!({ "phone_number": phone, "otp": code, "challenge_id": asked.challenge });
                auth.client().post(path, body).await.status.as_u16()
            };
            for _ in 0..3 {
                assert_eq!(answer(guessed, &wrong(&asked.code)).await, 400);
            }
            assert_eq!(answer(answered, &asked.code).await, 400, "attempts at {guessed} do not count at {answered}");
        }
    }
}
