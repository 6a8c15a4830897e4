//! Carries calls from functions to the AWS services inside the process, without a socket.
//!
//! Over a socket, a test cannot know whether data is still in transit. Here a request reaches the services at once, and the
//! caller gets the answer at once.

use std::error::Error;
use std::{fmt, io};

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use axum::http::{HeaderValue, Request};
use local_aws::{ConnectionReset, INSTANCE, Services};
use shared::aws::Carrier;
use tracing::Dispatch;
use tracing::instrument::WithSubscriber;

use crate::options::OnCall;

#[derive(Clone)]
pub(crate) struct Direct {
    services: Services,
    log: Dispatch,
    on_call: OnCall,
    /// The instance that makes the calls.
    instance: &'static str,
}

impl Direct {
    /// Calls `services`, with `log` as their log. `on_call` sees each call.
    pub(crate) fn to(services: Services, log: Dispatch, on_call: OnCall) -> Direct {
        Direct { services, log, on_call, instance: "" }
    }

    /// A carrier for the calls of one instance.
    pub(crate) fn carrier_of(&self, instance: &'static str) -> Carrier {
        Carrier::new(Direct { instance, ..self.clone() })
    }

    async fn answer(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let (mut parts, body) = request.try_into_http1x().map_err(other)?.into_parts();
        parts.headers.insert(INSTANCE, HeaderValue::from_static(self.instance));
        let body = ByteStream::new(body).collect().await.map_err(other)?.into_bytes();
        let request = Request::from_parts(parts, body);
        (self.on_call)(&request);
        let answer = self.services.answer(request).await;
        if answer.extensions().get::<ConnectionReset>().is_some() {
            return Err(ConnectorError::io(io::Error::from(io::ErrorKind::ConnectionReset).into()));
        }
        HttpResponse::try_from(answer.map(SdkBody::from)).map_err(other)
    }
}

impl fmt::Debug for Direct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Direct(…)")
    }
}

impl HttpConnector for Direct {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let answer = self.clone().answer(request).with_subscriber(self.log.clone());
        // A task of its own, because a request must arrive even if its sender stops waiting for the answer.
        let answering = tokio::spawn(answer);
        HttpConnectorFuture::new(async move { answering.await.map_err(other)? })
    }
}

fn other(error: impl Into<Box<dyn Error + Send + Sync>>) -> ConnectorError {
    ConnectorError::other(error.into(), None)
}
