//! Invalid input of any kind gets a clear JSON error instead of a 500, and changes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{Request, header};
use fuzz::mutate::{Random, mutated};
use lambda_http::{Context, LambdaEvent};
use serde_json::json;
use shared::config;
use shared::observe::log::Log;
use shared::runtime::{Served, settings};
use shared::words::Clock;
use tests::Deployment;
use tests::client::{LOGOUT, REFRESH, REQUEST, VERIFY};

const ROUTES: [&str; 4] = [REQUEST, VERIFY, REFRESH, LOGOUT];

/// V21: an address as an array or an object, or a duplicate key.
#[tokio::test]
async fn an_identifier_is_one_string() {
    let auth = Deployment::start().await;
    for identifier in ["[\"ada@example.com\",\"mallory@example.com\"]", "{\"a\":1}", "1", "true", "[]", "1e999"] {
        for path in [REQUEST, VERIFY] {
            let body = format!("{{\"identifier\":{identifier},\"otp_code\":\"123456\"}}");
            auth.client().post_text(path, &body).await.refused(400, "invalid_request");
        }
    }
    for body in [
        r#"{"identifier":"ada@example.com","identifier":"mallory@example.com"}"#,
        r#"{"identifier":"ada@example.com","\u0069dentifier":"mallory@example.com"}"#,
        r#"{"identifier":"ada@example.com","x":{"y":1,"y":2}}"#,
    ] {
        auth.client().post_text(REQUEST, body).await.refused(400, "invalid_request");
    }
    assert!(auth.stack.inbox().messages(None).is_empty());
}

/// V32: too large, too deep, huge numbers, and plain text.
#[tokio::test]
async fn oversized_and_deeply_nested_bodies_are_refused() {
    let auth = Deployment::start().await;
    let long = format!("{{\"identifier\":\"ada@example.com\",\"x\":\"{}\"}}", "a".repeat(8 * 1024));
    let deep = format!("{{\"identifier\":\"ada@example.com\",\"x\":{}1{}}}", "[".repeat(500), "]".repeat(500));
    let endless = "[".repeat(8_000);
    let bodies = [
        "",
        " ",
        "null",
        "[]",
        "\"ada@example.com\"",
        "{",
        "{\"identifier\"",
        "identifier=ada@example.com",
        "\u{feff}{}",
        "{}{}",
        "{\"identifier\":\"ada@example.com\",}",
        "{'identifier':'ada@example.com'}",
        "{\"identifier\":\"\\ud800\"}",
        &long,
        &deep,
        &endless,
    ];
    for path in ROUTES {
        for body in bodies {
            auth.client().post_text(path, body).await.refused(400, "invalid_request");
        }
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        let not_utf8 = request.body(Bytes::from_static(b"{\"identifier\":\"\xff\xfe\"}")).unwrap();
        auth.client().send(not_utf8).await.refused(400, "invalid_request");
    }
    assert!(auth.stack.services().calls().take().is_empty(), "AWS was called");
}

/// Sends the fuzzer's bodies to the functions.
#[tokio::test]
async fn no_body_causes_a_server_error() {
    let auth = Deployment::with(&[("JWT_ALGORITHM", "ES256")]).await;
    let mut random = Random::new(1);
    for (path, name) in ROUTES.iter().zip(["request-body", "verify-body", "refresh-body", "logout-body"]) {
        let body = fuzz::target(name).unwrap();
        let seeds = (body.seeds)();
        for times in 0..200 {
            let input = mutated(&seeds[times % seeds.len()], &seeds, body.dictionary, &mut random);
            let request = Request::post(*path).header(header::CONTENT_TYPE, "application/json");
            // Each from another network, to stay below the limits.
            let client = auth.client_at(&format!("198.51.{}.{}", times / 100, times % 100));
            let answer = client.send(request.body(Bytes::from(input.clone())).unwrap()).await;
            assert!(answer.status.as_u16() < 500, "{path}: {} to {}", answer.body, input.escape_ascii());
        }
    }
}

/// S62: another site's page can send a form or plain text without a preflight.
#[tokio::test]
async fn the_content_type_is_json() {
    let auth = Deployment::start().await;
    let body = json!({ "identifier": "ada@example.com" }).to_string();
    for content_type in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp", ""]
    {
        let request = Request::post(REQUEST).header(header::CONTENT_TYPE, content_type);
        auth.client().send(request.body(Bytes::from(body.clone())).unwrap()).await.refused(400, "invalid_request");
    }
    auth.client()
        .send(Request::post(REQUEST).body(Bytes::from(body.clone())).unwrap())
        .await
        .refused(400, "invalid_request");
    for content_type in ["application/json", "Application/JSON; charset=utf-8"] {
        let request = Request::post(REQUEST).header(header::CONTENT_TYPE, content_type);
        auth.client().send(request.body(Bytes::from(body.clone())).unwrap()).await.ok();
    }
}

/// V33: a body in base64 is decoded exactly once.
#[tokio::test]
async fn a_base64_body_is_decoded_once() {
    let auth = Deployment::start().await;
    auth.stack.api().unwrap().gateway().set_always_base64(true);
    auth.client().sign_in("ada@example.com").await;
    let twice = data_encoding::BASE64.encode(br#"{"identifier":"ada@example.com"}"#);
    auth.client().post_text(REQUEST, &twice).await.refused(400, "invalid_request");
}

#[tokio::test]
async fn every_answer_forbids_caching() {
    let auth = Deployment::start().await;
    let answers = [
        auth.client().post(REQUEST, json!({ "identifier": "ada@example.com" })).await,
        auth.client().post(REQUEST, json!({})).await,
        auth.client().post(REFRESH, json!({ "refresh": "x" })).await,
        auth.client().get("/nothing").await,
    ];
    for answer in answers {
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("strict-transport-security", "max-age=63072000; includeSubDomains"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
            ("x-frame-options", "DENY"),
            ("content-type", "application/json"),
        ] {
            assert_eq!(answer.headers[name], value);
        }
        assert!(!answer.headers["x-request-id"].is_empty());
    }
}

/// The Lambda runtime builds a URL from the event and panics if it is invalid. It also panics at invalid base64. The
/// functions avoid both.
#[tokio::test]
async fn events_that_would_crash_the_runtime_are_answered() {
    let auth = Deployment::start().await;
    let variables: BTreeMap<_, _> = auth.stack.environment("Fallback").into_iter().collect();
    let settings = config::read(|name| variables.get(name).cloned(), settings::<fallback::Fallback>).unwrap();
    let served = Arc::new(
        Served::<fallback::Fallback>::start(settings, Clock::system(), Log::new(Clock::system(), |_| {}))
            .await
            .unwrap(),
    );
    let request = Request::get("/nothing").body(Bytes::new()).unwrap();
    let (_, genuine) = auth.stack.api().unwrap().event(&request, "192.0.2.1".parse().unwrap()).unwrap();
    let longer_than_any = "/a".repeat(40_000);
    for (member, value) in [
        ("rawQueryString", "a=\"<b> c\""),
        ("rawPath", ":99999"),
        ("rawPath", &longer_than_any),
        ("domainName", "a b"),
        ("body", "{}"),
        ("host", "a b"),
        ("x-forwarded-proto", "<>"),
    ] {
        let mut event = genuine.clone();
        match member {
            "rawQueryString" | "rawPath" => event[member] = json!(value),
            "domainName" => event["requestContext"][member] = json!(value),
            "body" => (event[member], event["isBase64Encoded"]) = (json!(value), json!(true)),
            header => event["headers"][header] = json!(value),
        }
        let event = LambdaEvent::new(serde_json::from_value(event).unwrap(), Context::default());
        let answer = serde_json::to_value(served.clone().invoke(event).await.unwrap()).unwrap();
        assert_eq!(answer["statusCode"], 404, "{member}");
    }
}
