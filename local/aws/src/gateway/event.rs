//! Converts an HTTP request to an event in payload format 2.0.

use std::collections::BTreeMap;
use std::net::IpAddr;

use bytes::Bytes;
use data_encoding::BASE64;
use http::Request;
use http::header::{self, HeaderMap, HeaderName};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use shared::words::Timestamp;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

use super::routes::Matched;
use crate::ids::{ACCOUNT, REGION};

/// The API's id, and the first label of its domain.
const API: &str = "latchkey";

fn domain() -> String {
    format!("{API}.execute-api.{REGION}.amazonaws.com")
}

/// The address that AWS would give to the API.
pub fn aws_address() -> String {
    format!("https://{}", domain())
}

/// The contents of an event besides the request.
pub(super) struct Circumstances<'a> {
    pub(super) matched: &'a Matched<'a>,
    /// The client's address.
    pub(super) source: IpAddr,
    /// The gateway's request id.
    pub(super) id: &'a str,
    pub(super) now: Timestamp,
    /// Whether text bodies are base64, too.
    pub(super) always_base64: bool,
}

/// The path as the gateway passes it on: percent-decoded, and cut at a decoded question mark.
pub(super) fn raw_path(request: &Request<Bytes>) -> String {
    let decoded = percent_decode_str(request.uri().path()).decode_utf8_lossy();
    decoded.split('?').next().unwrap_or_default().to_owned()
}

pub(super) fn event(request: &Request<Bytes>, circumstances: &Circumstances<'_>) -> Value {
    let Circumstances { matched, source, id, now, .. } = circumstances;
    let (path, query, key) = (raw_path(request), request.uri().query().unwrap_or_default(), matched.route.key());
    let source = source.to_canonical().to_string();
    let headers = headers(request, &source);
    let mut event = json!({
        "version": "2.0",
        "routeKey": key,
        "rawPath": path,
        "rawQueryString": query,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": API,
            "domainName": domain(),
            "domainPrefix": API,
            "http": {
                "method": request.method().as_str(),
                "path": path,
                "protocol": format!("{:?}", request.version()),
                "sourceIp": source,
                "userAgent": headers.get("user-agent").cloned().unwrap_or_default(),
            },
            "requestId": id,
            "routeKey": key,
            "stage": "$default",
            "time": common_log_time(*now),
            "timeEpoch": now.unix().saturating_mul(1_000),
        },
        "headers": headers,
    });
    let mut add = |name: &str, value: Value| {
        event.as_object_mut().map(|event| event.insert(name.to_owned(), value));
    };
    let cookies: Vec<String> = texts(request.headers(), &header::COOKIE).flat_map(|line| cookies(&line)).collect();
    if !cookies.is_empty() {
        add("cookies", json!(cookies));
    }
    if !query.is_empty() {
        add("queryStringParameters", json!(parameters(query)));
    }
    if !matched.parameters.is_empty() {
        add("pathParameters", json!(matched.parameters));
    }
    let (body, is_base64) = body(request, circumstances.always_base64);
    if !body.is_empty() {
        add("body", json!(body));
    }
    add("isBase64Encoded", json!(is_base64));
    event
}

/// The request's headers with lower-case names and one value each, plus those from the gateway.
fn headers(request: &Request<Bytes>, source: &str) -> BTreeMap<String, String> {
    let names = request.headers().keys().filter(|&name| name != header::COOKIE);
    let joined = names.map(|name| (name.to_string(), texts(request.headers(), name).collect::<Vec<_>>().join(",")));
    let mut headers: BTreeMap<String, String> = joined.collect();
    let forwarded = headers.remove("x-forwarded-for").map_or_else(String::new, |before| format!("{before}, "));
    headers.insert("x-forwarded-for".to_owned(), format!("{forwarded}{source}"));
    headers.insert("x-forwarded-port".to_owned(), "443".to_owned());
    headers.insert("x-forwarded-proto".to_owned(), "https".to_owned());
    headers.insert("content-length".to_owned(), request.body().len().to_string());
    headers
}

fn texts<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = String> + 'a {
    headers.get_all(name).into_iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

fn cookies(line: &str) -> Vec<String> {
    line.split(';').map(|cookie| cookie.trim().to_owned()).filter(|cookie| !cookie.is_empty()).collect()
}

/// The decoded query. Repeated values of a parameter are joined with commas.
fn parameters(query: &str) -> BTreeMap<String, String> {
    let mut parameters = BTreeMap::<String, String>::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        parameters
            .entry(name.into_owned())
            .and_modify(|values| *values = format!("{values},{value}"))
            .or_insert_with(|| value.into_owned());
    }
    parameters
}

/// The body, and whether it is in base64. Only UTF-8 text of a few content types stays plain.
fn body(request: &Request<Bytes>, always_base64: bool) -> (String, bool) {
    const TEXTUAL: [&str; 4] = ["text/", "application/json", "application/javascript", "application/xml"];
    if request.body().is_empty() {
        return (String::new(), false);
    }
    let content_type = texts(request.headers(), &header::CONTENT_TYPE).next().unwrap_or_default().to_lowercase();
    let is_textual = TEXTUAL.iter().any(|start| content_type.starts_with(start))
        && !request.headers().contains_key(header::CONTENT_ENCODING)
        && !always_base64;
    match std::str::from_utf8(request.body()) {
        Ok(text) if is_textual => (text.to_owned(), false),
        Ok(_) | Err(_) => (BASE64.encode(request.body()), true),
    }
}

/// `12/Mar/2026:19:03:58 +0000`.
fn common_log_time(now: Timestamp) -> String {
    const FORMAT: &[BorrowedFormatItem<'_>] =
        format_description!("[day]/[month repr:short]/[year]:[hour]:[minute]:[second] +0000");
    let moment = i64::try_from(now.unix()).ok().and_then(|unix| OffsetDateTime::from_unix_timestamp(unix).ok());
    // `Timestamp` also writes later times as this maximum.
    moment.unwrap_or(PrimitiveDateTime::MAX.assume_utc()).format(FORMAT).unwrap_or_default()
}

#[cfg(test)]
mod tests;
