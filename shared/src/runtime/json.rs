//! Functions outside the API: their events and answers are JSON.

use std::sync::Arc;

use lambda_http::LambdaEvent;
use serde::Serialize;
use serde_json::Value;

use super::{Event, Function, Served};
use crate::observe::log::Ended;
use crate::observe::report;

impl Event for Value {
    type Payload = Value;
    type Answer = Value;

    async fn answer<F: Function<Event = Value>>(
        served: Arc<Served<F>>,
        event: LambdaEvent<Value>,
    ) -> Result<impl Serialize + Send, String> {
        let kind = F::kind(&event.payload);
        // Boxed, because the future of such a handler has a deeply nested type.
        let handling = Box::pin(served.function.handle(event.payload));
        let (outcome, report) = report::collect(&event.context.request_id, handling).await;
        let word = Ended::word(&outcome);
        let outcome = outcome.map_err(|error| error.cause().unwrap_or_else(|| error.to_string()));
        served.log(&Ended {
            function: F::NAME,
            is_awaited: F::IS_AWAITED,
            kind,
            outcome: word,
            status: None,
            cause: outcome.as_ref().err().cloned(),
            is_cold: served.is_cold(),
            report: &report,
        });
        outcome
    }
}
