//! Start: a function reads its keyrings and opens its connections before its first request, over TLS as in AWS.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Request, header};
use lambda_http::request::LambdaRequest;
use lambda_http::{Context, LambdaEvent};
use serde_json::json;
use shared::observe::log::Log;
use shared::runtime::{Function, Served, Settings};
use shared::words::Clock;
use shared::{config, http, runtime};
use tests::authenticator::{FACTORS, SECOND_FACTOR};
use tests::client::{LOGOUT, REFRESH, REQUEST, VERIFY, posting};
use tests::tls::TlsEndpoint;
use tests::{Answer, Deployment};
use tokio::task::yield_now;
use tokio::time::timeout;

const ADA: &str = "ada@example.com";
const PHONE: &str = "+447400123456";
/// How long connections may take to open on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// The settings of the function for `request`, with additional ones, and the event.
pub(super) fn settings<F: Function>(
    auth: &Deployment,
    request: &Request<Bytes>,
    own: Vec<(String, String)>,
) -> (Settings<F::Settings>, LambdaEvent<LambdaRequest>) {
    let (name, event) = auth.stack.api().unwrap().event(request, "192.0.2.1".parse().unwrap()).unwrap();
    let environment: BTreeMap<_, _> = auth.stack.environment(&name).into_iter().chain(own).collect();
    let settings = config::read(|name| environment.get(name).cloned(), runtime::settings::<F>).unwrap();
    (settings, LambdaEvent::new(serde_json::from_str(&event.to_string()).unwrap(), Context::default()))
}

/// A log without readers.
pub(super) fn unread() -> Log {
    Log::new(Clock::system(), |_| {})
}

/// Starts `F` behind TLS and sends it a first request. The start must open so many connections, and the request none.
async fn opens<F: Function<Event = http::Request>>(auth: &Deployment, request: Request<Bytes>, connections: usize) {
    let tls = TlsEndpoint::start(auth.stack.addresses().aws).await;
    let (settings, event) = settings::<F>(auth, &request, tls.settings());
    // On the heap, because the futures of all functions together exceed a test's stack.
    let served = Arc::new(Box::pin(Served::<F>::start(settings, auth.stack.clock().handle(), unread())).await.unwrap());
    // The pool gives a request the first connection that is free, and its own one may still be opening then.
    let open = async {
        while tls.handshakes() < connections {
            yield_now().await;
        }
    };
    let _ = timeout(PATIENCE, open).await;
    assert_eq!(tls.handshakes(), connections, "{}: connections opened at start", F::NAME);
    let answer = serde_json::to_value(Box::pin(served.invoke(event)).await.unwrap()).unwrap();
    assert_eq!(answer["statusCode"], 200, "{}: {answer}", F::NAME);
    assert_eq!(tls.handshakes(), connections, "{}: the first request opened a connection", F::NAME);
}

fn answered(identifier: &str, asked: &Answer, code: &str) -> Request<Bytes> {
    posting(VERIFY, json!({ "identifier": identifier, "otp_code": code, "challenge_id": asked.body["challenge_id"] }))
}

#[tokio::test]
async fn the_first_request_opens_no_connection() {
    let auth = Deployment::start().await;
    let ask = |identifier: &str| json!({ "identifier": identifier });
    // One for Secrets Manager, three for DynamoDB, one each for SES and SNS.
    opens::<request_otp::RequestOtp>(&auth, posting(REQUEST, ask(ADA)), 6).await;
    opens::<request_otp::RequestOtp>(&auth, posting(REQUEST, ask(PHONE)), 6).await;
    let eum = [("SMS_PROVIDER", "eum"), ("SMS_SENDER_ID", "Latchkey"), ("SMS_CONFIGURATION_SET", "codes")];
    let eum = Deployment::with(&eum).await;
    opens::<request_otp::RequestOtp>(&eum, posting(REQUEST, ask(PHONE)), 6).await;

    // One for the keyrings, and four for DynamoDB (a known user's answer to an SMS).
    for identifier in [ADA, PHONE, PHONE] {
        let asked = auth.client().post(REQUEST, ask(identifier)).await;
        let request = answered(identifier, &asked, &auth.newest_code(identifier));
        opens::<verify_otp::VerifyOtp>(&auth, request, 5).await;
    }

    let tokens = auth.client().sign_in("grace@example.com").await;
    let request = posting(REFRESH, json!({ "refresh": tokens.refresh }));
    opens::<refresh::Refresh>(&auth, request, 3).await;
    let request = posting(LOGOUT, json!({ "refresh": tokens.refresh }));
    opens::<logout::Logout>(&auth, request, 2).await;

    let tokens = auth.client().sign_in("grace@example.com").await;
    let read = |path: &str| {
        let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {}", tokens.access));
        request.body(Bytes::new()).unwrap()
    };
    opens::<profile::Profile>(&auth, read("/api/profile/"), 1).await;
    // One for the public keys, two more for a list.
    opens::<sessions::Sessions>(&auth, read("/api/auth/sessions/"), 3).await;
    let request = Request::get("/.well-known/jwks.json").body(Bytes::new()).unwrap();
    opens::<jwks::Jwks>(&auth, request, 1).await;

    // One for the keyrings, one for the public keys, two more for the user and the factors. A sign-in ends with three calls.
    let enrolled = auth.client().enrol("heidi@example.com").await;
    let challenge = auth.client().first_step("heidi@example.com").await;
    let body = json!({ "challenge_id": challenge, "method": "totp", "code": enrolled.app.code(&auth) });
    opens::<second_factor::SecondFactor>(&auth, posting(SECOND_FACTOR, body), 4).await;
    let request = Request::get(FACTORS).header(header::AUTHORIZATION, format!("Bearer {}", enrolled.tokens.access));
    opens::<factors::Factors>(&auth, request.body(Bytes::new()).unwrap(), 4).await;
}

/// Without SMS, SNS gets no connection and DynamoDB only those for email.
#[tokio::test]
async fn a_start_opens_only_what_the_settings_use() {
    let auth = Deployment::with(&[("SMS_COUNTRIES", "")]).await;
    opens::<request_otp::RequestOtp>(&auth, posting(REQUEST, json!({ "identifier": ADA })), 5).await;
    let asked = auth.client().post(REQUEST, json!({ "identifier": "grace@example.com" })).await;
    let request = answered("grace@example.com", &asked, &auth.newest_code("grace@example.com"));
    opens::<verify_otp::VerifyOtp>(&auth, request, 4).await;
}

/// Opening a connection makes no call. At start, only the keyrings and the brake are read.
#[tokio::test]
async fn a_start_reads_the_keyrings_and_the_brake() {
    let auth = Deployment::start().await;
    opens::<request_otp::RequestOtp>(&auth, posting(REQUEST, json!({ "identifier": ADA })), 6).await;
    let calls = auth.stack.services().calls().take();
    let mut first: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    // A start makes its calls in parallel, and so does the first round of the request.
    first[..2].sort_unstable();
    first[2..5].sort_unstable();
    let request = ["GetItem", "UpdateItem", "UpdateItem", "UpdateItem", "SendEmail"];
    assert_eq!(first, [&["BatchGetSecretValue", "GetItem"][..], &request].concat());
}

/// An endpoint with another root is not AWS. The built-in roots, or those of a bundle, replace the system's.
#[tokio::test]
async fn only_the_configured_roots_are_trusted() {
    let auth = Deployment::start().await;
    let (tls, other) =
        (TlsEndpoint::start(auth.stack.addresses().aws).await, TlsEndpoint::start(auth.stack.addresses().aws).await);
    let own = tls.settings().remove(0);
    let others = other.settings().remove(0);
    let none = (own.0.clone(), String::new());
    for (bundle, status) in [(own, 200), (others, 503), (none, 503)] {
        let request = Request::get("/.well-known/jwks.json").body(Bytes::new()).unwrap();
        let (settings, event) =
            settings::<jwks::Jwks>(&auth, &request, [tls.settings(), vec![bundle.clone()]].concat());
        let served =
            Arc::new(Served::<jwks::Jwks>::start(settings, auth.stack.clock().handle(), unread()).await.unwrap());
        let answer = serde_json::to_value(served.invoke(event).await.unwrap()).unwrap();
        assert_eq!(answer["statusCode"], status, "{bundle:?}: {answer}");
        assert_eq!(tls.handshakes(), 1, "{bundle:?}");
    }
}
