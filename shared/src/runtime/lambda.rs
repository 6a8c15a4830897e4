//! Runs functions on Lambda. Only the functions' `main` files use this module.

use std::sync::Arc;

use lambda_http::{LambdaEvent, lambda_runtime, service_fn};
use serde_json::Value;

use super::{Event, Function, Served, settings};
use crate::aws::{self, Aws};
use crate::config;
use crate::observe::log::Log;
use crate::words::{Clock, Error};

/// Runs one function until Lambda ends the process.
///
/// # Errors
/// All mistakes in the settings, in one message, or a fault that stops the runtime.
pub async fn run<F: Function>() -> Result<(), lambda_http::Error> {
    let log = start_log()?;
    serve(Box::pin(start::<F>(log)).await?).await
}

/// Why a function cannot start, and the connections of its substitute.
#[derive(Clone)]
pub struct Refusal {
    /// The reason in words.
    pub reason: String,
    /// Connections with the function's settings, or with the defaults if these settings are the reason.
    pub aws: Aws,
}

/// Runs one function until Lambda ends the process. If the function cannot start, `refuse` answers each event in its place.
///
/// # Errors
/// A fault that stops the runtime.
pub async fn run_or_refuse<F, A>(
    refuse: impl Fn(Refusal, <F::Event as Event>::Payload) -> A,
) -> Result<(), lambda_http::Error>
where
    F: Function,
    A: Future<Output = Result<Value, String>>,
{
    let reason = match Box::pin(start::<F>(start_log()?)).await {
        Ok(served) => return serve(served).await,
        Err(error) => error.to_string(),
    };
    tracing::error!(cause = reason, "the function cannot start and refuses every event");
    let settings = config::read(variable, aws::Settings::read).unwrap_or_default();
    let clock = &Clock::system();
    let aws = Aws::new(&settings, clock).or_else(|_| Aws::new(&aws::Settings::default(), clock)).map_err(in_words)?;
    let refusal = Refusal { reason, aws };
    lambda_runtime::run(service_fn(|event: LambdaEvent<_>| {
        let refusing = refuse(refusal.clone(), event.payload);
        async { refusing.await.map_err(lambda_http::Error::from) }
    }))
    .await
}

#[expect(clippy::disallowed_methods, reason = "the one lookup that a function's settings are read with")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn start_log() -> Result<Log, lambda_http::Error> {
    let log = Log::to_stdout(Clock::system());
    tracing::subscriber::set_global_default(log.subscriber())?;
    Ok(log)
}

async fn start<F: Function>(log: Log) -> Result<Served<F>, lambda_http::Error> {
    let settings = config::read(variable, settings::<F>)?;
    Ok(Served::<F>::start(settings, Clock::system(), log).await.map_err(in_words)?)
}

async fn serve<F: Function>(served: Served<F>) -> Result<(), lambda_http::Error> {
    let served = Arc::new(served);
    lambda_runtime::run(service_fn(|event| {
        let served = served.clone();
        async move { served.invoke(event).await.map_err(lambda_http::Error::from) }
    }))
    .await
}

fn in_words(error: Error) -> String {
    error.cause().unwrap_or_else(|| error.to_string())
}
