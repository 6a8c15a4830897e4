//! The report's page, and the JSON behind it.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use serde_json::json;

use super::Reports;
use crate::assets::{self, asset};

pub(crate) fn router(reports: Reports) -> Router {
    Router::new()
        .route("/report", get(|| asset("text/html; charset=utf-8", include_str!("page.html"))))
        .route("/report.css", get(|| asset("text/css; charset=utf-8", include_str!("page.css"))))
        .route("/report.js", get(|| asset("text/javascript; charset=utf-8", include_str!("page.js"))))
        .route("/api/report", get(report))
        .with_state(reports)
}

async fn report(State(reports): State<Reports>) -> Response {
    let (status, body) = match reports.make().await {
        Ok(report) => (StatusCode::OK, json!(report)),
        Err(failure) => (StatusCode::SERVICE_UNAVAILABLE, json!({ "message": failure.to_string() })),
    };
    assets::json(status, &body)
}
