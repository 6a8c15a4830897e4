//! Answers of functions in payload format 2.0, and the gateway's own answers.

use bytes::Bytes;
use data_encoding::BASE64;
use http::header::{self, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use serde_json::{Value, json};

/// The gateway's request id, a header of every answer.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("apigw-requestid");

/// Converts a function's answer to HTTP. `None` if it has another format than payload format 2.0.
pub(super) fn of_function(answer: &Value) -> Option<Response<Bytes>> {
    let status = answer.get("statusCode")?.as_u64().and_then(|status| u16::try_from(status).ok())?;
    let text = answer.get("body").and_then(Value::as_str).unwrap_or_default();
    let is_base64 = answer.get("isBase64Encoded").and_then(Value::as_bool).unwrap_or_default();
    let body = if is_base64 { BASE64.decode(text.as_bytes()).ok()?.into() } else { Bytes::from(text.to_owned()) };

    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).ok()?;
    for (name, value) in answer.get("headers").and_then(Value::as_object).into_iter().flatten() {
        let name = HeaderName::try_from(name.as_str()).ok()?;
        response.headers_mut().insert(name, HeaderValue::from_str(value.as_str()?).ok()?);
    }
    for cookie in answer.get("cookies").and_then(Value::as_array).into_iter().flatten() {
        response.headers_mut().append(header::SET_COOKIE, HeaderValue::from_str(cookie.as_str()?).ok()?);
    }
    Some(response)
}

/// The gateway's own answer with this status.
pub fn of_gateway(status: StatusCode) -> Response<Bytes> {
    let message = match status {
        StatusCode::PAYLOAD_TOO_LARGE => "Request Entity Too Large",
        status => status.canonical_reason().unwrap_or_default(),
    };
    let mut response = Response::new(Bytes::from(json!({ "message": message }).to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_keeps_its_cookies_and_its_bytes() {
        let answer = of_function(&json!({
            "statusCode": 201, "headers": { "x-a": "1" }, "cookies": ["a=1; Secure", "b=2"],
            "body": "AAE=", "isBase64Encoded": true,
        }))
        .unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED);
        assert_eq!(answer.headers().get_all("set-cookie").iter().collect::<Vec<_>>(), ["a=1; Secure", "b=2"]);
        assert_eq!(answer.body().as_ref(), [0, 1]);
    }

    #[test]
    fn the_gateway_answers_in_its_own_words() {
        let answer = of_gateway(StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.body().as_ref(), br#"{"message":"Internal Server Error"}"#);
    }
}
