//! CORS as in API Gateway: its own configuration decides, and functions cannot change it.

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};

use crate::template::Cors;

impl Cors {
    /// Answers a preflight request without a function.
    pub(super) fn preflight(&self, request: &Request<Bytes>) -> Option<Response<Bytes>> {
        let headers = request.headers();
        let is_preflight = request.method() == Method::OPTIONS
            && headers.contains_key(header::ORIGIN)
            && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if !is_preflight {
            return None;
        }
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::NO_CONTENT;
        if self.allow(headers, response.headers_mut()) {
            let answer = response.headers_mut();
            set(answer, header::ACCESS_CONTROL_ALLOW_METHODS, &self.methods.join(","));
            set(answer, header::ACCESS_CONTROL_ALLOW_HEADERS, &self.headers.join(",").to_lowercase());
            if let Some(seconds) = self.max_age {
                answer.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from(seconds));
            }
        }
        Some(response)
    }

    /// Replaces the CORS headers of a function with those of the gateway.
    pub(super) fn apply(&self, request: &HeaderMap, answer: &mut HeaderMap) {
        let theirs: Vec<HeaderName> =
            answer.keys().filter(|name| name.as_str().starts_with("access-control-")).cloned().collect();
        for name in theirs {
            answer.remove(name);
        }
        self.allow(request, answer);
    }

    /// Adds the headers for an allowed origin. Returns whether the origin is allowed.
    fn allow(&self, request: &HeaderMap, answer: &mut HeaderMap) -> bool {
        let Some(origin) = request.get(header::ORIGIN).filter(|origin| self.allows(origin)) else { return false };
        answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        if self.credentials {
            answer.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        if !self.exposed.is_empty() {
            set(answer, header::ACCESS_CONTROL_EXPOSE_HEADERS, &self.exposed.join(",").to_lowercase());
        }
        true
    }

    fn allows(&self, origin: &HeaderValue) -> bool {
        let origin = origin.to_str().unwrap_or_default();
        self.origins.iter().any(|allowed| match allowed.strip_suffix('*') {
            // `*`, `https://*` and `http://*`.
            Some(scheme) => origin.starts_with(scheme),
            None => origin == allowed,
        })
    }
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    headers.extend(HeaderValue::from_str(value).map(|value| (name, value)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cors() -> Cors {
        Cors {
            origins: vec!["https://app.example.com".to_owned()],
            methods: vec!["GET".to_owned(), "POST".to_owned()],
            headers: vec!["content-type".to_owned()],
            exposed: vec!["Retry-After".to_owned()],
            credentials: true,
            max_age: Some(600),
        }
    }

    fn preflight(origin: &str) -> Response<Bytes> {
        let request = Request::options("/").header("origin", origin).header("access-control-request-method", "POST");
        cors().preflight(&request.body(Bytes::new()).unwrap()).unwrap()
    }

    #[test]
    fn a_preflight_is_answered_by_the_gateway() {
        let answer = preflight("https://app.example.com");
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        assert_eq!(answer.headers()["access-control-allow-origin"], "https://app.example.com");
        assert_eq!(answer.headers()["access-control-allow-methods"], "GET,POST");
        assert_eq!(answer.headers()["access-control-allow-headers"], "content-type");
        assert_eq!(answer.headers()["access-control-allow-credentials"], "true");
        assert_eq!(answer.headers()["access-control-max-age"], "600");
    }

    #[test]
    fn another_origin_is_allowed_nothing() {
        for origin in
            ["https://app.example.com.evil.example", "http://app.example.com", "null", "https://APP.example.com"]
        {
            let answer = preflight(origin);
            assert_eq!(answer.status(), StatusCode::NO_CONTENT);
            assert!(answer.headers().is_empty(), "{origin}");
        }
    }

    #[test]
    fn a_request_without_a_method_to_ask_for_is_no_preflight() {
        let request = Request::options("/").header("origin", "https://app.example.com").body(Bytes::new()).unwrap();
        assert!(cors().preflight(&request).is_none());
    }

    #[test]
    fn a_functions_own_cors_headers_do_not_count() {
        let mut answer = HeaderMap::new();
        answer.insert("access-control-allow-origin", HeaderValue::from_static("*"));
        answer.insert("x-request-id", HeaderValue::from_static("1"));
        cors().apply(&HeaderMap::new(), &mut answer);
        assert_eq!(answer.len(), 1);

        let request = HeaderMap::from_iter([(header::ORIGIN, HeaderValue::from_static("https://app.example.com"))]);
        cors().apply(&request, &mut answer);
        assert_eq!(answer["access-control-allow-origin"], "https://app.example.com");
        assert_eq!(answer["access-control-expose-headers"], "retry-after");
    }
}
