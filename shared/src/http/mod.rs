//! The edge: what a function is, how it is served, and one log line for each request.

mod alias;
mod bearer;
mod browser;
mod cookie;
mod event;
mod frontends;
mod identifier_fields;
mod issuer;
pub mod json;
mod origin;
mod proxies;
mod reply;
mod request;
mod routes;
mod site;

pub use self::alias::ALIASES;
pub use self::bearer::Checker;
pub use self::cookie::{Cookie, Cookies};
pub use self::frontends::{Frontends, Page, TokenDelivery};
pub use self::identifier_fields::{IdentifierFields, UserView, given, source_url, token_of};
pub use self::issuer::{Issuer, Tokens};
pub use self::origin::{Origin, is_host_name};
pub use self::routes::{ROUTES, Route, look};

use std::sync::atomic::{AtomicBool, Ordering};

use lambda_http::Body;
use lambda_http::http::Response;

use self::alias::Shape;
pub use self::browser::Delivered;
pub use self::proxies::Proxies;
pub use self::reply::Reply;
pub use self::request::{LONGEST_BODY, Request, without_final_slash};
use crate::config::Config;
use crate::observe::Metrics;
use crate::observe::log::Ended;
use crate::observe::report::{self, Report};
use crate::words::{Clock, Error, Result};

/// One Lambda function: the parts that it uses, and what it does with a request.
pub trait Function: Sized + Send + Sync + 'static {
    /// The same word as its folder, its resource and its tests.
    const NAME: &'static str;

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
    metrics: Metrics,
    clock: Clock,
    aliases: bool,
    is_cold: AtomicBool,
}

impl<F: Function> Served<F> {
    /// Composes the function.
    ///
    /// # Errors
    /// As [`Function::compose`].
    pub async fn start(config: Config, clock: Clock) -> Result<Served<F>> {
        let (proxies, metrics, aliases) = (config.proxies.clone(), config.metrics.clone(), config.aliases);
        let function = F::compose(config, clock.clone()).await?;
        Ok(Served { function, proxies, metrics, clock, aliases, is_cold: AtomicBool::new(true) })
    }

    /// Answers one event, whatever it is, and writes its log line.
    pub async fn answer(&self, request: lambda_http::Request) -> Response<Body> {
        let (outcome, report, shape) = match Request::read(request, &self.proxies) {
            Ok(mut request) => {
                let shape = self.aliases.then(|| Shape::take(&mut request)).flatten();
                let (outcome, report) = report::collect(&request.id.clone(), self.route(request)).await;
                (outcome, report, shape)
            }
            Err(error) => (Err(error), Report::empty(""), None),
        };
        self.respond(outcome, &report, shape)
    }

    async fn route(&self, request: Request) -> Result<Reply> {
        // A `{proxy+}` route also brings what lies below the path.
        routes::look_in(F::NAME, &request)?;
        self.function.handle(request).await
    }

    /// Writes the answer, and the one log line of a request.
    fn respond(&self, outcome: Result<Reply>, report: &Report, shape: Option<Shape>) -> Response<Body> {
        let word = outcome.as_ref().map_or_else(Error::code, Reply::outcome);
        let cause = outcome.as_ref().err().and_then(Error::cause);
        let reply = outcome.unwrap_or_else(|error| Reply::refusal(&error));
        let ended = Ended {
            function: F::NAME,
            kind: None,
            outcome: word,
            status: Some(reply.status().as_u16()),
            cause,
            is_cold: self.is_cold.swap(false, Ordering::Relaxed),
            report,
        };
        ended.tell(&self.metrics, self.clock.now());
        let reply = if let Some(shape) = shape { shape.put_on(reply) } else { reply };
        reply.into_response(report.id())
    }
}
