//! The edge: what a function is, how it is served, and one log line for each request.

mod event;
mod proxies;
mod reply;
mod request;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use lambda_http::Body;
use lambda_http::http::Response;
use tracing::Instrument;

pub use self::proxies::Proxies;
pub use self::reply::Reply;
pub use self::request::{LONGEST_BODY, Request, without_final_slash};
use crate::clock::Clock;
use crate::config::Config;
use crate::error::{Error, Result};

/// One Lambda function: the parts that it uses, and what it does with a request.
pub trait Function: Sized + Send + Sync + 'static {
    /// The same word as its folder, its resource and its tests.
    const NAME: &'static str;
    /// What it answers: method and path without the final slash. Both spellings of a path are served.
    const ROUTES: &'static [(&'static str, &'static str)];

    /// Composes the parts.
    ///
    /// # Errors
    /// What keeps the function from ever answering.
    fn compose(config: Config, clock: Clock) -> impl Future<Output = Result<Self>> + Send;

    /// Answers one request.
    ///
    /// # Errors
    /// What the caller is told instead.
    fn handle(&self, request: Request) -> impl Future<Output = Result<Reply>> + Send;
}

/// A function that is ready to answer.
pub struct Served<F> {
    function: F,
    proxies: Proxies,
    is_cold: AtomicBool,
}

impl<F: Function> Served<F> {
    /// Composes the function.
    ///
    /// # Errors
    /// As [`Function::compose`].
    pub async fn start(config: Config, clock: Clock) -> Result<Served<F>> {
        let proxies = config.proxies.clone();
        Ok(Served { function: F::compose(config, clock).await?, proxies, is_cold: AtomicBool::new(true) })
    }

    /// Answers one event, whatever it is, and writes its log line.
    pub async fn answer(&self, request: lambda_http::Request) -> Response<Body> {
        let started = Instant::now();
        let is_cold = self.is_cold.swap(false, Ordering::Relaxed);
        let (id, outcome) = match Request::read(request, &self.proxies) {
            Ok(request) => {
                let id = request.id.clone();
                let span = tracing::info_span!("request", request_id = %id, function = F::NAME);
                (id, self.route(request).instrument(span).await)
            }
            Err(error) => (String::new(), Err(error)),
        };
        respond::<F>(&id, outcome, is_cold, started)
    }

    async fn route(&self, request: Request) -> Result<Reply> {
        let is_ours = F::ROUTES.is_empty()
            || F::ROUTES.iter().any(|&(method, path)| request.method() == method && request.path == path);
        // A `{proxy+}` route also brings what lies below the path.
        if is_ours { self.function.handle(request).await } else { Err(Error::NotFound) }
    }
}

/// Writes the answer, and the one log line of a request. Nothing else logs a failure.
fn respond<F: Function>(id: &str, outcome: Result<Reply>, is_cold: bool, started: Instant) -> Response<Body> {
    let code = outcome.as_ref().map_or_else(Error::code, |_| "ok");
    let cause = outcome.as_ref().err().and_then(Error::cause);
    let reply = outcome.unwrap_or_else(|error| Reply::refusal(&error));
    let duration_ms = started.elapsed().as_secs_f64() * 1_000.0;
    let status = reply.status().as_u16();
    match cause {
        None => tracing::info!(
            request_id = id,
            function = F::NAME,
            outcome = code,
            status,
            duration_ms,
            cold_start = is_cold,
            "answered"
        ),
        Some(cause) => {
            tracing::error!(
                request_id = id,
                function = F::NAME,
                outcome = code,
                status,
                duration_ms,
                cold_start = is_cold,
                cause,
                "failed"
            );
        }
    }
    reply.into_response(id)
}
