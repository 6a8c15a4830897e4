//! A client of the API, somewhere on the internet.

use std::net::IpAddr;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, header};
use local_aws::gateway::Api;
use serde_json::{Value, json};

use crate::Deployment;
use crate::contract::{self, CONTRACT};

pub const REQUEST: &str = "/api/auth/otp/request/";
pub const STATUS: &str = "/api/auth/otp/status/";
pub const VERIFY: &str = "/api/auth/otp/verify/";
pub const REFRESH: &str = "/api/auth/token/refresh/";
pub const LOGOUT: &str = "/api/auth/logout/";
pub const DISAVOW: &str = "/api/auth/disavow/";
pub const SESSIONS: &str = "/api/auth/sessions/";
pub const PROFILE: &str = "/api/profile/";
pub const ACTIVITY: &str = "/api/account/activity/";
pub const SOURCES: &str = "/api/profile/sources/";

/// A client with one network address.
#[derive(Clone, Copy)]
pub struct Client<'a> {
    pub(crate) deployment: &'a Deployment,
    pub(crate) address: IpAddr,
    pub(crate) api: &'a Api,
}

/// An answer of the API.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

/// A challenge and the code in its message.
#[derive(Clone, Debug)]
pub struct Asked {
    pub challenge: String,
    pub code: String,
}

/// Both tokens of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
}

impl<'a> Client<'a> {
    /// The same client, but other instances of the functions answer it.
    pub fn by(self, api: &'a Api) -> Client<'a> {
        Client { api, ..self }
    }

    pub async fn post(self, path: &str, body: Value) -> Answer {
        self.post_text(path, &body.to_string()).await
    }

    /// Posts text with the content type of JSON.
    pub async fn post_text(self, path: &str, body: &str) -> Answer {
        self.send(posting(path, body)).await
    }

    /// Posts JSON with one additional header.
    pub async fn post_with(self, name: &str, value: &str, path: &str, body: Value) -> Answer {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/json").header(name, value);
        self.send(request.body(Bytes::from(body.to_string())).unwrap()).await
    }

    /// Posts what a form of a page sends.
    pub async fn post_form(self, path: &str, form: &str) -> Answer {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(Bytes::from(form.to_owned())).unwrap()).await
    }

    /// Sends a request with an access token and without a body.
    pub async fn with_token(self, method: &str, path: &str, access: &str) -> Answer {
        self.send(with_token(method, path, access)).await
    }

    /// Reads with an access token from every operation that needs one: the operation's id, and its answer.
    pub async fn read_all(self, access: &str) -> Vec<(&'static str, Answer)> {
        let mut answers = Vec::new();
        for operation in CONTRACT.operations.iter().filter(|operation| operation.needs_access) {
            if operation.method == "GET" {
                answers.push((operation.id.as_str(), self.with_token("GET", &operation.path, access).await));
            }
        }
        answers
    }

    pub async fn get(self, path: &str) -> Answer {
        self.send(Request::get(path).body(Bytes::new()).unwrap()).await
    }

    /// Sends any request. Panics if the request or its answer contradicts `openapi.yaml`.
    pub async fn send(self, request: Request<Bytes>) -> Answer {
        self.deployment.witness.network(self.address);
        let response = self.api.call(request.clone(), self.address).await;
        let (parts, body) = response.into_parts();
        let answer = Answer { status: parts.status, body: body_of(&parts.headers, &body), headers: parts.headers };
        contract::assert_kept(&request, &answer);
        self.deployment.witness.exchange(&request, &answer);
        answer
    }

    /// Requests a code, and reads it from the newest message.
    pub async fn ask(self, address: &str) -> Asked {
        let answer = self.post(REQUEST, json!({ "identifier": address })).await.ok();
        let challenge = answer["challenge_id"].as_str().unwrap().to_owned();
        Asked { challenge, code: self.deployment.newest_code(address) }
    }

    /// Asks what became of the message of a challenge.
    pub async fn status(self, address: &str, challenge: &str) -> Answer {
        self.post(STATUS, json!({ "identifier": address, "challenge_id": challenge })).await
    }

    /// Answers with `challenge_id`.
    pub async fn answer(self, address: &str, asked: &Asked) -> Answer {
        let body = json!({ "identifier": address, "otp_code": asked.code, "challenge_id": asked.challenge });
        self.post(VERIFY, body).await
    }

    /// The same with a retry key, so that it can be sent again.
    pub async fn answer_with(self, address: &str, asked: &Asked, retry: &str) -> Answer {
        let body =
            json!({ "identifier": address, "otp_code": asked.code, "challenge_id": asked.challenge, "retry": retry });
        self.post(VERIFY, body).await
    }

    /// Answers without `challenge_id`, as older frontends do.
    pub async fn answer_unbound(self, address: &str, code: &str) -> Answer {
        self.post(VERIFY, json!({ "identifier": address, "otp_code": code })).await
    }

    /// Requests a code, reads it and answers.
    pub async fn sign_in(self, address: &str) -> Tokens {
        let asked = self.ask(address).await;
        self.answer(address, &asked).await.tokens()
    }

    pub async fn refresh(self, refresh: &str) -> Answer {
        self.post(REFRESH, json!({ "refresh": refresh })).await
    }

    /// Refreshes with a retry key.
    /// Signs in from a page.
    pub async fn sign_in_from(self, identifier: &str, source_url: &str) -> Tokens {
        let asked = self.ask(identifier).await;
        let body = json!({ "identifier": identifier, "otp_code": asked.code, "challenge_id": asked.challenge,
            "source_url": source_url });
        self.post(VERIFY, body).await.tokens()
    }

    pub async fn refresh_with(self, refresh: &str, retry: &str) -> Answer {
        self.post(REFRESH, json!({ "refresh": refresh, "retry": retry })).await
    }

    pub async fn logout(self, refresh: &str) -> Answer {
        self.post(LOGOUT, json!({ "refresh": refresh })).await
    }

    pub async fn logout_everywhere(self, refresh: &str) -> Answer {
        self.post(LOGOUT, json!({ "refresh": refresh, "all": true })).await
    }
}

/// A request that posts JSON.
pub fn posting(path: &str, json: impl ToString) -> Request<Bytes> {
    let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
    request.body(Bytes::from(json.to_string())).unwrap()
}

/// A request with an access token and without a body.
pub(crate) fn with_token(method: &str, path: &str, access: &str) -> Request<Bytes> {
    let request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {access}"));
    request.body(Bytes::new()).unwrap()
}

/// The body: JSON, or the text of a page.
fn body_of(headers: &HeaderMap, body: &[u8]) -> Value {
    let is_page = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    match body {
        [] => Value::Null,
        text if is_page => Value::String(String::from_utf8(text.to_vec()).unwrap()),
        json => serde_json::from_slice(json).unwrap(),
    }
}

impl Answer {
    /// API Gateway's answer when a function has crashed.
    pub(crate) fn of_a_crash() -> Answer {
        let body = json!({ "message": "Internal Server Error" });
        Answer { status: StatusCode::INTERNAL_SERVER_ERROR, headers: HeaderMap::new(), body }
    }

    pub(crate) fn read(answer: &Value) -> Answer {
        assert_eq!(answer["isBase64Encoded"], Value::Bool(false), "{answer}");
        let headers = answer["headers"].as_object().unwrap().iter();
        let headers = headers.map(|(name, value)| {
            (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value.as_str().unwrap()).unwrap())
        });
        let cookies = answer["cookies"].as_array().into_iter().flatten();
        let cookies =
            cookies.map(|cookie| (header::SET_COOKIE, HeaderValue::from_str(cookie.as_str().unwrap()).unwrap()));
        let headers = headers.chain(cookies).collect::<HeaderMap>();
        let body = body_of(&headers, answer["body"].as_str().unwrap_or_default().as_bytes());
        let status = StatusCode::from_u16(answer["statusCode"].as_u64().unwrap().try_into().unwrap()).unwrap();
        Answer { status, headers, body }
    }

    /// The body, which must belong to a 200.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        self.body
    }

    /// The tokens in a 200. `verify` nests them, `refresh` returns them flat.
    #[track_caller]
    pub fn tokens(self) -> Tokens {
        let body = self.ok();
        let tokens = body.get("tokens").unwrap_or(&body);
        let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
        Tokens { access: text("access"), refresh: text("refresh") }
    }

    /// Asserts that an access token was refused.
    #[track_caller]
    pub fn needs_a_token(&self) {
        self.refused(401, "invalid_token");
        assert_eq!(self.headers["www-authenticate"], "Bearer");
    }

    /// Asserts the status and code of an error, and the shape common to all errors.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) {
        assert_eq!((self.status.as_u16(), self.code()), (status, code), "{}", self.body);
        assert_eq!(self.body["success"], json!(false));
        assert!(self.body["message"].is_string());
        let waits = self.body.get("retry_after").and_then(Value::as_u64);
        let header = self.headers.get(header::RETRY_AFTER).map(|value| value.to_str().unwrap().parse().unwrap());
        assert_eq!(waits, header, "body and header have different delays");
    }

    pub fn code(&self) -> &str {
        self.body["error"].as_str().unwrap_or(if self.status.is_success() { "ok" } else { "" })
    }

    /// The seconds to wait, according to the body.
    #[track_caller]
    pub fn retry_after(&self) -> u64 {
        self.body["retry_after"].as_u64().unwrap()
    }
}
