//! The bodies of the API's routes and aliases, parsed by the functions themselves.

use data_encoding::BASE64;
use serde_json::{Value, json};
use shared::http::ALIASES;

use super::door::{answered, event};
use crate::stage::has_places;
use crate::{Target, Word, texts};

/// The gateway's event for a text body.
fn posting(path: &str, body: &str) -> Value {
    let mut event = event();
    event["rawPath"] = json!(path);
    event["requestContext"]["http"]["path"] = json!(path);
    event["body"] = json!(body);
    event
}

/// Sends a body to the function of a path. If the text is refused, its base64 form is refused too.
fn body(path: &str, input: &[u8]) -> Word {
    let encoded = || {
        let mut event = posting(path, &BASE64.encode(input));
        event["isBase64Encoded"] = json!(true);
        answered(&event.to_string())
    };
    let Ok(text) = std::str::from_utf8(input) else {
        return encoded();
    };
    let word = answered(&posting(path, text).to_string());
    if word == "refused" && !has_places(text) {
        assert_eq!(encoded(), "refused", "{text}");
    }
    word
}

#[rustfmt::skip] // Words side by side.
pub(super) const IN_JSON: &[&str] = &[
    "{", "}", "[", "]", ":", ",", "\"", "\\u0000", "\\ud800", "\\", "null", "true", "false", "1e999", "-0", "0.1",
    "\"identifier\":", "\"email\":", "\"phone\":", "\"phone_number\":", "\"channel\":", "\"sms\"", "\"email\"",
    "\"refresh\":", "\"token_delivery\":", "\"cookie\"", "\"body\"", "\"source_url\":", "ada@example.com",
    "\"otp_code\":", "\"otp\":", "\"challenge_id\":", "\"device\":", "\"retry\":", "\"all\":", "{who}", "{code}",
    "{challenge}", "{refresh}", "{access}", "+447400123456", "[[[[[[[[[", "{\"a\":", "//", "/*", "\u{feff}", "'",
];

pub(super) const REQUEST: Target = Target {
    name: "request-body",
    asks_functions: true,
    run: |input| body("/api/auth/otp/request/", input),
    seeds: || {
        texts([
            r#"{"identifier":"ada@example.com","source_url":"https://example.com","token_delivery":"body"}"#,
            r#"{"phone_number":"+447400123456","channel":"sms","x":[1,2.5,null,true,{"y":"z"}]}"#,
            r#"{"email":"{who}","challenge_id":"{challenge}"}"#,
            r#"{"identifier":"{who}","challenge_id":"AAAAAAAAAAAAAAAAAAAAAA","token_delivery":"cookie"}"#,
        ])
    },
    dictionary: IN_JSON,
    reaches: &["done", "refused"],
};

pub(super) const VERIFY: Target = Target {
    name: "verify-body",
    asks_functions: true,
    run: |input| body("/api/auth/otp/verify/", input),
    seeds: || {
        texts([
            r#"{"identifier":"{who}","otp_code":"{code}","challenge_id":"{challenge}"}"#,
            r#"{"identifier":"{who}","otp_code":"{code}","challenge_id":"{challenge}","retry":"AAAAAAAAAAAAAAAAAAAAAA"}"#,
            r#"{"identifier":"{who}","otp":"{code}","token_delivery":"cookie"}"#,
            r#"{"email":"{who}","otp_code":"1234567890","challenge_id":"d.{challenge}","source_url":"https://a.example"}"#,
            r#"{"phone":"+447400123456","otp_code":"12","otp":"13","channel":"phone"}"#,
        ])
    },
    dictionary: IN_JSON,
    reaches: &["done", "wrong code", "refused"],
};

pub(super) const REFRESH: Target = Target {
    name: "refresh-body",
    asks_functions: true,
    run: |input| body("/api/auth/token/refresh/", input),
    seeds: || {
        texts([
            r#"{"refresh":"{refresh}"}"#,
            r#"{"refresh":"{refresh}","retry":"AAAAAAAAAAAAAAAAAAAAAA","token_delivery":"cookie"}"#,
            r#"{"refresh":"v1.r1.019b76da-a800-7000-8000-000000000000.{session}.1.AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA"}"#,
            r#"{"refresh":"","token_delivery":"body"}"#,
        ])
    },
    dictionary: IN_JSON,
    reaches: &["done", "no token", "refused"],
};

pub(super) const LOGOUT: Target = Target {
    name: "logout-body",
    asks_functions: true,
    run: |input| body("/api/auth/logout/", input),
    seeds: || {
        texts([
            r#"{"refresh":"{refresh}"}"#,
            r#"{"refresh":"{refresh}","all":true}"#,
            r#"{"refresh":null,"all":false,"token_delivery":"cookie"}"#,
            r#"{"all":1}"#,
        ])
    },
    dictionary: IN_JSON,
    reaches: &["done", "refused"],
};

#[rustfmt::skip] // Words side by side.
pub(super) const SESSION: Target = Target {
    name: "session-id", asks_functions: true,
    run: session,
    seeds: || texts(["{session}", "AAAAAAAAAAAAAAAAAAAAAA", "{session}/", "%41", "x", ""]),
    dictionary: &["{session}", "{access}", "/", "//", "..", "%2f", "%00", "{id}", "A", "-", "_", "=", "\u{e9}", "?", " "],
    reaches: &["done", "elsewhere"],
};

/// Ends the user's own session, another user's, or an unknown one.
fn session(input: &[u8]) -> Word {
    let path = format!("/api/auth/sessions/{}", String::from_utf8_lossy(input));
    let mut event = posting(&path, "");
    event["requestContext"]["http"]["method"] = json!("DELETE");
    event["headers"]["authorization"] = json!("Bearer {access}");
    answered(&event.to_string())
}

#[rustfmt::skip] // Words side by side.
pub(super) const ALIAS: Target = Target {
    name: "alias-body", asks_functions: true,
    run: alias,
    seeds: || {
        texts([
            "0{\"email\":\"{who}\"}",
            "1{\"identifier\":\"ada@example.com\",\"source_url\":\"https://a.example\"}",
            "2{\"email\":\"{who}\",\"otp\":\"{code}\"}",
            "3{\"identifier\":\"{who}\",\"otp_code\":\"1234567890\"}",
            "4{\"refresh\":\"{refresh}\"}",
            "5{\"refresh\":\"{refresh}\"}",
            "6",
            "7{\"phone_number\":\"+447400123456\"}",
            "8{\"phone_number\":\"+447400123456\",\"otp\":\"1234567890\"}",
            "9",
        ])
    },
    dictionary: IN_JSON,
    reaches: &["done", "wrong code", "no token", "refused"],
};

/// The first byte selects the alias, the rest is the body.
fn alias(input: &[u8]) -> Word {
    let (which, text) = input.split_first().unwrap_or((&b'0', &[]));
    let alias = &ALIASES[usize::from(which.wrapping_sub(b'0')) % ALIASES.len()];
    if alias.method == "POST" {
        return body(alias.path, text);
    }
    let mut event = posting(alias.path, &String::from_utf8_lossy(text));
    event["requestContext"]["http"]["method"] = json!("GET");
    event["headers"]["authorization"] = json!("Bearer {access}");
    answered(&event.to_string())
}
