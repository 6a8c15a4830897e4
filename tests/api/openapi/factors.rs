//! How to produce the documented answers about second factors.

use axum::body::Bytes;
use axum::http::{Request, header};
use serde_json::{Value, json};
use tests::authenticator::{CONFIRM, FACTORS, SECOND_FACTOR, STEP_UP_OPTIONS, TOTP};
use tests::client::REQUEST;
use tests::contract::Operation;
use tests::{Answer, Authenticator, Client, Deployment, Tokens};

use super::answers::{ADA, NOBODYS, PAGE, gateways, person, redirected};

/// The operations that only this module knows.
const OPERATIONS: [&str; 12] = [
    "addTotp",
    "confirmTotp",
    "enableTwoFactor",
    "endTrustedDevice",
    "endTrustedDevices",
    "listFactors",
    "newBackupCodes",
    "removeTotp",
    "secondFactor",
    "setupTwoFactor",
    "stepUp",
    "stepUpOptions",
];

/// An origin that the development profile does not allow.
const FOREIGN: &str = "https://evil.example";
/// The settings of a deployment in which everybody has to enrol at once.
const AT_ONCE: [(&str, &str); 2] = [("SECOND_FACTOR", "required"), ("SECOND_FACTOR_GRACE_DAYS", "0")];

/// The answer that `operation` documents for this status and name, if it is about second factors. `id` is the operation's own, or that
/// of the one that an alias stands for.
pub(super) async fn given(operation: &Operation, id: &str, status: u16, name: &str) -> Option<Answer> {
    let answer = match (id, name) {
        ("verifyCode", "second_factor") => due(operation).await,
        ("verifyCode", "enrolment_required") => first_answer(&Deployment::with(&AT_ONCE).await, operation).await,
        ("requestCode", "step_up") => asked_to_step_up(operation).await,
        ("endOtherSessions", "step_up_required") => later(operation).await,
        (id, _) if !OPERATIONS.contains(&id) => return None,
        (_, "gateway") => gateways(operation, status).await,
        (_, "redirect") => redirected(operation).await,
        (_, "not_found") => not_found(operation).await,
        (_, "internal_error") => failed(operation, "AccessDeniedException").await,
        (_, "unavailable") => failed(operation, "ThrottlingException").await,
        (_, "invalid_token") => signed_out(operation).await,
        (_, "step_up_required") => later(operation).await,
        (_, "invalid_request") => unreadable(operation).await,
        ("secondFactor", name) => second_step(operation, name).await,
        ("stepUpOptions", name) => options(operation, name).await,
        ("stepUp", name) => step_up(operation, name).await,
        ("addTotp", name) => begun(operation, name).await,
        ("confirmTotp", name) => confirmed(operation, name).await,
        (_, "forbidden") => forbidden(operation).await,
        ("listFactors", _) => listed(operation).await,
        ("enableTwoFactor", name) => enabled(operation, name).await,
        (_, _) => changed(operation).await,
    };
    Some(answer)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// The operation's path, with the id of nothing if it needs one.
fn path(operation: &Operation) -> String {
    operation.path.replace("{id}", NOBODYS)
}

/// The documented body, with values from earlier answers.
fn body(operation: &Operation, example: &str, known: &[(&str, &str)]) -> Value {
    let mut body = operation.requests[example].clone();
    for (name, value) in known {
        if let Some(field) = body.get_mut(name) {
            *field = json!(value);
        }
    }
    body
}

/// Sends a request with an access token, and with a body if the operation has one.
async fn send_as(client: Client<'_>, operation: &Operation, access: &str, body: Option<Value>) -> Answer {
    match body {
        Some(body) => client.post_as(access, &operation.path, body).await,
        None => client.with_token(&operation.method, &path(operation), access).await,
    }
}

/// A valid request with an access token, except for ids and codes.
async fn send_any(client: Client<'_>, operation: &Operation, access: &str, known: &[(&str, &str)]) -> Answer {
    let example = operation.requests.keys().find(|name| *name != "cookie" && *name != "enrolment");
    send_as(client, operation, access, example.map(|example| body(operation, example, known))).await
}

/// A request from a page.
async fn from_page(
    client: Client<'_>,
    operation: &Operation,
    origin: &str,
    access: Option<&str>,
    body: Value,
) -> Answer {
    let request = Request::post(&operation.path).header(header::CONTENT_TYPE, "application/json");
    let mut request = request.header(header::ORIGIN, origin);
    if let Some(access) = access {
        request = request.header(header::AUTHORIZATION, format!("Bearer {access}"));
    }
    client.send(request.body(Bytes::from(body.to_string())).unwrap()).await
}

/// Adds an app called Phone, without waiting for its next code.
async fn enrol_phone(auth: &Deployment, access: &str) -> Authenticator {
    let begun = auth.client().post_as(access, TOTP, json!({ "name": "Phone" })).await.ok();
    let app = Authenticator::of(begun["secret"].as_str().unwrap());
    let confirmation = json!({ "factor_id": begun["factor_id"], "code": app.code(auth) });
    auth.client().post_as(access, CONFIRM, confirmation).await.ok();
    app
}

/// A right answer to a first code, in the format of the operation.
async fn first_answer(auth: &Deployment, operation: &Operation) -> Answer {
    let who = person(operation);
    let asked = auth.client().ask(who).await;
    let known = [("otp_code", asked.code.as_str()), ("otp", &asked.code), ("challenge_id", &asked.challenge)];
    auth.client().post(&operation.path, body(operation, "sign_up", &known)).await
}

/// The right code of a user with a second factor.
async fn due(operation: &Operation) -> Answer {
    let auth = Deployment::start().await;
    auth.client().enrol(person(operation)).await;
    first_answer(&auth, operation).await
}

/// A code to step up, with the tokens of its session.
async fn ask_to_step_up(auth: &Deployment) -> (Tokens, String, Value) {
    let asked = auth.client().ask(ADA).await;
    let signed_in = auth.client().answer(ADA, &asked).await;
    let device = text(&signed_in.body["device"]);
    let request = json!({ "identifier": ADA, "purpose": "step_up", "device": device });
    (signed_in.tokens(), device, request)
}

async fn asked_to_step_up(operation: &Operation) -> Answer {
    let auth = Deployment::start().await;
    let (tokens, device, _) = ask_to_step_up(&auth).await;
    let body = body(operation, "step_up", &[("device", &device)]);
    auth.client().post_as(&tokens.access, &operation.path, body).await
}

/// A request with a proof that is too old.
async fn later(operation: &Operation) -> Answer {
    let auth = Deployment::start().await;
    let tokens = auth.client().sign_in(ADA).await;
    auth.wait(601);
    send_any(auth.client(), operation, &tokens.access, &[]).await
}

/// A request with the access token of an ended session.
async fn signed_out(operation: &Operation) -> Answer {
    let auth = Deployment::start().await;
    if operation.id == "stepUp" {
        // The session of a step-up is read after its factor was taken.
        let enrolled = auth.client().enrol(ADA).await;
        let challenge = auth.client().begin_step_up(&enrolled.tokens.access).await;
        auth.client().logout(&enrolled.tokens.refresh).await.ok();
        let (code, known) = (enrolled.app.code(&auth), [("challenge_id", challenge.as_str())]);
        let body = body(operation, "totp", &[&known[..], &[("code", code.as_str())]].concat());
        return auth.client().post_as(&enrolled.tokens.access, &operation.path, body).await;
    }
    let tokens = auth.client().sign_in(ADA).await;
    auth.client().logout(&tokens.refresh).await.ok();
    send_any(auth.client(), operation, &tokens.access, &[]).await
}

/// An id without the form of one, or a deployment without second factors.
async fn not_found(operation: &Operation) -> Answer {
    if operation.path.contains("{id}") {
        let auth = Deployment::start().await;
        let tokens = auth.client().sign_in(ADA).await;
        return auth
            .client()
            .with_token(&operation.method, &operation.path.replace("{id}", "none"), &tokens.access)
            .await;
    }
    let auth = Deployment::with(&[("SECOND_FACTOR", "off")]).await;
    let tokens = auth.client().sign_in(ADA).await;
    // Nothing matches the path, so one with its final slash is redirected first.
    let path = operation.path.trim_end_matches('/');
    match operation.method.as_str() {
        "POST" => auth.client().post_as(&tokens.access, path, json!({})).await,
        method => auth.client().with_token(method, path, &tokens.access).await,
    }
}

async fn unreadable(operation: &Operation) -> Answer {
    let auth = Deployment::start().await;
    let tokens = auth.client().sign_in(ADA).await;
    auth.client().post_as(&tokens.access, &operation.path, json!([])).await
}

/// Every call of the database fails with `error`.
async fn failed(operation: &Operation, error: &str) -> Answer {
    let auth = Deployment::start().await;
    let enrolled = auth.client().enrol(ADA).await;
    let access = &enrolled.tokens.access;
    let challenge = match operation.id.as_str() {
        "secondFactor" => auth.client().first_step(ADA).await,
        "stepUp" => auth.client().begin_step_up(access).await,
        _ => String::new(),
    };
    let example = operation.requests.keys().find(|name| *name != "cookie" && *name != "enrolment");
    let example = if operation.requests.contains_key("totp") { Some("totp") } else { example.map(String::as_str) };
    let body = example.map(|example| body(operation, example, &[("challenge_id", &challenge)]));
    auth.faults(json!({ "aws": [{ "service": "dynamodb", "error": error, "times": 100 }] }));
    send_as(auth.client(), operation, access, body).await
}

/// A sign-in an hour after the user has added an app.
async fn second_step(operation: &Operation, name: &str) -> Answer {
    if name == "enrolled" {
        return enrolled(operation).await;
    }
    let auth = Deployment::start().await;
    let enrolled = auth.client().enrol(ADA).await;
    auth.wait(3_570);
    let send = |body: Value| auth.client().post(&operation.path, body);
    match name {
        "cookie" => {
            let mut browser = auth.client().browser(PAGE);
            let code = browser.ask(ADA).await;
            browser.answer(ADA, &code).await.ok();
            browser.post(&operation.path, body(operation, name, &[("code", &enrolled.app.code(&auth))])).await
        }
        "forbidden" => {
            let mut body = body(operation, "cookie", &[]);
            body["token_delivery"] = json!("cookie");
            from_page(auth.client(), operation, FOREIGN, None, body).await
        }
        "invalid_otp" | "too_many_attempts" => {
            let challenge = auth.client().first_step(ADA).await;
            let wrong = enrolled.app.wrong(&auth);
            let body = body(operation, "totp", &[("challenge_id", &challenge), ("code", &wrong)]);
            if name == "too_many_attempts" {
                for _ in 0..10 {
                    send(body.clone()).await.refused(400, "invalid_otp");
                }
            }
            send(body).await
        }
        name => {
            let challenge = auth.client().first_step(ADA).await;
            let code = if name == "backup_code" { enrolled.backup_codes[0].clone() } else { enrolled.app.code(&auth) };
            send(body(operation, name, &[("challenge_id", &challenge), ("code", &code)])).await
        }
    }
}

/// The challenge of a sign-in that has to enrol.
async fn enrolment(auth: &Deployment) -> String {
    let asked = auth.client().ask(ADA).await;
    let refused = auth.client().answer(ADA, &asked).await;
    refused.refused(403, "enrolment_required");
    text(&refused.body["challenge_id"])
}

/// Begins to add an app during a sign-in, and returns the request that confirms it.
async fn enrolling(auth: &Deployment) -> Value {
    let challenge = enrolment(auth).await;
    let begun = auth.client().post(TOTP, json!({ "challenge_id": challenge })).await.ok();
    let app = Authenticator::of(begun["secret"].as_str().unwrap());
    json!({ "factor_id": begun["factor_id"], "code": app.code(auth), "challenge_id": challenge })
}

/// The user has signed up before, without an end.
async fn enrolled(operation: &Operation) -> Answer {
    let auth = Deployment::with(&AT_ONCE).await;
    enrolment(&auth).await;
    auth.wait(3_600);
    let confirmation = enrolling(&auth).await;
    let added = auth.client().post(CONFIRM, confirmation).await.ok();
    let body = body(operation, "enrolled", &[("challenge_id", added["challenge_id"].as_str().unwrap())]);
    auth.client().post(&operation.path, body).await
}

async fn options(operation: &Operation, name: &str) -> Answer {
    let auth = Deployment::start().await;
    let tokens = match name {
        "otp" => auth.client().sign_in(ADA).await,
        _ => auth.client().enrol(ADA).await.tokens,
    };
    auth.client().post_as(&tokens.access, &operation.path, body(operation, name, &[])).await
}

async fn step_up(operation: &Operation, name: &str) -> Answer {
    let auth = Deployment::start().await;
    if name == "otp" {
        let (tokens, device, request) = ask_to_step_up(&auth).await;
        let asked = auth.client().post_as(&tokens.access, REQUEST, request).await.ok();
        let (challenge, code) = (text(&asked["challenge_id"]), auth.newest_code(ADA));
        let known = [("challenge_id", challenge.as_str()), ("otp_code", &code), ("device", &device)];
        return auth.client().post_as(&tokens.access, &operation.path, body(operation, name, &known)).await;
    }
    let enrolled = auth.client().enrol(ADA).await;
    let access = &enrolled.tokens.access;
    let request = match name {
        "transaction" => json!({ "transaction": "Pay 20 euros to Grace" }),
        _ => json!({}),
    };
    let challenge = text(&auth.client().post_as(access, STEP_UP_OPTIONS, request).await.ok()["challenge_id"]);
    let code = match name {
        "backup_code" => enrolled.backup_codes[0].clone(),
        "invalid_otp" | "too_many_attempts" => enrolled.app.wrong(&auth),
        _ => enrolled.app.code(&auth),
    };
    let known = [("challenge_id", challenge.as_str()), ("code", &code)];
    let send = |body: Value| auth.client().post_as(access, &operation.path, body);
    match name {
        "cookie" => from_page(auth.client(), operation, PAGE, Some(access), body(operation, name, &known)).await,
        "forbidden" => {
            from_page(auth.client(), operation, FOREIGN, Some(access), body(operation, "cookie", &known)).await
        }
        "invalid_email" | "invalid_phone" => {
            let mut body = body(operation, "otp", &[]);
            body["identifier"] = json!(if name == "invalid_email" { "ada@example" } else { "+1 555" });
            send(body).await
        }
        "invalid_otp" => send(body(operation, "totp", &known)).await,
        "too_many_attempts" => {
            for _ in 0..10 {
                send(body(operation, "totp", &known)).await.refused(400, "invalid_otp");
            }
            send(body(operation, "totp", &known)).await
        }
        name => send(body(operation, name, &known)).await,
    }
}

/// A session of a user who has two apps. Its proof is a second factor.
async fn with_two_apps(auth: &Deployment) -> Tokens {
    let client = auth.client();
    let first = client.enrol(ADA).await;
    let tokens = client.step_up_with(&first.tokens, &first.app).await;
    client.enrol_in(&tokens).await;
    tokens
}

async fn begun(operation: &Operation, name: &str) -> Answer {
    match name {
        "forbidden" => {
            let auth = Deployment::start().await;
            let tokens = with_two_apps(&auth).await;
            auth.client().post_as(&tokens.access, &operation.path, body(operation, "signed_in", &[])).await
        }
        "invalid_otp" => {
            let body = body(operation, "enrolment", &[]);
            Deployment::start().await.client().post(&operation.path, body).await
        }
        "enrolment" => {
            let auth = Deployment::with(&AT_ONCE).await;
            let challenge = enrolment(&auth).await;
            auth.client().post(&operation.path, body(operation, name, &[("challenge_id", &challenge)])).await
        }
        name => {
            let auth = Deployment::start().await;
            let tokens = auth.client().sign_in(ADA).await;
            auth.client().post_as(&tokens.access, &operation.path, body(operation, name, &[])).await
        }
    }
}

async fn confirmed(operation: &Operation, name: &str) -> Answer {
    if name == "enrolment" {
        let auth = Deployment::with(&AT_ONCE).await;
        let confirmation = enrolling(&auth).await;
        return auth.client().post(&operation.path, confirmation).await;
    }
    let auth = Deployment::start().await;
    if name == "forbidden" {
        let mut body = body(operation, "first", &[]);
        body["token_delivery"] = json!("cookie");
        return from_page(auth.client(), operation, FOREIGN, None, body).await;
    }
    let mut tokens = auth.client().sign_in(ADA).await;
    if name == "second" {
        let first = auth.client().enrol_in(&tokens).await;
        tokens = auth.client().step_up_with(&tokens, &first.app).await;
    }
    let begun = auth.client().post_as(&tokens.access, TOTP, json!({})).await.ok();
    let (id, app) = (text(&begun["factor_id"]), Authenticator::of(begun["secret"].as_str().unwrap()));
    let code = if name == "invalid_otp" { app.wrong(&auth) } else { app.code(&auth) };
    let example = if name == "second" { name } else { "first" };
    let body = body(operation, example, &[("factor_id", &id), ("code", &code)]);
    auth.client().post_as(&tokens.access, &operation.path, body).await
}

/// The last factor where one is required, or new backup codes of a user without a factor.
async fn forbidden(operation: &Operation) -> Answer {
    if operation.id == "newBackupCodes" {
        return changed_by(operation, &Deployment::start().await).await;
    }
    // The paths of a replaced system, which know one app only.
    if operation.id.ends_with("TwoFactor") {
        let auth = Deployment::start().await;
        let tokens = with_two_apps(&auth).await;
        return send_any(auth.client(), operation, &tokens.access, &[("token", "123456")]).await;
    }
    let auth = Deployment::with(&[("SECOND_FACTOR", "required")]).await;
    let enrolled = auth.client().enrol(ADA).await;
    let tokens = auth.client().step_up_with(&enrolled.tokens, &enrolled.app).await;
    let path = operation.path.replace("{id}", &enrolled.id);
    auth.client().delete_as(&tokens.access, &path).await
}

/// An app, its backup codes and a trusted device, all at the same time.
async fn listed(operation: &Operation) -> Answer {
    let auth = Deployment::start().await;
    let tokens = auth.client().sign_in(ADA).await;
    let app = enrol_phone(&auth, &tokens.access).await;
    let challenge = auth.client().first_step(ADA).await;
    // The code of the next step is right already.
    let code = app.code_at(auth.now() + 30);
    let body = json!({ "challenge_id": challenge, "method": "totp", "code": code, "trust_device": true });
    let tokens = auth.client().post(SECOND_FACTOR, body).await.tokens();
    assert_eq!(operation.path, FACTORS);
    auth.client().with_token("GET", FACTORS, &tokens.access).await
}

/// The paths of a replaced system.
async fn enabled(operation: &Operation, name: &str) -> Answer {
    let auth = Deployment::start().await;
    let tokens = auth.client().sign_in(ADA).await;
    let begun = auth.client().with_token("GET", "/api/auth/2fa/setup/", &tokens.access).await.ok();
    let app = Authenticator::of(begun["secret"].as_str().unwrap());
    let code = if name == "invalid_otp" { app.wrong(&auth) } else { app.code(&auth) };
    auth.client().post_as(&tokens.access, &operation.path, body(operation, "enabled", &[("token", &code)])).await
}

/// A change by a user with a second factor.
async fn changed(operation: &Operation) -> Answer {
    let auth = Deployment::start().await;
    if operation.id != "newBackupCodes" {
        return changed_by(operation, &auth).await;
    }
    let enrolled = auth.client().enrol(ADA).await;
    let tokens = auth.client().step_up_with(&enrolled.tokens, &enrolled.app).await;
    send_any(auth.client(), operation, &tokens.access, &[]).await
}

/// The same by a user without one. The answer is the same for an app or a device that is not there.
async fn changed_by(operation: &Operation, auth: &Deployment) -> Answer {
    let tokens = auth.client().sign_in(ADA).await;
    send_any(auth.client(), operation, &tokens.access, &[]).await
}
