//! The Lambda runtime. Only the functions' `main` files come here.

use std::convert::Infallible;
use std::sync::Arc;

use lambda_http::{lambda_runtime, service_fn};

use crate::clock::Clock;
use crate::config::Config;
use crate::http::{Function, Served};

/// Runs one function until Lambda ends the process.
///
/// # Errors
/// All that is wrong with the settings, in one message; or what keeps the runtime from running.
pub async fn run<F: Function>() -> Result<(), lambda_http::Error> {
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_target(false)
        .with_current_span(false)
        .with_max_level(tracing::Level::INFO)
        .init();
    #[expect(clippy::disallowed_methods, reason = "the one lookup that a function's configuration is read with")]
    let config = Config::read(|name| std::env::var(name).ok())?;
    let served = Served::<F>::start(config, Clock::system()).await;
    let served = Arc::new(served.map_err(|error| error.cause().unwrap_or_else(|| error.to_string()))?);
    lambda_runtime::run(service_fn(|event| {
        let served = served.clone();
        async move { Ok::<_, Infallible>(served.invoke(event).await) }
    }))
    .await
}
