//! JSON and paths from clients.

use serde_json::{Map, Value, json};
use shared::http::json;

use super::bodies::IN_JSON;
use super::door::{answered, event};
use crate::{Target, Word, texts};

const BODIES: [&str; 5] = [
    r#"{"identifier":"ada@example.com","source_url":"https://example.com","token_delivery":"body"}"#,
    r#"{"phone_number":"+447400123456","channel":"sms","x":[1,2.5,null,true,{"y":"z"}]}"#,
    r#"{"email":"ada@example.com","refresh":"v1.r1.019b76da-a800-7000-8000-000000000000.AAAAAAAAAAAAAAAAAAAAAA.1.AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA"}"#,
    r#"{"identifier":"ada@example.com","identifier":"bob@example.com"}"#,
    r#"{"a":{"a":{"a":{"a":{"a":{"a":{"a":1}}}}}}}"#,
];

#[rustfmt::skip] // Words side by side.
pub(super) const JSON: Target =
    Target { name: "json", asks_functions: false, run: strict, seeds: || texts(BODIES), dictionary: IN_JSON, reaches: &["read", "refused"] };

/// If the strict parser accepts a text, a lax parser reads the same. Otherwise the text is too deep, ambiguous or not an object.
fn strict(input: &[u8]) -> Word {
    let (strict, lax) = (json::read::<Map<String, Value>>(input), serde_json::from_slice::<Value>(input));
    let Ok(strict) = strict else {
        return "refused";
    };
    let lax = lax.unwrap();
    // An empty field is a missing one.
    let is_kept =
        |(name, value): (&String, &Value)| strict.get(name) == Some(value) || value.is_null() || value.is_string();
    assert!(lax.as_object().unwrap().iter().all(is_kept), "{strict:?} of {lax}");
    assert!(strict.iter().all(|(name, value)| lax.get(name) == Some(value)), "{strict:?} of {lax}");
    let strict = Value::Object(strict);
    let text = strict.to_string();
    assert!(
        json::read::<Map<String, Value>>(text.as_bytes()).is_ok_and(|again| Value::Object(again) == strict),
        "{text}"
    );
    "read"
}

#[rustfmt::skip] // Words side by side.
pub(super) const PATH: Target = Target {
    name: "path", asks_functions: true,
    run: path,
    seeds: || {
        texts([
            "GET /api/profile/",
            "GET /.well-known/jwks.json",
            "DELETE /api/auth/sessions/AAAA_-9",
            "POST /accounts/otp/request/",
            "GET /api/auth/profile",
        ])
    },
    dictionary: &[
        "/", "//", "..", ".", "%2f", "%2e%2e", "?", "#", ";", "\\", " ", "\t", "/api", "/auth", "/sessions",
        "/profile", "{id}", "{proxy+}", "\u{2028}", "GET", "POST", "DELETE", "HEAD", "http://evil.example",
    ],
    reaches: &["done", "no token", "elsewhere", "refused"],
};

/// A method and a path from a client.
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
