//! The one HTTP and TLS stack that all clients share.

use std::sync::{Arc, OnceLock};

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, TlsContext, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorSettings, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::http::{Request, Response};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use tokio::time::timeout;

use super::pools::{LONGEST_IDLE, Pools};
use super::settings::{Carrier, Endpoints, Settings};
use super::{calls, connect, trust};
use crate::words::{Clock, Error, Result};

/// Creates the configurations of AWS clients, which all share one connector.
#[derive(Clone, Debug)]
pub struct Aws {
    settings: Settings,
    clock: Clock,
    connector: SharedHttpConnector,
    /// The connector for services outside AWS, made at the first call of one.
    outside: Arc<OnceLock<SharedHttpConnector>>,
}

/// Whether a client retries calls by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retries {
    /// As the SDK decides. For conditional calls, and for counts where an extra one errs on the safe side.
    Sdk,
    /// Disabled. For messages: only the caller knows when it is safe to send one again.
    Never,
}

impl Aws {
    /// Builds the stack. `clock` tells how long connections were idle.
    ///
    /// # Errors
    /// [`Error::Internal`] when the file of root certificates in the settings is unreadable.
    pub fn new(settings: &Settings, clock: &Clock) -> Result<Aws> {
        let connector = match &settings.carrier {
            Some(Carrier(connector)) => connector.as_ref().clone(),
            None => network(settings, clock.clone(), trust::roots(settings.ca_bundle.as_deref())?),
        };
        Ok(Aws { settings: settings.clone(), clock: clock.clone(), connector, outside: Arc::default() })
    }

    /// The settings of the stack.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Sends a request without an AWS client.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it gets no answer.
    pub async fn send(&self, request: Request) -> Result<Response> {
        self.connector.call(request).await.map_err(Error::unavailable)
    }

    /// The clock of the stack.
    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The connector for services outside AWS. The roots of AWS do not vouch for them, so it has the system's.
    ///
    /// # Errors
    /// [`Error::Internal`] when the system has no readable root certificates.
    pub(super) fn outside(&self) -> Result<SharedHttpConnector> {
        if let Some(connector) = self.outside.get() {
            return Ok(connector.clone());
        }
        let connector = match &self.settings.carrier {
            Some(Carrier(connector)) => connector.as_ref().clone(),
            None => {
                network(&self.settings, self.clock.clone(), trust::public_roots(self.settings.ca_bundle.as_deref())?)
            }
        };
        Ok(self.outside.get_or_init(|| calls::watched(connector)).clone())
    }

    /// Opens `connections` connections to the service at `endpoint`, ready for the calls of the first request.
    ///
    /// A failure is only logged, because the first request then opens its own connections.
    pub async fn connect(&self, endpoint: impl Future<Output = Result<String>>, connections: usize) {
        self.opened(async { connect::open(&self.connector, &endpoint.await?, connections).await }).await;
    }

    /// Opens a connection to the service outside AWS at `endpoint`. A failure is only logged.
    pub(super) async fn connect_outside(&self, endpoint: &str) {
        self.opened(async { connect::open(&self.outside()?, endpoint, 1).await }).await;
    }

    async fn opened(&self, opening: impl Future<Output = Result<()>>) {
        let opened = timeout(self.settings.attempt_timeout, opening).await;
        if let Err(error) = opened.unwrap_or_else(|late| Err(Error::unavailable(late))) {
            tracing::warn!(
                cause = error.cause(),
                "could not open a connection at start; the first request opens its own"
            );
        }
    }

    /// The configuration of a client for the service at `endpoint`.
    pub fn client(&self, endpoint: impl Fn(&Endpoints) -> &Option<String>, retries: Retries) -> SdkConfig {
        let Settings { region, credentials, endpoints, attempt_timeout, operation_timeout, .. } = &self.settings;
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(*attempt_timeout)
            .operation_attempt_timeout(*attempt_timeout)
            .operation_timeout(*operation_timeout);
        let retries = match retries {
            Retries::Sdk => RetryConfig::standard(),
            Retries::Never => RetryConfig::disabled(),
        };
        // Every client gets this connector. By default the SDK makes a connector, with its own pool, for each set of timeouts.
        let connector = calls::watched(self.connector.clone());
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.clone()))
            .credentials_provider(SharedCredentialsProvider::new(credentials.clone()))
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .timeout_config(timeouts.build())
            .retry_config(retries);
        config.set_endpoint_url(endpoint(endpoints).clone());
        config.build()
    }
}

/// The URL of an SDK client's service. A macro, because each SDK has its own types for this.
macro_rules! endpoint {
    ($sdk:ident, $settings:expr, $service:ident) => {
        async {
            use $sdk::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
            let settings = $settings;
            let params = Params::builder().region(&settings.region).set_endpoint(settings.endpoints.$service.clone());
            let params = params.build().map_err($crate::words::Error::internal)?;
            let endpoint = DefaultResolver::new().resolve_endpoint(&params).await;
            Ok(endpoint.map_err($crate::words::Error::internal)?.url().to_owned())
        }
    };
}
pub(crate) use endpoint;

fn network(settings: &Settings, clock: Clock, roots: TlsContext) -> SharedHttpConnector {
    let connecting = HttpConnectorSettings::builder().connect_timeout(settings.attempt_timeout).build();
    let connector = Connector::builder()
        .connector_settings(connecting)
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .pool_idle_timeout(LONGEST_IDLE)
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .tls_context(roots);
    SharedHttpConnector::new(Pools::new(clock, move || SharedHttpConnector::new(connector.clone().build())))
}
