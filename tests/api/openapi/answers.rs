//! How to produce each documented answer.

use axum::body::Bytes;
use axum::http::{Method, Request, StatusCode, header};
use local_aws::MailEvent;
use serde_json::json;
use tests::client::REQUEST;
use tests::contract::Operation;
use tests::deployment::{CALLS, wrong};
use tests::{Answer, Deployment, Tokens};

use super::{factors, original};

pub(super) const ADA: &str = "ada@example.com";
const PHONE: &str = "+447400123456";
pub(super) const PAGE: &str = "http://localhost:3000";
/// An unused session id.
pub(super) const NOBODYS: &str = "AAAAAAAAAAAAAAAAAAAAAA";

/// The identifier in the operation's examples.
pub(super) fn person(operation: &Operation) -> &'static str {
    if ["sendOtp", "verifyOtp", "authProfile"].contains(&operation.id.as_str()) { PHONE } else { ADA }
}

/// The operation's path, with an id if needed.
fn path(operation: &Operation) -> String {
    operation.path.replace("{id}", NOBODYS)
}

/// A request from a page of `origin`, in a browser that has completed the earlier steps.
async fn by_cookies(operation: &Operation, origin: &str) -> Answer {
    let auth = Deployment::start().await;
    let mut browser = auth.client().browser(PAGE);
    let mut body = operation.requests["cookie"].clone();
    match operation.id.as_str() {
        "requestCode" => {}
        "verifyCode" => body["otp_code"] = json!(browser.ask(ADA).await),
        "codeStatus" => drop(browser.ask(ADA).await),
        _ => drop(browser.sign_in(ADA).await),
    }
    browser.page = vec![("origin", origin.to_owned())];
    browser.post(&operation.path, body).await
}

/// A request with an access token, or with one of an ended session.
async fn with_access(operation: &Operation, name: &str) -> Answer {
    let auth = Deployment::start().await;
    let tokens = match operation.id.as_str() {
        "listSources" => auth.client().sign_in_from(ADA, "https://app.example.com/?utm_source=letter").await,
        _ => auth.client().sign_in(person(operation)).await,
    };
    if name == "invalid_token" {
        auth.client().logout(&tokens.refresh).await.ok();
    }
    let path = match name {
        "not_found" => operation.path.replace("{id}", "none"),
        "invalid_request" => format!("{}?before=%23", operation.path),
        _ => path(operation),
    };
    auth.stack.deliver().await;
    auth.client().with_token(&operation.method, &path, &tokens.access).await
}

/// The answer that `operation` documents for this status and name.
pub(super) async fn given(operation: &Operation, status: u16, name: &str) -> Answer {
    // An alias answers like its operation, in another format.
    let id = original(operation).unwrap_or(operation).id.as_str();
    if let Some(answer) = Box::pin(factors::given(operation, id, status, name)).await {
        return answer;
    }
    match (id, name) {
        (_, "gateway") => gateways(operation, status).await,
        (_, "redirect") => redirected(operation).await,
        ("twilioWebhook" | "sendgridWebhook", "not_found") => {
            Deployment::start().await.client().post(&operation.path, json!([])).await
        }
        ("twilioWebhook" | "sendgridWebhook", "forbidden") => forged(operation).await,
        ("twilioWebhook" | "sendgridWebhook", "") => signed(operation, None).await,
        ("twilioWebhook" | "sendgridWebhook", "internal_error") => {
            signed(operation, Some("AccessDeniedException")).await
        }
        ("twilioWebhook" | "sendgridWebhook", "unavailable") => signed(operation, Some("ThrottlingException")).await,
        (_, "internal_error") => failed(operation, "AccessDeniedException").await,
        (_, "unavailable") => failed(operation, "ThrottlingException").await,
        ("twilioWebhook" | "sendgridWebhook", "invalid_request") => too_long(operation).await,
        ("listActivity", "invalid_request") => with_access(operation, "invalid_request").await,
        (_, "invalid_request") => Deployment::start().await.client().post_text(&operation.path, "[]").await,
        (_, "cookie") => by_cookies(operation, PAGE).await,
        ("codeStatus" | "refresh" | "logout", "forbidden") => by_cookies(operation, "https://evil.example").await,
        (_, "forbidden") => refused(operation, "+33612345678").await,
        (_, "invalid_email") => refused(operation, "ada@example").await,
        (_, "invalid_phone") => refused(operation, "+1 555").await,
        (_, "too_many_attempts") => too_many(operation).await,
        ("requestCode", "invalid_token") => {
            let body = json!({ "identifier": ADA, "purpose": "step_up" });
            Deployment::start().await.client().post(&operation.path, body).await
        }
        ("requestCode", name) => asked(operation, name).await,
        ("codeStatus", name) => told(operation, name).await,
        ("verifyCode", name) => answered(operation, name).await,
        ("refresh" | "logout", name) => with_a_session(operation, name).await,
        ("disavow" | "disavowPage", _) => disavowed(operation, status, name).await,
        ("publicKeys", name) => keys(operation, name).await,
        ("publicKeysHeaders" | "discoveryHeaders", _) => {
            let request = Request::head(&operation.path).body(Bytes::new()).unwrap();
            Deployment::start().await.client().send(request).await
        }
        _ if operation.path.is_empty() => elsewhere(status, name).await,
        _ if operation.needs_access => with_access(operation, name).await,
        _ => Deployment::start().await.client().get(&operation.path).await,
    }
}

/// The answer to a call of a webhook with a body beyond every limit.
async fn too_long(operation: &Operation) -> Answer {
    let auth = Deployment::with(&[("MAIL_PROVIDER", "ses,sendgrid")]).await;
    auth.client().post_text(&operation.path, &"x".repeat(2 * 1024 * 1024)).await
}

/// The answer to the call of a provider while the table has this error.
async fn signed(operation: &Operation, error: Option<&str>) -> Answer {
    let number = ("SMS_ORIGINATION_NUMBER", "+12065550100");
    let auth = Deployment::with(&[("MAIL_PROVIDER", "sendgrid"), ("SMS_PROVIDER", "twilio"), number]).await;
    auth.client().ask(if operation.id == "twilioWebhook" { PHONE } else { ADA }).await;
    let services = auth.stack.services();
    let (accounts, message) = (services.accounts().unwrap(), services.outside_messages().remove(0));
    let request = match &message.webhook {
        Some(url) => accounts.twilio_webhook(url, &message.fields("AC0", "delivered")),
        None => {
            let now = auth.stack.clock().now();
            let events = json!([message.event(MailEvent::Delivery, now)]);
            accounts.sendgrid_webhook(&operation.path, &events, now).unwrap()
        }
    };
    let faults = error.map(|error| json!({ "operation": "UpdateItem", "error": error, "times": 1_000 }));
    auth.faults(json!({ "aws": faults.as_slice() }));
    auth.client().send(request).await
}

/// The answer to a call of a webhook without a signature.
async fn forged(operation: &Operation) -> Answer {
    let auth = Deployment::with(&[("MAIL_PROVIDER", "ses,sendgrid")]).await;
    auth.client().post(&operation.path, json!([])).await
}

/// The documented request, with values from earlier answers.
async fn sent(auth: &Deployment, operation: &Operation, example: &str, known: &[(&str, &str)]) -> Answer {
    let mut body = operation.requests[example].clone();
    for (name, value) in known {
        if let Some(field) = body.get_mut(name) {
            *field = json!(value);
        }
    }
    auth.client().post(&operation.path, body).await
}

/// A valid request of a signed-in user.
async fn any(auth: &Deployment, operation: &Operation, tokens: &Tokens) -> Answer {
    match operation.requests.keys().find(|name| *name != "cookie") {
        None => auth.client().with_token(&operation.method, &path(operation), &tokens.access).await,
        Some(example) => sent(auth, operation, example, &[("refresh", &tokens.refresh)]).await,
    }
}

/// API Gateway's own answers.
pub(super) async fn gateways(operation: &Operation, status: u16) -> Answer {
    let auth = Deployment::start().await;
    let method = Method::from_bytes(operation.method.as_bytes()).unwrap_or(Method::GET);
    let path = if operation.path.is_empty() { "/nothing".to_owned() } else { path(operation) };
    let request = Request::builder().method(method).uri(path);
    let (padding, body) = match status {
        413 => (0, Bytes::from(vec![b' '; 10_000_001])),
        431 => (10_240, Bytes::new()),
        status => {
            auth.stack.api().unwrap().gateway().set_refusal(Some(StatusCode::from_u16(status).unwrap()));
            (0, Bytes::new())
        }
    };
    auth.client().send(request.header("x-padding", "x".repeat(padding)).body(body).unwrap()).await
}

pub(super) async fn redirected(operation: &Operation) -> Answer {
    // Without second factors, these paths have no function.
    let is_off = ["/api/auth/factors", "/api/auth/2fa"].iter().any(|start| operation.path.starts_with(start));
    let settings: &[_] = if is_off { &[("SECOND_FACTOR", "off")] } else { &[] };
    let auth = Deployment::with(settings).await;
    auth.stack.api().unwrap().gateway().set_ignores_empty_rest(true);
    let request =
        Request::builder().method(operation.method.as_str()).uri(format!("{}/", operation.path.trim_end_matches('/')));
    let answer = auth.client().send(request.body(Bytes::new()).unwrap()).await;
    let place = answer.headers.get(header::LOCATION).map(|place| place.to_str().unwrap());
    assert_eq!(place, Some(operation.path.trim_end_matches('/')), "{} {}", operation.method, operation.path);
    answer
}

/// Every call of the database fails with `error`.
async fn failed(operation: &Operation, error: &str) -> Answer {
    let auth = Deployment::start().await;
    let tokens = auth.client().sign_in(ADA).await;
    let asked = auth.client().ask(ADA).await;
    auth.faults(json!({ "aws": [{ "service": "dynamodb", "error": error, "times": 100 }] }));
    match original(operation).unwrap_or(operation).id.as_str() {
        // An id that is not ours is refused without a call.
        "verifyCode" => {
            let example = operation.requests.keys().find(|name| *name != "cookie").unwrap();
            sent(&auth, operation, example, &[("challenge_id", &asked.challenge)]).await
        }
        _ => any(&auth, operation, &tokens).await,
    }
}

async fn refused(operation: &Operation, identifier: &str) -> Answer {
    let auth = Deployment::start().await;
    auth.client().post(&operation.path, json!({ "identifier": identifier, "otp_code": "123456" })).await
}

/// After a wrong answer without an id, where a network may have one.
async fn too_many(operation: &Operation) -> Answer {
    let auth = Deployment::with(&[("OTP_FAILURES_PER_IP", "1")]).await;
    let person = person(operation);
    let asked = auth.client().ask(person).await;
    auth.client().answer_unbound(person, &wrong(&asked.code)).await.refused(400, "invalid_otp");
    auth.client().post(&operation.path, json!({ "identifier": person, "otp_code": "123456" })).await
}

async fn asked(operation: &Operation, name: &str) -> Answer {
    let limit = if name == "rate_limited" { "1" } else { "25" };
    let auth = Deployment::with(&[("OTP_REQUESTS_PER_IP", limit)]).await;
    match name {
        "again" => {
            let asked = auth.client().ask(ADA).await;
            auth.wait(30);
            sent(&auth, operation, name, &[("challenge_id", &asked.challenge)]).await
        }
        "rate_limited" => {
            let example = operation.requests.keys().next().unwrap();
            sent(&auth, operation, example, &[]).await;
            sent(&auth, operation, example, &[]).await
        }
        "voice" | "voice_send_failed" => {
            let auth = Deployment::with(&CALLS).await;
            let asked = auth.client().ask(PHONE).await;
            auth.wait(30);
            if name == "voice_send_failed" {
                let refused = json!({ "operation": "SendVoiceMessage", "error": "AccessDeniedException" });
                auth.faults(json!({ "aws": [refused] }));
            }
            sent(&auth, operation, "voice", &[("challenge_id", &asked.challenge)]).await
        }
        "whatsapp_send_failed" => {
            let number = ("SMS_ORIGINATION_NUMBER", "+12065550100");
            let whatsapp = [("WHATSAPP_PROVIDER", "twilio"), ("WHATSAPP_NUMBER", "+12065550102")];
            let auth = Deployment::with(&[&[("SMS_PROVIDER", "twilio"), number][..], &whatsapp].concat()).await;
            let asked = auth.client().ask(PHONE).await;
            auth.wait(30);
            auth.faults(json!({ "delivery": "refused" }));
            let mut body = operation.requests["voice"].clone();
            body["channel"] = json!("whatsapp");
            body["challenge_id"] = json!(asked.challenge);
            auth.client().post(&operation.path, body).await
        }
        "email_send_failed" | "sms_send_failed" => {
            auth.faults(json!({ "delivery": "refused" }));
            sent(&auth, operation, name.strip_suffix("_send_failed").unwrap(), &[]).await
        }
        name => sent(&auth, operation, name, &[]).await,
    }
}

async fn told(operation: &Operation, name: &str) -> Answer {
    let auth = Deployment::start().await;
    let asked = auth.client().ask(ADA).await;
    let example = if name == "rate_limited" { "sent" } else { name };
    let known = [("challenge_id", asked.challenge.as_str())];
    let ask = || sent(&auth, operation, example, &known);
    match name {
        "delivered" => {
            auth.stack.deliver().await;
            auth.wait(10);
        }
        "over" => drop(auth.client().answer(ADA, &asked).await.ok()),
        "rate_limited" => {
            for _ in 0..30 {
                ask().await.ok();
            }
        }
        _ => {}
    }
    ask().await
}

async fn answered(operation: &Operation, name: &str) -> Answer {
    let auth = Deployment::start().await;
    if name == "sign_in" {
        auth.client().sign_in(ADA).await;
        auth.wait(3_600);
    }
    let asked = auth.client().ask(person(operation)).await;
    let code = if name == "invalid_otp" { wrong(&asked.code) } else { asked.code };
    let example = if name == "sign_in" { name } else { "sign_up" };
    let known = [("otp_code", code.as_str()), ("otp", &code), ("challenge_id", &asked.challenge)];
    sent(&auth, operation, example, &known).await
}

async fn with_a_session(operation: &Operation, name: &str) -> Answer {
    let auth = Deployment::start().await;
    let tokens = auth.client().sign_in(ADA).await;
    if name == "invalid_token" {
        auth.client().logout(&tokens.refresh).await.ok();
        return any(&auth, operation, &tokens).await;
    }
    sent(&auth, operation, name, &[("refresh", &tokens.refresh)]).await
}

/// The token for a sign-in, from the mail about it.
async fn disavowal(auth: &Deployment) -> String {
    auth.client().sign_in(ADA).await;
    auth.wait(86_400);
    auth.client_at("203.0.113.1").sign_in(ADA).await;
    auth.stack.deliver().await;
    let text = auth.stack.inbox().messages(Some(ADA))[0].text.clone();
    text.split_once("?token=").expect("no notice came").1.trim().to_owned()
}

async fn disavowed(operation: &Operation, status: u16, name: &str) -> Answer {
    let auth = Deployment::start().await;
    let token = if status == 400 { "none".to_owned() } else { disavowal(&auth).await };
    if operation.method == "GET" {
        return auth.client().get(&format!("{}?token={token}", operation.path)).await;
    }
    if name == "again" {
        auth.client().post(&operation.path, json!({ "token": token })).await.ok();
    }
    auth.client().post(&operation.path, json!({ "token": token })).await
}

async fn keys(operation: &Operation, name: &str) -> Answer {
    let algorithm = match name {
        "rsa" => "RS256",
        "ec" => "ES256",
        "okp" => "EdDSA",
        "none" => "HS256",
        name => panic!("nothing makes keys as in {name}"),
    };
    Deployment::with(&[("JWT_ALGORITHM", algorithm)]).await.client().get(&operation.path).await
}

async fn elsewhere(status: u16, name: &str) -> Answer {
    let auth = Deployment::start().await;
    match (status, name) {
        (404, "not_found") => auth.client().get("/api/nothing/").await,
        (405, "method_not_allowed") => auth.client().get(REQUEST).await,
        (405, "accounts") => auth.client().get("/accounts/otp/request/").await,
        (405, "token") => auth.client().get("/cfg/accounts/token/refresh/").await,
        (405, "detail") => auth.client().post("/api/auth/profile/", json!({})).await,
        (405, "texted") => auth.client().get("/api/auth/send-otp/").await,
        (204, "") => {
            let preflight = Request::options(REQUEST).header("origin", "http://localhost:3000");
            let preflight = preflight.header("access-control-request-method", "POST").body(Bytes::new()).unwrap();
            auth.client().send(preflight).await
        }
        other => panic!("nothing is answered with {other:?}"),
    }
}
