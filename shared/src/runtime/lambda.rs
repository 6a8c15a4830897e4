//! Runs functions on Lambda. Only the functions' `main` files use this module.

use std::sync::Arc;

use lambda_http::{lambda_runtime, service_fn};

use super::{Function, Served, settings};
use crate::config;
use crate::observe::log::Log;
use crate::words::{Clock, Error};

/// Runs one function until Lambda ends the process.
///
/// # Errors
/// All mistakes in the settings, in one message, or a fault that stops the runtime.
pub async fn run<F: Function>() -> Result<(), lambda_http::Error> {
    let log = Log::to_stdout(Clock::system());
    tracing::subscriber::set_global_default(log.subscriber())?;
    #[expect(clippy::disallowed_methods, reason = "the one lookup that a function's settings are read with")]
    let settings = config::read(|name| std::env::var(name).ok(), settings::<F>)?;
    let served = Arc::new(Served::<F>::start(settings, Clock::system(), log).await.map_err(in_words)?);
    lambda_runtime::run(service_fn(|event| {
        let served = served.clone();
        async move { served.invoke(event).await.map_err(lambda_http::Error::from) }
    }))
    .await
}

fn in_words(error: Error) -> String {
    error.cause().unwrap_or_else(|| error.to_string())
}
