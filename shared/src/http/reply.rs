//! Replies: their headers, and the status of each error.

use lambda_http::Body;
use lambda_http::http::header::{self, HeaderName, HeaderValue};
use lambda_http::http::{Response, StatusCode};
use serde::Serialize;
use serde_json::Value;

use super::HtmlPage;
use crate::texts::Language;
use crate::words::{Error, Result};

/// Headers that protect browsers, in every answer (S64, S154). An answer is data: no page may frame it, and a browser that opens it
/// loads and runs nothing. A page has a policy of its own.
const PROTECTION: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=63072000; includeSubDomains"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::X_FRAME_OPTIONS, "DENY"),
];

/// The reply of a handler.
#[derive(Debug)]
pub struct Reply {
    outcome: &'static str,
    status: StatusCode,
    body: String,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// The body of every refusal.
#[derive(Serialize)]
struct Refusal<'a> {
    success: bool,
    error: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    challenge_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_age: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    methods: Option<&'static [&'static str]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<u64>,
}

impl Reply {
    /// A 200 with a body.
    ///
    /// # Errors
    /// [`Error::Internal`] when `body` fails to serialize.
    pub fn ok(body: impl Serialize) -> Result<Reply> {
        let body = serde_json::to_string(&body).map_err(Error::internal)?;
        Ok(Reply { outcome: "ok", status: StatusCode::OK, body, headers: Vec::new() })
    }

    /// A 200 that only tells the user what was done.
    ///
    /// # Errors
    /// As [`Reply::ok`].
    pub fn done(message: &'static str) -> Result<Reply> {
        #[derive(Serialize)]
        struct Done {
            success: bool,
            message: &'static str,
        }
        Reply::ok(Done { success: true, message })
    }

    /// A 204 without a body.
    pub fn no_content() -> Reply {
        Reply { outcome: "ok", status: StatusCode::NO_CONTENT, body: String::new(), headers: Vec::new() }
    }

    /// A permanent redirect to another path of the same origin.
    ///
    /// # Errors
    /// [`Error::Internal`] when the path is invalid in a header.
    pub fn permanent_redirect(path: &str) -> Result<Reply> {
        let location = HeaderValue::from_str(path).map_err(Error::internal)?;
        let headers = vec![(header::LOCATION, location)];
        Ok(Reply { outcome: "ok", status: StatusCode::PERMANENT_REDIRECT, body: "{}".to_owned(), headers })
    }

    /// Lets caches store the reply. Replies without this say `no-store`. The gateway adds CORS headers for the origin of the
    /// request, so a cache must keep one copy for each origin.
    #[must_use]
    pub fn cached(mut self, cache_control: &'static str) -> Reply {
        self.headers.push((header::CACHE_CONTROL, HeaderValue::from_static(cache_control)));
        self.headers.push((header::VARY, HeaderValue::from_static("Origin")));
        self
    }

    /// Removes the body, for an answer to HEAD.
    #[must_use]
    pub(crate) fn without_body(mut self) -> Reply {
        self.body.clear();
        self
    }

    /// Shows the reply as a page. Its address has a token, so no other site gets it as a referrer.
    ///
    /// # Errors
    /// [`Error::Internal`] when the page's policy is invalid in a header.
    pub fn as_page(mut self, page: HtmlPage) -> Result<Reply> {
        self.body = page.html;
        let policy = HeaderValue::from_str(&page.policy).map_err(Error::internal)?;
        self.headers.push((header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")));
        self.headers.push((header::CONTENT_SECURITY_POLICY, policy));
        self.headers.push((header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")));
        Ok(self)
    }

    /// Adds a `Set-Cookie` header.
    ///
    /// # Errors
    /// [`Error::Internal`] when the cookie is invalid in a header.
    pub fn with_cookie(mut self, set_cookie: &str) -> Result<Reply> {
        self.headers.push((header::SET_COOKIE, HeaderValue::from_str(set_cookie).map_err(Error::internal)?));
        Ok(self)
    }

    /// Adds several `Set-Cookie` headers.
    ///
    /// # Errors
    /// As [`Reply::with_cookie`].
    pub fn with_cookies(self, set_cookies: impl IntoIterator<Item = String>) -> Result<Reply> {
        set_cookies.into_iter().try_fold(self, |reply, set_cookie| reply.with_cookie(&set_cookie))
    }

    /// The refusal for an error, with a message in `language`. A handler usually returns the error, and calls this only to add a cookie.
    pub fn refusal(error: &Error, language: Language) -> Reply {
        let retry_after = error.retry_after().map(|wait| wait.as_secs().max(1));
        let message = &error.message(language);
        let mut refusal = Refusal {
            success: false,
            error: error.code(),
            message,
            retry_after,
            challenge_id: None,
            acr: None,
            max_age: None,
            methods: None,
            expires_in: None,
        };
        let mut headers: Vec<_> =
            retry_after.map(|wait| (header::RETRY_AFTER, HeaderValue::from(wait))).into_iter().collect();
        match error {
            Error::SendFailed { challenge, .. } => refusal.challenge_id = challenge.as_deref(),
            Error::InvalidToken => headers.push((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
            Error::StepUpRequired { level, max_age, methods } => {
                let (acr, max_age) = (level.name(), max_age.as_secs());
                (refusal.acr, refusal.max_age, refusal.methods) = (Some(acr), Some(max_age), Some(*methods));
                headers.extend(step_up(acr, max_age).map(|challenge| (header::WWW_AUTHENTICATE, challenge)));
            }
            Error::EnrolmentRequired { challenge, methods, expires_in } => {
                (refusal.challenge_id, refusal.methods) = (challenge.as_deref(), Some(*methods));
                refusal.expires_in = Some(expires_in.as_secs());
            }
            Error::MethodNotAllowed { allow } => {
                headers.extend(HeaderValue::from_str(allow).map(|allow| (header::ALLOW, allow)));
            }
            Error::InvalidRequest(_)
            | Error::InvalidEmail
            | Error::InvalidPhone
            | Error::InvalidOtp
            | Error::Forbidden(_)
            | Error::NotFound
            | Error::RateLimited { .. }
            | Error::AddressHeld { .. }
            | Error::TooManyAttempts { .. }
            | Error::Unavailable(_)
            | Error::Internal(_) => {}
        }
        // A struct of texts and numbers always serializes.
        let body = serde_json::to_string(&refusal).unwrap_or_default();
        Reply { outcome: error.code(), status: status(error), body, headers }
    }

    /// `ok` or the code of the refusal, for the log.
    pub(crate) fn outcome(&self) -> &'static str {
        self.outcome
    }

    /// Replaces the body.
    #[must_use]
    pub(super) fn reshaped(mut self, shape: impl FnOnce(Value) -> Value) -> Reply {
        if let Ok(body) = serde_json::from_str(&self.body) {
            self.body = shape(body).to_string();
        }
        self
    }

    /// The status, for the log.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// The response for API Gateway, with the headers of every answer (S64).
    pub(crate) fn into_response(self, id: &str) -> Response<Body> {
        let mut response = Response::new(Body::Text(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, value) in PROTECTION {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if let Ok(id) = HeaderValue::from_str(id) {
            headers.insert("x-request-id", id);
        }
        // These replace the default headers, but cookies are added, because there may be several.
        for (name, value) in self.headers {
            if name == header::SET_COOKIE {
                headers.append(name, value);
            } else {
                headers.insert(name, value);
            }
        }
        response
    }
}

/// The challenge of RFC 9470 §3, for clients that know only standards.
fn step_up(acr: &str, max_age: u64) -> Option<HeaderValue> {
    let challenge =
        format!(r#"Bearer error="insufficient_user_authentication", acr_values="{acr}", max_age="{max_age}""#);
    HeaderValue::from_str(&challenge).ok()
}

/// The HTTP status of each error.
fn status(error: &Error) -> StatusCode {
    match error {
        Error::InvalidRequest(_) | Error::InvalidEmail | Error::InvalidPhone | Error::InvalidOtp => {
            StatusCode::BAD_REQUEST
        }
        Error::InvalidToken | Error::StepUpRequired { .. } => StatusCode::UNAUTHORIZED,
        Error::Forbidden(_) | Error::EnrolmentRequired { .. } => StatusCode::FORBIDDEN,
        Error::NotFound => StatusCode::NOT_FOUND,
        Error::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
        Error::RateLimited { .. } | Error::TooManyAttempts { .. } => StatusCode::TOO_MANY_REQUESTS,
        Error::SendFailed { .. } | Error::AddressHeld { .. } => StatusCode::BAD_GATEWAY,
        Error::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
