//! Answers to CloudFormation: a document, put where the request says.

use std::time::Duration;

use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorSettings};
use aws_smithy_runtime_api::http::Request;
use aws_smithy_types::body::SdkBody;

use crate::error::{Error, Result};

/// How long one try may take. An answer that does not arrive keeps the whole stack waiting, so there are several.
const TRY: Duration = Duration::from_secs(5);
const TRIES: u32 = 3;

/// A client for presigned URLs, over the HTTP and TLS stack of the AWS clients.
pub struct Callback(Connector);

impl Callback {
    /// The client. Its trust store is read here, so it is made when there is something to answer.
    pub fn new() -> Callback {
        let times = HttpConnectorSettings::builder().connect_timeout(TRY).read_timeout(TRY).build();
        let connector = Connector::builder()
            .connector_settings(times)
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc));
        Callback(connector.build())
    }

    /// Puts `document` at `url`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it did not arrive.
    pub async fn put(&self, url: &str, document: &str) -> Result<()> {
        let mut outcome = Ok(());
        for _ in 0..TRIES {
            outcome = self.try_put(url, document).await;
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }

    async fn try_put(&self, url: &str, document: &str) -> Result<()> {
        let mut request = Request::new(SdkBody::from(document));
        request.set_method("PUT").map_err(Error::internal)?;
        request.set_uri(url).map_err(Error::internal)?;
        // The URL is signed for a request without a content type.
        request.headers_mut().insert("content-type", "");
        let answer = self.0.call(request).await.map_err(Error::unavailable)?;
        if answer.status().is_success() {
            return Ok(());
        }
        Err(Error::unavailable(format!("CloudFormation's answer could not be put: {}", answer.status().as_u16())))
    }
}

impl Default for Callback {
    fn default() -> Callback {
        Callback::new()
    }
}
