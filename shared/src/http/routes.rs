//! The operations of the API, and the function that answers each.

use super::Request;
use crate::words::{Error, Result};

/// An operation of the API.
pub struct Route {
    /// Its method.
    pub method: &'static str,
    /// Its path without the final slash, in which a last `{id}` is one segment.
    pub path: &'static str,
    /// The function that answers it.
    pub function: &'static str,
}

const fn route(method: &'static str, path: &'static str, function: &'static str) -> Route {
    Route { method, path, function }
}

/// All of them. `cargo run -p local -- routes` prints this table from `openapi.yaml` and `template.yaml`.
pub const ROUTES: [Route; 10] = [
    route("GET", "/.well-known/jwks.json", "jwks"),
    route("GET", "/.well-known/openid-configuration", "jwks"),
    route("POST", "/api/auth/logout", "logout"),
    route("POST", "/api/auth/otp/request", "request-otp"),
    route("POST", "/api/auth/otp/verify", "verify-otp"),
    route("GET", "/api/auth/sessions", "sessions"),
    route("DELETE", "/api/auth/sessions", "sessions"),
    route("DELETE", "/api/auth/sessions/{id}", "sessions"),
    route("POST", "/api/auth/token/refresh", "refresh"),
    route("GET", "/api/profile", "profile"),
];

/// Whether `function` answers `request`. A function without a route takes what it is given.
///
/// # Errors
/// As [`look`].
pub(crate) fn look_in(function: &str, request: &Request) -> Result<()> {
    let own: Vec<_> = ROUTES.iter().filter(|route| route.function == function).collect();
    if own.is_empty() { Ok(()) } else { among(&own, request) }
}

/// Whether any function answers `request`.
///
/// # Errors
/// [`Error::MethodNotAllowed`] where its path has other methods, [`Error::NotFound`] where it has none.
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

/// Whether `path` is `pattern`, in which `{id}` stands for one segment of the characters that ids have.
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
