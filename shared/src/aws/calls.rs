//! Watches the calls to AWS: each becomes a step of the request's report, with the repetitions that the SDK makes.

use std::time::Instant;

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

use crate::observe::report::{self, Step, Word};

/// `connector`, watched.
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

/// A call under way. It is noted when it ends, also where nobody waited for its answer any longer.
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

/// What a request asks for: DynamoDB and Secrets Manager say it in a header, SES by its path, and SNS is asked for one thing.
fn operation(request: &HttpRequest) -> Word {
    let target = request.headers().get("x-amz-target").and_then(|target| target.rsplit('.').next());
    match target {
        Some(target) => target.to_owned().into(),
        None if request.uri().contains("/v2/email/") => "SendEmail".into(),
        None => "Publish".into(),
    }
}
