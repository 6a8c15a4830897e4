//! The inbox's page and the JSON API behind it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use local_aws::gateway::Api;
use local_aws::{Services, StackClock};
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;

use super::messages::{Inbox, News};
use super::requests::{Advance, FaultsOf, Wanted, read};
use crate::assets::{self, asset};
use crate::logs::Logs;
use crate::reference;

/// Everything that the page can show and change.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) inbox: Inbox,
    pub(crate) clock: StackClock,
    pub(crate) logs: Logs,
    /// The API, if its functions run in this process and follow this clock.
    pub(crate) api: Option<Arc<Api>>,
    pub(crate) services: Services,
    /// Becomes true when the stack stops.
    pub(crate) stopping: watch::Receiver<bool>,
}

pub(crate) fn router(desk: Desk) -> Router {
    Router::new()
        .route("/", get(|| asset("text/html; charset=utf-8", include_str!("page.html"))))
        .route("/page.css", get(|| asset("text/css; charset=utf-8", include_str!("page.css"))))
        .route("/page.js", get(|| asset("text/javascript; charset=utf-8", include_str!("page.js"))))
        .route("/api/messages", get(messages).delete(clear))
        .route("/api/stream", get(stream))
        .route("/api/logs", get(logs))
        .route("/api/clock", get(clock).post(advance))
        .route("/api/faults", get(faults).post(set_faults))
        .merge(reference::router())
        .with_state(desk)
}

fn refused(status: StatusCode, message: &str) -> Response {
    assets::json(status, &json!({ "message": message }))
}

async fn messages(State(desk): State<Desk>, Query(wanted): Query<Wanted>) -> Response {
    assets::json(StatusCode::OK, &json!(desk.inbox.messages(wanted.address().as_deref())))
}

async fn clear(State(desk): State<Desk>) -> StatusCode {
    desk.inbox.clear();
    StatusCode::NO_CONTENT
}

/// The format of `aws logs tail`.
async fn logs(State(desk): State<Desk>) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/x-ndjson"), (header::CACHE_CONTROL, "no-store")];
    (headers, desk.logs.lines().join("\n")).into_response()
}

async fn clock(State(desk): State<Desk>) -> Response {
    assets::json(StatusCode::OK, &json!({ "now": desk.clock.now().to_string() }))
}

async fn advance(State(desk): State<Desk>, body: Bytes) -> Response {
    if desk.api.is_none() {
        let message =
            "The functions run in another process and use the system clock. Start without --services-only to move it.";
        return refused(StatusCode::CONFLICT, message);
    }
    match read::<Advance>(&body) {
        Ok(advance) => {
            let now = desk.clock.advance(Duration::from_secs(advance.advance_seconds));
            assets::json(StatusCode::OK, &json!({ "now": now.to_string() }))
        }
        Err(problem) => refused(StatusCode::BAD_REQUEST, &problem),
    }
}

async fn faults(State(desk): State<Desk>) -> Response {
    let gateway_status = desk.api.and_then(|api| api.gateway().refusal()).map(|status| status.as_u16());
    assets::json(StatusCode::OK, &json!(FaultsOf { gateway_status, services: desk.services.faults().get() }))
}

async fn set_faults(State(desk): State<Desk>, body: Bytes) -> Response {
    let FaultsOf { gateway_status, services } = match read(&body) {
        Ok(faults) => faults,
        Err(problem) => return refused(StatusCode::BAD_REQUEST, &problem),
    };
    let status = gateway_status.map(StatusCode::from_u16).transpose();
    match (&desk.api, status) {
        (_, Err(_)) => return refused(StatusCode::BAD_REQUEST, "gateway_status: expected an HTTP status such as 429"),
        (None, Ok(Some(_))) => {
            return refused(
                StatusCode::CONFLICT,
                "The gateway runs in another process. Start without --services-only to set its status.",
            );
        }
        (None, Ok(None)) => {}
        (Some(api), Ok(status)) => api.gateway().set_refusal(status),
    }
    desk.services.faults().set(services);
    faults(State(desk)).await
}

/// Streams events to a page until it disconnects or the stack stops.
async fn stream(State(mut desk): State<Desk>) -> impl IntoResponse {
    let (sender, receiver) = mpsc::channel::<Result<Event, Infallible>>(16);
    let mut news = desk.inbox.news();
    // Firefox opens a stream at its first byte. A full channel is impossible yet.
    let _ = sender.try_send(Ok(Event::default().comment("")));
    tokio::spawn(async move {
        loop {
            let event = tokio::select! {
                // `biased`, so that earlier events are delivered before the stack stops.
                biased;
                news = news.recv() => match news {
                    Ok(News::Arrived(message)) => Event::default().event("message").data(json!(message).to_string()),
                    Ok(News::Told) => Event::default().event("told").data("{}"),
                    Ok(News::Cleared) => Event::default().event("cleared").data("{}"),
                    // The page loads the whole list at every event, so a missed event is harmless.
                    Err(RecvError::Lagged(_)) => continue,
                    Err(RecvError::Closed) => break,
                },
                () = sender.closed() => break,
                _ = desk.stopping.wait_for(|stopping| *stopping) => break,
            };
            if sender.send(Ok(event)).await.is_err() {
                break;
            }
        }
    });
    Sse::new(ReceiverStream::new(receiver)).keep_alive(KeepAlive::default())
}

#[cfg(test)]
mod tests;
