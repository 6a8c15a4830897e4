//! From the runtime's event to an answer: the same on Lambda and in `local`.

use std::convert::Infallible;
use std::sync::Arc;

use data_encoding::BASE64;
use lambda_http::http::header::{self, HeaderValue};
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, LambdaEvent, Service, service_fn};
use serde::Serialize;

use super::{Function, Served};

impl<F: Function> Served<F> {
    /// Answers an event of payload format 2.0 with what the runtime sends back.
    pub async fn invoke(self: Arc<Self>, event: LambdaEvent<LambdaRequest>) -> impl Serialize + Send {
        let mut adapter = Adapter::from(service_fn(move |request| {
            let served = self.clone();
            async move { Ok::<_, Infallible>(served.answer(request).await) }
        }));
        let Ok(answer) = adapter.call(LambdaEvent::new(tidied(event.payload), event.context)).await;
        answer
    }
}

/// API Gateway takes no more than this for a request's line and headers together, in bytes.
const LONGEST_PATH: usize = 10 * 1024;

/// The event without what the conversion panics at. It makes an address of the request, which no function looks at; and
/// it believes that what is said to be base64 is.
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
