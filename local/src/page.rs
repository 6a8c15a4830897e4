//! Serves the sign-in page and the client module from `web/`. Only the API's address and the delivery of tokens are filled
//! in, which is all that a frontend on its own domain changes too.

use axum::Router;
use axum::http::{HeaderName, header};
use axum::response::IntoResponse;
use axum::routing::get;
use shared::http::TokenDelivery;

/// What the page says until it is told where it is.
const WRITTEN: (&str, &str) = (r#"content="http://127.0.0.1:3000""#, r#"data-delivery="cookie""#);

/// The routes of a page for the API at `api`, which usually delivers tokens by `delivery`.
pub(crate) fn router(api: &str, delivery: TokenDelivery) -> Router {
    let delivery = match delivery {
        TokenDelivery::Body => "body",
        TokenDelivery::Cookie => "cookie",
    };
    let html = include_str!("../../web/page/index.html")
        .replacen(WRITTEN.0, &format!(r#"content="{api}""#), 1)
        .replacen(WRITTEN.1, &format!(r#"data-delivery="{delivery}""#), 1);
    let policy = policy(api);
    let file = move |kind: &'static str, text: String| {
        let policy = policy.clone();
        get(move || async move { answer(kind, policy, text) })
    };
    const SCRIPT: &str = "text/javascript; charset=utf-8";
    Router::new()
        .route("/", file("text/html; charset=utf-8", html))
        .route("/page.css", file("text/css; charset=utf-8", include_str!("../../web/page/page.css").to_owned()))
        .route("/page.js", file(SCRIPT, include_str!("../../web/page/page.js").to_owned()))
        .route("/latchkey.js", file(SCRIPT, include_str!("../../web/client/latchkey.js").to_owned()))
        .route(
            "/latchkey.d.ts",
            file("text/plain; charset=utf-8", include_str!("../../web/client/latchkey.d.ts").to_owned()),
        )
}

/// What the page may do: run its own scripts and talk to the API. Nobody frames it, to have its buttons pressed unseen.
fn policy(api: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src {api}; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'"
    )
}

fn answer(kind: &'static str, policy: String, text: String) -> impl IntoResponse {
    const NOSNIFF: (HeaderName, &str) = (header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    const UNNAMED: (HeaderName, &str) = (header::REFERRER_POLICY, "no-referrer");
    let policy = (header::CONTENT_SECURITY_POLICY, policy);
    let kind = (header::CONTENT_TYPE, kind.to_owned());
    let uncached = (header::CACHE_CONTROL, "no-store".to_owned());
    ([kind, policy, uncached], [NOSNIFF, UNNAMED], text)
}

#[cfg(test)]
mod tests;
