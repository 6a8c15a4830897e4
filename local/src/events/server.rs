//! The page and the JSON API behind it.

use std::convert::Infallible;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::stream;
use local_aws::Services;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::assets::{self, asset};

/// How many events of a bus, and messages of a queue, the page gets. The newest ones.
const SHOWN: usize = 500;

/// The content of the page.
#[derive(Clone)]
pub(crate) struct Watched {
    pub(crate) services: Services,
    /// The names of the template's rules.
    pub(crate) rules: Vec<String>,
    /// The setting `EVENTS`.
    pub(crate) setting: String,
    /// Whether a function of this stack reads the tables' streams.
    pub(crate) is_read: bool,
    /// Becomes true when the stack stops.
    pub(crate) stopping: watch::Receiver<bool>,
}

/// For a router with any other state.
pub(crate) fn router<S>(watched: Watched) -> Router<S> {
    Router::new()
        .route("/events", get(|| asset("text/html; charset=utf-8", include_str!("page.html"))))
        .route("/events.css", get(|| asset("text/css; charset=utf-8", include_str!("page.css"))))
        .route("/events.js", get(|| asset("text/javascript; charset=utf-8", include_str!("page.js"))))
        .route("/api/events", get(all))
        .route("/api/events/stream", get(changes))
        .with_state(watched)
}

/// Events and messages, newest first.
async fn all(State(watched): State<Watched>) -> Response {
    let Watched { services, rules, setting, is_read, .. } = watched;
    let (mut events, mut count) = (Vec::new(), 0);
    for bus in services.buses() {
        let of_bus = services.events(&bus);
        count += of_bus.len();
        let newest = of_bus.into_iter().rev().take(SHOWN);
        events.extend(newest.map(|found| json!({ "bus": bus, "rules": found.rules, "event": found.event })));
    }
    let queues = services.queues().into_iter().map(|arn| {
        let messages = services.messages(&arn);
        let name = arn.rsplit(':').next().unwrap_or_default();
        let read = |text: &String| serde_json::from_str(text).unwrap_or_else(|_| json!(text));
        let newest: Vec<Value> = messages.iter().rev().take(SHOWN).map(read).collect();
        json!({ "name": name, "count": messages.len(), "messages": newest })
    });
    let queues: Vec<Value> = queues.collect();
    let body = json!({ "setting": setting, "is_read": is_read, "rules": rules, "count": count, "events": events,
        "queues": queues });
    assets::json(StatusCode::OK, &body)
}

/// Tells a page to load everything again, until the stack stops. One event may stand for many changes.
async fn changes(State(watched): State<Watched>) -> impl IntoResponse {
    let mut arrivals = watched.services.arrivals();
    // Firefox opens a stream at its first byte, so it begins with an event.
    arrivals.mark_changed();
    let sources = (arrivals, watched.stopping);
    let changes = stream::unfold(sources, |(mut arrivals, mut stopping)| async move {
        tokio::select! {
            changed = arrivals.changed() => changed.ok()?,
            _ = stopping.wait_for(|stopping| *stopping) => return None,
        }
        let changed = Event::default().event("changed").data("{}");
        Some((Ok::<_, Infallible>(changed), (arrivals, stopping)))
    });
    Sse::new(changes).keep_alive(KeepAlive::default())
}
