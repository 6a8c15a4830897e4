//! The way from functions to the services without a socket between them.
//!
//! Over a socket nobody can say that nothing is on its way. Here a request is at the services as soon as it is made, and an
//! answer with its caller as soon as it is given.

use std::error::Error;
use std::fmt;

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use axum::http::Request;
use shared::aws::Carrier;
use tracing::Dispatch;
use tracing::instrument::WithSubscriber;

use crate::aws::Services;

/// Carries calls to `services`, which log to `log`.
pub(crate) fn to(services: Services, log: Dispatch) -> Carrier {
    Carrier::new(Direct { services, log })
}

struct Direct {
    services: Services,
    log: Dispatch,
}

impl fmt::Debug for Direct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Direct(…)")
    }
}

impl HttpConnector for Direct {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let answer = answer(self.services.clone(), request).with_subscriber(self.log.clone());
        // A task of its own: what was sent arrives, also where its sender does not wait for the answer.
        let answering = tokio::spawn(answer);
        HttpConnectorFuture::new(async move {
            let answer = answering.await.map_err(|error| ConnectorError::other(error.into(), None))?;
            answer.map_err(|error| ConnectorError::other(error, None))
        })
    }
}

async fn answer(services: Services, request: HttpRequest) -> Result<HttpResponse, Box<dyn Error + Send + Sync>> {
    let (parts, body) = request.try_into_http1x()?.into_parts();
    let body = ByteStream::new(body).collect().await?.into_bytes();
    let answer = services.answer(Request::from_parts(parts, body)).await;
    Ok(HttpResponse::try_from(answer.map(SdkBody::from))?)
}
