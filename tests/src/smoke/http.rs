//! An HTTP client with the same HTTP and TLS stack as the functions.

use std::time::{Duration, Instant};

use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorSettings};
use aws_smithy_runtime_api::http::Request;
use aws_smithy_types::body::SdkBody;
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(20);

pub(super) struct Browser {
    connector: Connector,
    /// Without a final slash.
    pub(super) url: String,
}

/// An answer.
pub(super) struct Seen {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
    pub(super) body: String,
    pub(super) took: Duration,
}

impl Browser {
    pub(super) fn new(url: &str) -> Browser {
        let times = HttpConnectorSettings::builder().connect_timeout(PATIENCE).read_timeout(PATIENCE).build();
        let connector = Connector::builder()
            .connector_settings(times)
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .build();
        Browser { connector, url: url.trim_end_matches('/').to_owned() }
    }

    pub(super) async fn get(&self, path: &str) -> Result<Seen, String> {
        self.ask("GET", path, &[], "").await
    }

    pub(super) async fn post(&self, path: &str, body: &str) -> Result<Seen, String> {
        self.ask("POST", path, &[("content-type", "application/json")], body).await
    }

    pub(super) async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Seen, String> {
        let mut request = Request::new(SdkBody::from(body));
        let started = Instant::now();
        request.set_method(method).map_err(|error| error.to_string())?;
        request.set_uri(format!("{}{path}", self.url)).map_err(|error| error.to_string())?;
        for (name, value) in headers {
            request.headers_mut().insert((*name).to_owned(), (*value).to_owned());
        }
        let answer = self.connector.call(request).await.map_err(|error| {
            let cause = error.into_source();
            std::iter::successors(Some(cause.as_ref() as &dyn std::error::Error), |error| error.source())
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(": ")
        })?;
        let (status, mut headers) = (answer.status().as_u16(), Vec::new());
        headers.extend(answer.headers().iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
        let body = aws_smithy_types::byte_stream::ByteStream::new(answer.into_body());
        let bytes = body.collect().await.map_err(|error| error.to_string())?.into_bytes();
        let body = String::from_utf8_lossy(&bytes).into_owned();
        Ok(Seen { status, headers, body, took: started.elapsed() })
    }
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Every header of this name.
    pub(super) fn headers(&self, name: &str) -> Vec<String> {
        let same = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        same.map(|(_, value)| value.clone()).collect()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The code of a Latchkey error.
    pub(super) fn code(&self) -> String {
        self.json()["error"].as_str().unwrap_or_default().to_owned()
    }
}
