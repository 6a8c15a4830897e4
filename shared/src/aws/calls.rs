//! Records each call to AWS, including the SDK's retries, as a step in the request's report.

use std::time::Instant;

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

use crate::observe::report::{self, Step, Word};

pub(crate) fn watched(connector: SharedHttpConnector) -> SharedHttpConnector {
    SharedHttpConnector::new(Watched(connector))
}

#[derive(Debug)]
struct Watched(SharedHttpConnector);

impl HttpConnector for Watched {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let call = Call { operation: operation(&request), started: Instant::now(), status: None };
        let answer = self.0.call(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await;
            call.answered(answer.as_ref().ok().map(|answer| answer.status().as_u16()));
            answer
        })
    }
}

/// A call in progress. It is reported when it ends, even if its caller has stopped waiting.
struct Call {
    operation: Word,
    started: Instant,
    status: Option<u16>,
}

impl Call {
    fn answered(mut self, status: Option<u16>) {
        self.status = status;
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let took_ms = report::milliseconds(self.started.elapsed());
        report::note(Step::Call { operation: std::mem::take(&mut self.operation), took_ms, status: self.status });
    }
}

/// The operation of a request. DynamoDB and Secrets Manager name it in a header, SES and services outside AWS in the path, and
/// Latchkey uses one SNS operation.
fn operation(request: &HttpRequest) -> Word {
    let target = request.headers().get("x-amz-target").and_then(|target| target.rsplit('.').next());
    match target {
        Some(target) => target.to_owned().into(),
        None if request.uri().contains("/v2/email/") => "SendEmail".into(),
        None if request.uri().ends_with("/v3/mail/send") => "SendGrid".into(),
        None if request.uri().contains("/2010-04-01/") => "Twilio".into(),
        None => "Publish".into(),
    }
}
