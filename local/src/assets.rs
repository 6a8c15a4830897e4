//! Files of the pages that only this machine sees: the inbox and the API's document.

use axum::http::{HeaderName, header};
use axum::response::IntoResponse;

/// A page may run its own script, talk to this server, and show messages in frames without rights.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; \
                      img-src data: 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'";

pub(crate) async fn asset(kind: &'static str, text: impl IntoResponse) -> impl IntoResponse {
    const NOSNIFF: (HeaderName, &str) = (header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    let policy = (header::CONTENT_SECURITY_POLICY, POLICY);
    ([(header::CONTENT_TYPE, kind), policy, (header::CACHE_CONTROL, "no-store"), NOSNIFF], text)
}
