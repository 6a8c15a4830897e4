//! The API reference: a page for people, and the OpenAPI document as YAML and JSON.

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::assets::asset;
use crate::document;

pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/api", get(|| asset("text/html; charset=utf-8", include_str!("reference/page.html"))))
        .route("/reference.css", get(|| asset("text/css; charset=utf-8", include_str!("reference/page.css"))))
        .route("/reference.js", get(|| asset("text/javascript; charset=utf-8", include_str!("reference/page.js"))))
        .route("/openapi.yaml", get(|| asset("application/yaml", document::YAML)))
        .route("/openapi.json", get(json))
}

async fn json() -> Response {
    match document::json() {
        Ok(text) => asset("application/json", text).await.into_response(),
        Err(failure) => (StatusCode::INTERNAL_SERVER_ERROR, failure.to_string()).into_response(),
    }
}
