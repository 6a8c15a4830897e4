//! Static files of the inbox and of the API reference, with their security headers.

use axum::http::{HeaderName, header};
use axum::response::IntoResponse;

/// A page may run its own script, call this server, and show messages in sandboxed frames.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; \
                      img-src data: 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

pub(crate) async fn asset(kind: &'static str, text: impl IntoResponse) -> impl IntoResponse {
    const NOSNIFF: (HeaderName, &str) = (header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    let policy = (header::CONTENT_SECURITY_POLICY, POLICY);
    ([(header::CONTENT_TYPE, kind), policy, (header::CACHE_CONTROL, "no-store"), NOSNIFF], text)
}
