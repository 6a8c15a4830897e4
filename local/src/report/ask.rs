//! Asks a running stack for its report.

use std::net::SocketAddr;

use axum::body::{Body, to_bytes};
use axum::http::{StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use local_aws::Failure;
use serde_json::Value;
use shared::history::Report;

/// In bytes. A day has at most 300 sources, and a source at most 400 bytes.
const LONGEST: usize = 16 * 1024 * 1024;

/// The report of the stack whose inbox is at `inbox`.
///
/// # Errors
/// No stack answers there, or it has no report.
pub async fn ask(inbox: SocketAddr) -> Result<Report, Failure> {
    let client: Client<_, Body> = Client::builder(TokioExecutor::new()).build_http();
    let uri: Uri = format!("http://{inbox}/api/report").parse().map_err(Failure::new)?;
    let nobody = |_| {
        Failure::new(format!(
            "no stack answers at {inbox}. Start one with `cargo run -p local`, or name the address of its inbox with --inbox"
        ))
    };
    let (parts, body) = client.get(uri).await.map_err(nobody)?.into_parts();
    let body = to_bytes(Body::new(body), LONGEST).await.map_err(Failure::new)?;
    if parts.status != StatusCode::OK {
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        let message = answer.get("message").and_then(Value::as_str).unwrap_or("it has no report");
        return Err(Failure::new(format!("the stack at {inbox} answers {}: {message}", parts.status.as_u16())));
    }
    serde_json::from_slice(&body).map_err(Failure::new)
}
