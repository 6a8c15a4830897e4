//! The front door: whole requests, through the runtime's event to an answer, to a function that reads all there is to read.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use data_encoding::BASE64;
use futures_util::FutureExt;
use lambda_http::{Context, LambdaEvent};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::config::Config;
use shared::cookie::Cookie;
use shared::error::Result;
use shared::frontends::{Frontends, TokenDelivery};
use shared::http::{Delivered, Function, Reply, Request, Served};
use shared::token::RefreshToken;
use shared::wire::{IdentifierFields, source_url};

use super::deployment::config;
use super::keyring::now;
use crate::{Target, Word, texts};

/// Reads of a request what our functions read together.
struct Reader(Frontends);

#[derive(Deserialize)]
struct Body {
    #[serde(flatten)]
    identifier: IdentifierFields,
    refresh: Option<String>,
    source_url: Option<String>,
    token_delivery: Option<TokenDelivery>,
}

impl Function for Reader {
    const NAME: &'static str = "reader";
    const ROUTES: &'static [(&'static str, &'static str)] = &[
        ("POST", "/api/auth/otp/request"),
        ("POST", "/api/auth/otp/verify"),
        ("POST", "/api/auth/token/refresh"),
        ("POST", "/api/auth/logout"),
        ("GET", "/api/profile"),
        ("DELETE", "/api/auth/sessions/{id}"),
    ];

    async fn compose(config: Config, _: Clock) -> Result<Reader> {
        Ok(Reader(config.frontends))
    }

    async fn handle(&self, request: Request) -> Result<Reply> {
        let device = request.device();
        assert!(device.words.len() <= 40 && device.prefix.len() <= 43, "{device:?}");
        if request.method() != "POST" {
            assert!(request.bearer()?.len() <= 10_000 && !request.last_segment().contains('/'));
            return Reply::ok(json!({}));
        }
        let Body { identifier, refresh, source_url: source, token_delivery } = request.json()?;
        source_url(source.as_deref())?;
        let Delivered { delivery, text } = request.delivered(&self.0, token_delivery, refresh, Cookie::Refresh)?;
        request.device_cookie(&self.0, delivery)?;
        text.map(|text| text.parse::<RefreshToken>()).transpose()?;
        Reply::ok(json!({ "identifier": identifier.identifier()?.reveal() }))
    }
}

fn served() -> Arc<Served<Reader>> {
    static SERVED: OnceLock<Arc<Served<Reader>>> = OnceLock::new();
    let start = || {
        let settings = config(&BTreeMap::from([("TRUSTED_PROXIES", "10.0.0.0/8")])).unwrap();
        let starting = Served::start(settings, Clock::new(now)).now_or_never();
        Arc::new(starting.unwrap().unwrap_or_else(|error| panic!("{error:?}")))
    };
    SERVED.get_or_init(start).clone()
}

/// Hands an event in. An answer is JSON with all the headers that every answer has, and a fault of ours is none (S64).
pub(super) fn answered(event: &str) -> Word {
    let Ok(event) = serde_json::from_str(event) else {
        return "no event";
    };
    let answer =
        served().invoke(LambdaEvent::new(event, Context::default())).now_or_never().expect("it waits for nothing");
    let answer = serde_json::to_value(answer).unwrap();
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    assert!(body.is_object() && answer["isBase64Encoded"] == false, "{answer}");
    assert_eq!(
        (&answer["headers"]["cache-control"], &answer["headers"]["content-type"]),
        (&json!("no-store"), &json!("application/json"))
    );
    match answer["statusCode"].as_u64().unwrap() {
        200 => "read",
        400 => "refused",
        401 => "no token",
        403 => "forbidden",
        404 | 405 => "elsewhere",
        // Only where the gateway has not said whence the request comes.
        500 => "no source",
        other => panic!("{other}: {answer}"),
    }
}

pub(super) fn event() -> Value {
    let headers = json!({
        "content-type": "application/json",
        "origin": "https://app.example.com",
        "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "x-forwarded-for": "203.0.113.9, 192.0.2.1",
        "host": "auth.example.com",
        "x-forwarded-proto": "https",
    });
    let context = json!({
        "accountId": "0", "apiId": "a", "domainName": "auth.example.com", "domainPrefix": "auth", "requestId": "r=",
        "http": { "method": "POST", "path": "/api/auth/otp/request/", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "x" },
        "routeKey": "POST /api/auth/otp/request", "stage": "$default", "time": "01/Jan/2026:00:00:00 +0000", "timeEpoch": 1_767_225_600_000_u64,
    });
    json!({
        "version": "2.0", "routeKey": "POST /api/auth/otp/request", "rawPath": "/api/auth/otp/request/", "rawQueryString": "a=b",
        "headers": headers, "requestContext": context, "body": "{\"identifier\":\"ada@example.com\"}", "isBase64Encoded": false,
        "cookies": ["__Host-device=v1.1.x", "a=b"],
    })
}

#[rustfmt::skip] // Words side by side.
pub(super) const EVENT: Target = Target {
    name: "event",
    run: |input| answered(&String::from_utf8_lossy(input)),
    seeds: || {
        let mut bearer = event();
        bearer["requestContext"]["http"]["method"] = json!("GET");
        bearer["requestContext"]["http"]["path"] = json!("/api/profile");
        bearer["rawPath"] = json!("/api/profile");
        bearer["headers"]["authorization"] = json!("Bearer a.b.c");
        let mut encoded = event();
        encoded["isBase64Encoded"] = json!(true);
        encoded["body"] = json!(BASE64.encode(br#"{"identifier":"ada@example.com"}"#));
        [event(), bearer, encoded].map(|event| event.to_string().into_bytes()).to_vec()
    },
    dictionary: &[
        "\"rawPath\":", "\"rawQueryString\":", "\"headers\":", "\"cookies\":", "\"body\":", "\"isBase64Encoded\":",
        "\"requestContext\":", "\"http\":", "\"method\":", "\"path\":", "\"sourceIp\":", "\"requestId\":",
        "\"pathParameters\":", "\"queryStringParameters\":", "\"authorization\":", "true", "false", "null", "{}",
        "[]", "\"\"", "\"%\"", "\"//\"", "\"?\"", "\"#\"", "\"\\u0000\"", "\"\\n\"", "\"::1\"", "\"*\"", "\"<>\"",
        "1", "/accounts/otp/request", "/api/auth/sessions/x", "GET", "DELETE", "PRI", "CONNECT",
    ],
    reaches: &["read", "refused", "no event"],
};

#[rustfmt::skip] // Words side by side.
pub(super) const FIELDS: Target = Target {
    name: "event-fields",
    run: fields,
    seeds: || {
        texts([
            "/requestContext/http/sourceIp ::1\nx-forwarded-for: 203.0.113.9",
            "authorization: Bearer a.b.c\n/rawPath /api/profile\n/requestContext/http/method GET",
            "origin: https://evil.example\n/cookies [\"__Host-refresh=x\"]",
            "content-type: text/plain",
        ])
    },
    dictionary: &[
        "\n", ": ", " ", "/rawPath ", "/cookies ", "/cookies/0 ", "/isBase64Encoded true",
        "/requestContext/http/sourceIp ", "/requestContext/http/method ", "/requestContext/stage ",
        "/requestContext/domainName ", "/requestContext/requestId ", "/rawQueryString ", "/body ", "origin: ",
        "authorization: ", "cookie: ", "content-type: ", "sec-fetch-site: same-origin", "x-forwarded-for: ",
        "x-forwarded-proto: ", "host: ", "user-agent: ", "Bearer ", "__Host-refresh=", "null", "true", "{}", "[]",
        "GET", "/accounts/otp/verify", "https://app.example.com", "10.0.0.1", "::", ",", ";",
    ],
    reaches: &["read", "refused", "no token", "forbidden", "elsewhere", "no event"],
};

/// Lines that change an event: `name: value` a header, `/pointer value` any member.
fn fields(input: &[u8]) -> Word {
    let (text, mut event) = (String::from_utf8_lossy(input), event());
    for line in text.split('\n') {
        if let Some((pointer, value)) = line.split_once(' ').filter(|(pointer, _)| pointer.starts_with('/')) {
            let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
            let _ = event.pointer_mut(pointer).map(|member| *member = value);
        } else if let (Some((name, value)), Some(headers)) = (line.split_once(": "), event["headers"].as_object_mut()) {
            headers.insert(name.to_owned(), json!(value));
        }
    }
    answered(&event.to_string())
}
