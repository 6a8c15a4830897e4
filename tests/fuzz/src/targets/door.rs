//! Whole requests, from the runtime's event to the answer of the function that the gateway would choose.

use std::net::IpAddr;

use data_encoding::BASE64;
use lambda_http::request::LambdaRequest;
use serde_json::{Value, json};
use shared::http::{ALIASES, without_final_slash};

use crate::stage::{has_places, on_stage};
use crate::{Target, Word, texts};

/// The function for each prefix of paths.
const FUNCTIONS: [(&str, &str); 9] = [
    ("/api/auth/otp/request", "RequestOtp"),
    ("/api/auth/otp/status", "Status"),
    ("/api/auth/otp/verify", "VerifyOtp"),
    ("/api/auth/token/refresh", "Refresh"),
    ("/api/webhooks/", "Callbacks"),
    ("/api/auth/logout", "Logout"),
    ("/api/auth/sessions", "Sessions"),
    ("/api/profile", "Profile"),
    ("/.well-known/", "Jwks"),
];

fn function(path: &str) -> &'static str {
    let alias = ALIASES.iter().find(|alias| alias.path == without_final_slash(path));
    let path = alias.map_or(path, |alias| alias.stands_for);
    FUNCTIONS.iter().find(|(start, _)| path.starts_with(start)).map_or("Fallback", |(_, function)| function)
}

/// The placeholder without which a function's answer must be an error.
const NEEDS: [(&str, &str); 4] =
    [("VerifyOtp", "{code}"), ("Profile", "{access}"), ("Sessions", "{access}"), ("Refresh", "{refresh}")];

/// Sends an event to a function. The answer is JSON with all common headers and never a server error (S64). Access always needs a
/// code or a token.
pub(super) fn answered(event: &str) -> Word {
    on_stage(|stage| {
        let filled = stage.filled(event);
        // The runtime parses the text, and `local` parses a value. An input must be valid for both.
        let is_event = serde_json::from_str::<LambdaRequest>(&filled).is_ok();
        let Some(value) = serde_json::from_str::<Value>(&filled).ok().filter(|_| is_event) else {
            return "no event";
        };
        let function = function(value["rawPath"].as_str().unwrap_or_default());
        let answer = stage.answer(function, &value);
        is_well_formed(function, &answer);
        let word = word(&value, &answer);
        let lacks = |(needing, needed): &(&str, &str)| *needing == function && !event.contains(needed);
        assert!(word != "done" || !NEEDS.iter().any(lacks), "{event} is answered: {answer}");
        match word {
            "limited" => stage.go_on_later(),
            "done" if has_places(event) => stage.go_on(),
            "refused" | "no event" | "elsewhere" | "done" => {}
            _ => stage.try_one(),
        }
        word
    })
}

fn is_well_formed(function: &str, answer: &Value) {
    let header = |name: &str| answer["headers"][name].as_str();
    if answer["statusCode"] == 308 {
        let location = header("location").unwrap();
        return assert!(location.starts_with('/') && !location.starts_with("//"), "{answer}");
    }
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    assert!(body.is_object() && answer["isBase64Encoded"] == false, "{answer}");
    let is_public = function == "Jwks" && answer["statusCode"] == 200;
    let expected = [("content-type", "application/json"), ("x-content-type-options", "nosniff")];
    assert!(expected.iter().all(|(name, value)| header(name) == Some(value)), "{answer}");
    assert!(is_public || header("cache-control") == Some("no-store"), "{answer}");
}

fn word(event: &Value, answer: &Value) -> Word {
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap_or_default()).unwrap_or_default();
    let source = event.pointer("/requestContext/http/sourceIp").and_then(Value::as_str);
    match answer["statusCode"].as_u64().unwrap() {
        200 => "done",
        400 if ["error", "error_code"].iter().any(|name| body[name] == "invalid_otp") => "wrong code",
        400 => "refused",
        401 => "no token",
        403 => "forbidden",
        308 | 404 | 405 => "elsewhere",
        429 => "limited",
        // The real gateway always adds the source address.
        500 if source.is_none_or(|source| source.parse::<IpAddr>().is_err()) => "no source",
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
    name: "event", asks_functions: true,
    run: |input| answered(&String::from_utf8_lossy(input)),
    seeds: || {
        let mut bearer = event();
        bearer["requestContext"]["http"]["method"] = json!("GET");
        bearer["requestContext"]["http"]["path"] = json!("/api/profile");
        bearer["rawPath"] = json!("/api/profile");
        bearer["headers"]["authorization"] = json!("Bearer {access}");
        let mut encoded = event();
        encoded["isBase64Encoded"] = json!(true);
        encoded["body"] = json!(BASE64.encode(br#"{"identifier":"ada@example.com"}"#));
        let mut verify = event();
        verify["rawPath"] = json!("/api/auth/otp/verify/");
        verify["body"] = json!(r#"{"identifier":"{who}","otp":"{code}","challenge_id":"{challenge}"}"#);
        [event(), bearer, encoded, verify].map(|event| event.to_string().into_bytes()).to_vec()
    },
    dictionary: &[
        "\"rawPath\":", "\"rawQueryString\":", "\"headers\":", "\"cookies\":", "\"body\":", "\"isBase64Encoded\":",
        "\"requestContext\":", "\"http\":", "\"method\":", "\"path\":", "\"sourceIp\":", "\"requestId\":",
        "\"pathParameters\":", "\"queryStringParameters\":", "\"authorization\":", "true", "false", "null", "{}",
        "[]", "\"\"", "\"%\"", "\"//\"", "\"?\"", "\"#\"", "\"\\u0000\"", "\"\\n\"", "\"::1\"", "\"*\"", "\"<>\"",
        "1", "/accounts/otp/request", "/api/auth/otp/verify", "/api/auth/logout", "/api/auth/token/refresh",
        "/api/auth/sessions/x", "GET", "DELETE", "PRI", "CONNECT", "{code}", "{access}",
    ],
    reaches: &["done", "refused", "no event"],
};

#[rustfmt::skip] // Words side by side.
pub(super) const FIELDS: Target = Target {
    name: "event-fields", asks_functions: true,
    run: fields,
    seeds: || {
        texts([
            "/requestContext/http/sourceIp ::1\nx-forwarded-for: 203.0.113.9",
            "authorization: Bearer {access}\n/rawPath /api/profile\n/requestContext/http/method GET",
            "authorization: Bearer  x\n/rawPath /api/profile\n/requestContext/http/method GET",
            "origin: https://evil.example\n/rawPath /api/auth/token/refresh\n/cookies [\"__Host-refresh={refresh}\"]\n/body \"{}\"",
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
    reaches: &["done", "refused", "no token", "forbidden", "elsewhere", "no event"],
};

/// Lines that change an event: `name: value` sets a header, `/pointer value` sets any member.
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
