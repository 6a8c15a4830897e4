//! From the runtime's event to an answer: the same on Lambda and in `local`.

use std::convert::Infallible;
use std::sync::Arc;

use lambda_http::http::header;
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

/// The event without a query and without the headers that say what the request's address is: no function looks at them,
/// and the conversion panics at those that are no address.
fn tidied(mut event: LambdaRequest) -> LambdaRequest {
    if let LambdaRequest::ApiGatewayV2(request) = &mut event {
        request.raw_query_string = None;
        request.headers.remove(header::HOST);
        request.headers.remove("x-forwarded-proto");
    }
    event
}
