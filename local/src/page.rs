//! Serves the sign-in page and the client module from `web/`. Only the API's address and the token delivery are filled in.
//! A frontend on its own domain changes the same two values.

use axum::Router;
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::IntoResponse;
use axum::routing::get;
use shared::http::TokenDelivery;

/// The values in `index.html` before they are filled in.
const WRITTEN: (&str, &str) = (r#"content="http://127.0.0.1:3000""#, r#"data-delivery="cookie""#);

/// The modules of the client package.
const CLIENT: [(&str, &str); 7] = [
    ("/latchkey.js", include_str!("../../web/client/latchkey.js")),
    ("/answers.js", include_str!("../../web/client/answers.js")),
    ("/errors.js", include_str!("../../web/client/errors.js")),
    ("/requests.js", include_str!("../../web/client/requests.js")),
    ("/steps.js", include_str!("../../web/client/steps.js")),
    ("/surroundings.js", include_str!("../../web/client/surroundings.js")),
    ("/webmail.js", include_str!("../../web/client/webmail.js")),
];

/// The routes of a page for the API at `api`, with `delivery` as the API's default.
pub(crate) fn router(api: &str, delivery: TokenDelivery) -> Router {
    let delivery = match delivery {
        TokenDelivery::Body => "body",
        TokenDelivery::Cookie => "cookie",
    };
    let html =
        include_str!("../../web/page/index.html").replacen(WRITTEN.1, &format!(r#"data-delivery="{delivery}""#), 1);
    let base = policy(api);
    let api = api.to_owned();
    let page = get(move |headers: HeaderMap| {
        let api = beside(&api, &headers);
        let html = html.replacen(WRITTEN.0, &format!(r#"content="{api}""#), 1);
        async move { answer("text/html; charset=utf-8", policy(&api), html) }
    });
    let file = move |kind: &'static str, text: String| {
        let policy = base.clone();
        get(move || async move { answer(kind, policy, text) })
    };
    const SCRIPT: &str = "text/javascript; charset=utf-8";
    const STYLE: &str = "text/css; charset=utf-8";
    let router = Router::new()
        .route("/", page)
        .route("/page.css", file(STYLE, include_str!("../../web/page/page.css").to_owned()))
        .route("/account.css", file(STYLE, include_str!("../../web/page/account.css").to_owned()))
        .route("/account.js", file(SCRIPT, include_str!("../../web/page/account.js").to_owned()))
        .route("/factors.js", file(SCRIPT, include_str!("../../web/page/factors.js").to_owned()))
        .route("/page.js", file(SCRIPT, include_str!("../../web/page/page.js").to_owned()));
    CLIENT.iter().fold(router, |router, (path, text)| router.route(path, file(SCRIPT, (*text).to_owned())))
}

/// The API's address, with the name of this machine that the browser used for the page. Browsers treat the two names as two
/// sites, and keep cookies only of the page's own site.
fn beside(api: &str, headers: &HeaderMap) -> String {
    const NAMES: [&str; 2] = ["127.0.0.1", "localhost"];
    let name = crate::loopback::host(headers).split(':').next().unwrap_or_default();
    let port = NAMES.iter().find_map(|own| api.strip_prefix("http://")?.strip_prefix(own)?.strip_prefix(':'));
    match port {
        Some(port) if NAMES.contains(&name) => format!("http://{name}:{port}"),
        _ => api.to_owned(),
    }
}

/// The page may run its own scripts and call the API. No other page may frame it, because a hidden frame could trick users
/// into pressing its buttons (clickjacking).
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
