//! Bodies and paths, as clients write them.

use data_encoding::BASE64;
use serde_json::{Map, Value, json};
use shared::json;

use super::door::{answered, event};
use crate::{Target, Word, texts};

/// A body to a path of ours and to one of an alias, as text and in base64: the same word for all of them.
fn body(input: &[u8]) -> Word {
    let mut words = Vec::new();
    for path in ["/api/auth/otp/request", "/accounts/otp/request/"] {
        let mut event = event();
        event["rawPath"] = json!(path);
        event["requestContext"]["http"]["path"] = json!(path);
        event["isBase64Encoded"] = json!(true);
        event["body"] = json!(BASE64.encode(input));
        words.push(answered(&event.to_string()));
        if let Ok(text) = std::str::from_utf8(input) {
            event["isBase64Encoded"] = json!(false);
            event["body"] = json!(text);
            assert_eq!(answered(&event.to_string()), *words.last().unwrap(), "{text}");
        }
    }
    words[0]
}

const BODIES: [&str; 5] = [
    r#"{"identifier":"ada@example.com","source_url":"https://example.com","token_delivery":"body"}"#,
    r#"{"phone_number":"+447400123456","channel":"sms","x":[1,2.5,null,true,{"y":"z"}]}"#,
    r#"{"email":"ada@example.com","refresh":"v1.r1.019b76da-a800-7000-8000-000000000000.AAAAAAAAAAAAAAAAAAAAAA.1.AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA"}"#,
    r#"{"identifier":"ada@example.com","identifier":"bob@example.com"}"#,
    r#"{"a":{"a":{"a":{"a":{"a":{"a":{"a":1}}}}}}}"#,
];

#[rustfmt::skip] // Words side by side.
const IN_JSON: &[&str] = &[
    "{", "}", "[", "]", ":", ",", "\"", "\\u0000", "\\ud800", "\\", "null", "true", "1e999", "-0", "0.1", "1E400",
    "\"identifier\":", "\"email\":", "\"phone\":", "\"phone_number\":", "\"channel\":", "\"sms\"", "\"email\"",
    "\"refresh\":", "\"token_delivery\":", "\"cookie\"", "\"body\"", "\"source_url\":", "ada@example.com",
    "+447400123456", "[[[[[[[[[", "{\"a\":", "//", "/*", "\u{feff}", "'",
];

#[rustfmt::skip] // Words side by side.
pub(super) const BODY: Target = Target {
    name: "body",
    run: body,
    seeds: || texts(BODIES),
    dictionary: IN_JSON,
    reaches: &["read", "refused", "no token"],
};

#[rustfmt::skip] // Words side by side.
pub(super) const JSON: Target =
    Target { name: "json", run: strict, seeds: || texts(BODIES), dictionary: IN_JSON, reaches: &["read", "refused"] };

/// What the strict reader reads, any reader reads alike; and what it refuses beyond that is deep, ambiguous or no object.
fn strict(input: &[u8]) -> Word {
    let (strict, lax) = (json::read::<Map<String, Value>>(input), serde_json::from_slice::<Value>(input));
    let Ok(strict) = strict else {
        return "refused";
    };
    let strict = Value::Object(strict);
    assert_eq!(Some(&strict), lax.as_ref().ok());
    let text = strict.to_string();
    assert!(
        json::read::<Map<String, Value>>(text.as_bytes()).is_ok_and(|again| Value::Object(again) == strict),
        "{text}"
    );
    "read"
}

#[rustfmt::skip] // Words side by side.
pub(super) const PATH: Target = Target {
    name: "path",
    run: path,
    seeds: || {
        texts([
            "GET /api/profile/",
            "DELETE /api/auth/sessions/AAAA_-9",
            "POST /accounts/otp/request/",
            "GET /api/auth/profile",
        ])
    },
    dictionary: &[
        "/", "//", "..", ".", "%2f", "%2e%2e", "?", "#", ";", "\\", " ", "\t", "/api", "/auth", "/sessions",
        "/profile", "{id}", "{proxy+}", "\u{2028}", "GET", "POST", "DELETE", "HEAD", "http://evil.example",
    ],
    reaches: &["no token", "elsewhere", "refused"],
};

/// A method and a path, as a client writes them.
fn path(input: &[u8]) -> Word {
    let text = String::from_utf8_lossy(input);
    let (method, path) = text.split_once(' ').unwrap_or(("GET", &text));
    let mut event = event();
    event["rawPath"] = json!(path);
    event["requestContext"]["http"]["path"] = json!(path);
    event["requestContext"]["http"]["method"] = json!(method);
    event["body"] = Value::Null;
    event["isBase64Encoded"] = json!(false);
    answered(&event.to_string())
}
