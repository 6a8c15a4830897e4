//! Functions of the API: turns API Gateway's events into requests and replies, on Lambda and in `local` alike.

use std::convert::Infallible;
use std::sync::Arc;

use data_encoding::BASE64;
use lambda_http::http::header::{self, HeaderValue};
use lambda_http::http::{Method, Response};
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, Body, LambdaEvent, Service, service_fn};
use serde::Serialize;

use super::{Event, Function, Served};
use crate::http::{Reply, Request, Shape, look_in};
use crate::observe::log::Ended;
use crate::observe::report::{self, Report};
use crate::words::{Error, Result};

impl Event for Request {
    /// An API Gateway event of payload format 2.0.
    type Payload = LambdaRequest;
    type Answer = Reply;

    async fn answer<F: Function<Event = Request>>(
        served: Arc<Served<F>>,
        event: LambdaEvent<LambdaRequest>,
    ) -> std::result::Result<impl Serialize + Send, String> {
        let mut adapter = Adapter::from(service_fn(move |request| {
            let served = served.clone();
            async move { Ok::<_, Infallible>(served.respond(request).await) }
        }));
        let Ok(answer) = adapter.call(LambdaEvent::new(tidied(event.payload), event.context)).await;
        Ok(answer)
    }
}

impl<F: Function<Event = Request>> Served<F> {
    async fn respond(&self, request: lambda_http::Request) -> Response<Body> {
        let is_head = request.method() == Method::HEAD;
        let mut language = self.common.language;
        let (outcome, report, shape) = match Request::read(request, &self.common.proxies, language) {
            Ok(mut request) => {
                language = request.language;
                let shape = self.common.aliases.then(|| Shape::translate(&mut request)).flatten();
                let (outcome, report) = report::collect(&request.id.clone(), self.route(request)).await;
                (outcome, report, shape)
            }
            Err(error) => (Err(error), Report::empty(""), None),
        };
        let word = outcome.as_ref().map_or_else(Error::code, Reply::outcome);
        let cause = outcome.as_ref().err().and_then(Error::cause);
        let reply = outcome.unwrap_or_else(|error| Reply::refusal(&error, language));
        self.log(&Ended {
            function: F::NAME,
            is_awaited: F::IS_AWAITED,
            kind: None,
            outcome: word,
            status: Some(reply.status().as_u16()),
            cause,
            is_cold: self.is_cold(),
            report: &report,
        });
        let reply = if let Some(shape) = shape { shape.reshape(reply) } else { reply };
        let reply = if is_head { reply.without_body() } else { reply };
        reply.into_response(report.id())
    }

    async fn route(&self, request: Request) -> Result<Reply> {
        // A `{proxy+}` route also matches longer paths.
        look_in(F::NAME, &request)?;
        self.function.handle(request).await
    }
}

/// API Gateway's limit for the request line and all headers together, in bytes.
const LONGEST_PATH: usize = 10 * 1024;

/// Removes the parts of an event that make `lambda_http` panic. The library builds a URL from the event, but the functions never
/// use it. It also expects valid base64 in a body marked as base64.
fn tidied(mut event: LambdaRequest) -> LambdaRequest {
    if let LambdaRequest::ApiGatewayV2(request) = &mut event {
        request.raw_query_string = None;
        request.raw_path = request.raw_path.take().filter(|path| path.starts_with('/') && path.len() <= LONGEST_PATH);
        request.headers.insert(header::HOST, HeaderValue::from_static("localhost"));
        request.headers.remove("x-forwarded-proto");
        let is_readable = |body: &String| !request.is_base64_encoded || BASE64.decode(body.as_bytes()).is_ok();
        request.body = request.body.take().filter(is_readable);
    }
    event
}
