//! The Lambda runtime. Only the functions' `main` files come here.

use std::convert::Infallible;
use std::sync::Arc;

use lambda_http::{LambdaEvent, lambda_runtime, service_fn};

use crate::config::Config;
use crate::http::{Function, Served};
use crate::observe::log;
use crate::runtime::task::{Ready, Task};
use crate::words::{Clock, Error};

/// Runs one function until Lambda ends the process.
///
/// # Errors
/// All that is wrong with the settings, in one message; or what keeps the runtime from running.
pub async fn run<F: Function>() -> Result<(), lambda_http::Error> {
    let served = Served::<F>::start(settings()?, Clock::system()).await;
    let served = Arc::new(served.map_err(in_words)?);
    lambda_runtime::run(service_fn(|event| {
        let served = served.clone();
        async move { Ok::<_, Infallible>(served.invoke(event).await) }
    }))
    .await
}

/// Runs one function that is no part of the API until Lambda ends the process.
///
/// # Errors
/// As [`run`].
pub async fn run_task<T: Task>() -> Result<(), lambda_http::Error> {
    let ready = Ready::<T>::start(settings()?, Clock::system()).await;
    let ready = Arc::new(ready.map_err(in_words)?);
    lambda_runtime::run(service_fn(|event: LambdaEvent<serde_json::Value>| {
        let ready = ready.clone();
        async move { ready.answer(&event.context.request_id, event.payload).await.map_err(lambda_http::Error::from) }
    }))
    .await
}

/// Sets up the log, and reads the settings.
fn settings() -> Result<Config, lambda_http::Error> {
    tracing::subscriber::set_global_default(log::subscriber(Clock::system(), std::io::stdout))?;
    #[expect(clippy::disallowed_methods, reason = "the one lookup that a function's configuration is read with")]
    Config::read(|name| std::env::var(name).ok()).map_err(lambda_http::Error::from)
}

fn in_words(error: Error) -> String {
    error.cause().unwrap_or_else(|| error.to_string())
}
