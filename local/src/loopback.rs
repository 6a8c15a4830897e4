//! Keeps web pages of other sites away from the servers on loopback addresses.
//!
//! Any page in a browser on this machine can send requests to a loopback address. With DNS rebinding, a page can even make
//! the browser treat that address as the page's own host. Therefore a request must name a loopback host, and a request with
//! a method other than GET or HEAD must not come from another origin.

use std::net::{IpAddr, Ipv6Addr};

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

pub(crate) async fn only_this_machine(request: Request, next: Next) -> Response {
    let mut response = match refusal(request.method(), request.headers()) {
        None => next.run(request).await,
        Some(message) => refused(message),
    };
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// For the API. Its pages have other origins, and CORS decides about them, but a page that rebinds its own name gets no answer.
pub(crate) async fn only_loopback_hosts(request: Request, next: Next) -> Response {
    if names_loopback(host(request.headers())) { next.run(request).await } else { refused(OTHER_HOST) }
}

fn refused(message: &str) -> Response {
    let body = serde_json::json!({ "message": message }).to_string();
    (StatusCode::FORBIDDEN, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

const OTHER_HOST: &str = "This server accepts requests for loopback hosts only. Use localhost or 127.0.0.1.";

/// The host that the client named, with its port. Empty if it named none.
pub(crate) fn host(headers: &HeaderMap) -> &str {
    headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn refusal(method: &Method, headers: &HeaderMap) -> Option<&'static str> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host = host(headers);
    if !names_loopback(host) {
        return Some(OTHER_HOST);
    }
    let is_read = method == Method::GET || method == Method::HEAD;
    let is_own = text(header::ORIGIN).is_none_or(|origin| origin.strip_prefix("http://") == Some(host));
    (!is_read && headers.contains_key(header::ORIGIN) && !is_own)
        .then_some("Pages from other origins cannot change anything here.")
}

fn names_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host();
    let address = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
        .map_or_else(|| name.parse::<IpAddr>().ok(), |name| name.parse::<Ipv6Addr>().ok().map(IpAddr::V6));
    let name = name.to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost") || address.is_some_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_names_are_answered() {
        for host in ["localhost", "LOCALHOST:8025", "auth.localhost:3000", "127.0.0.1:8025", "127.1.2.3", "[::1]:8025"]
        {
            assert!(names_loopback(host), "{host}");
        }
        for host in [
            "",
            "example.com",
            "localhost.example.com",
            "127.0.0.1.example.com",
            "10.0.0.1",
            "[::2]",
            "a b",
            "127.0.0.1@example.com",
        ] {
            assert!(!names_loopback(host), "{host}");
        }
    }

    #[test]
    fn another_origin_changes_nothing() {
        let refused = |method: Method, origin: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("host", "127.0.0.1:8025".parse().unwrap());
            headers.insert("origin", origin.parse().unwrap());
            refusal(&method, &headers).is_some()
        };
        assert!(!refused(Method::POST, "http://127.0.0.1:8025"));
        assert!(refused(Method::POST, "http://127.0.0.1:3000"));
        assert!(refused(Method::DELETE, "https://example.com"));
        assert!(refused(Method::POST, "null"));
        assert!(!refused(Method::GET, "https://example.com"));
    }
}
