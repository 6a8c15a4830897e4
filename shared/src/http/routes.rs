//! The operations of the API, and the function for each.

use super::Request;
use crate::words::{Error, Result};

/// An operation of the API.
pub struct Route {
    /// The method.
    pub method: &'static str,
    /// The path without its final slash. A final `{id}` stands for one segment.
    pub path: &'static str,
    /// The name of the function that answers it.
    pub function: &'static str,
}

const fn route(method: &'static str, path: &'static str, function: &'static str) -> Route {
    Route { method, path, function }
}

/// All routes. `cargo run -p local -- routes` prints this table from `openapi.yaml` and `template.yaml`.
pub const ROUTES: [Route; 31] = [
    route("GET", "/.well-known/jwks.json", "jwks"),
    route("HEAD", "/.well-known/jwks.json", "jwks"),
    route("GET", "/.well-known/openid-configuration", "jwks"),
    route("HEAD", "/.well-known/openid-configuration", "jwks"),
    route("GET", "/api/account/activity", "account"),
    route("POST", "/api/auth/2fa/enable", "factors"),
    route("GET", "/api/auth/2fa/setup", "factors"),
    route("GET", "/api/auth/disavow", "disavow"),
    route("POST", "/api/auth/disavow", "disavow"),
    route("GET", "/api/auth/factors", "factors"),
    route("POST", "/api/auth/factors/backup-codes", "factors"),
    route("POST", "/api/auth/factors/totp", "factors"),
    route("POST", "/api/auth/factors/totp/confirm", "factors"),
    route("DELETE", "/api/auth/factors/totp/{id}", "factors"),
    route("DELETE", "/api/auth/factors/trusted-devices", "factors"),
    route("DELETE", "/api/auth/factors/trusted-devices/{id}", "factors"),
    route("POST", "/api/auth/logout", "logout"),
    route("POST", "/api/auth/otp/request", "request-otp"),
    route("POST", "/api/auth/otp/status", "status"),
    route("POST", "/api/auth/otp/verify", "verify-otp"),
    route("POST", "/api/auth/second-factor/verify", "second-factor"),
    route("GET", "/api/auth/sessions", "sessions"),
    route("DELETE", "/api/auth/sessions", "sessions"),
    route("DELETE", "/api/auth/sessions/{id}", "sessions"),
    route("POST", "/api/auth/step-up/options", "second-factor"),
    route("POST", "/api/auth/step-up/verify", "second-factor"),
    route("POST", "/api/auth/token/refresh", "refresh"),
    route("GET", "/api/profile", "profile"),
    route("GET", "/api/profile/sources", "profile"),
    route("POST", "/api/webhooks/sendgrid", "callbacks"),
    route("POST", "/api/webhooks/twilio", "callbacks"),
];

/// Checks whether `function` answers `request`. A function without a route accepts every request.
///
/// # Errors
/// As [`look`].
pub(crate) fn look_in(function: &str, request: &Request) -> Result<()> {
    let own: Vec<_> = ROUTES.iter().filter(|route| route.function == function).collect();
    if own.is_empty() { Ok(()) } else { among(&own, request) }
}

/// Checks whether any function answers `request`.
///
/// # Errors
/// [`Error::MethodNotAllowed`] if the path has other methods only; [`Error::NotFound`] if the path is unknown.
pub fn look(request: &Request) -> Result<()> {
    among(&ROUTES.each_ref(), request)
}

fn among(routes: &[&Route], request: &Request) -> Result<()> {
    let here = routes.iter().filter(|route| fits(route.path, &request.path));
    let methods: Vec<_> = here.map(|route| route.method).collect();
    match methods.as_slice() {
        [] => Err(Error::NotFound),
        _ if methods.contains(&request.method()) => Ok(()),
        _ => Err(Error::MethodNotAllowed { allow: methods.join(", ") }),
    }
}

/// Whether `path` matches `pattern`. `{id}` stands for one segment of letters, digits, `-` and `_`.
fn fits(pattern: &str, path: &str) -> bool {
    let is_id = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    match pattern.strip_suffix("{id}") {
        Some(start) => path.strip_prefix(start).is_some_and(is_id),
        None => path == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_one_segment_at_the_end() {
        for (path, is_it) in [
            ("/a/x", true),
            ("/a/x-_9", true),
            ("/a", false),
            ("/a/", false),
            ("/a/x/", false),
            ("/a/x/y", false),
            ("/a/x y", false),
            ("/a/..", false),
            ("/a/\r\n", false),
            ("/b/x", false),
            ("/a/{id}", false),
        ] {
            assert_eq!(fits("/a/{id}", path), is_it, "{path}");
        }
        assert!(fits("/a", "/a") && !fits("/a", "/a/x") && !fits("/a", "/ab"));
    }
}
