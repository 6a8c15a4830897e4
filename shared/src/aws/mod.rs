//! The way to AWS: one HTTP and TLS stack for all clients, credentials, endpoints, timeouts.

mod callback;
mod calls;
mod connect;
mod key_cache;
mod secrets;
mod trust;
pub mod vault;

pub use self::callback::Callback;
pub use self::key_cache::{Cache, FRESH};
pub use self::secrets::Keyring;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorSettings, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::http::{Request, Response};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use tokio::time::timeout;

use crate::observe::report::{self, Step};
use crate::words::{Error, Result};

/// What a function is told about AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The region of every service.
    pub region: String,
    /// The function's own identity.
    pub credentials: Credentials,
    /// Where services are, if not at AWS.
    pub endpoints: Endpoints,
    /// The longest that one attempt of a call may take.
    pub attempt_timeout: Duration,
    /// The longest that a call may take with all its attempts.
    pub operation_timeout: Duration,
    /// A file of other roots than AWS's own.
    pub ca_bundle: Option<String>,
    /// What carries the calls, where that is not the network.
    pub carrier: Option<Carrier>,
}

/// Carries calls to somebody in this process, who answers them.
#[derive(Clone, Debug)]
pub struct Carrier(Arc<SharedHttpConnector>);

impl Carrier {
    /// Over this connector.
    pub fn new(connector: impl HttpConnector + 'static) -> Carrier {
        Carrier(Arc::new(SharedHttpConnector::new(connector)))
    }
}

/// The very same one.
impl PartialEq for Carrier {
    fn eq(&self, other: &Carrier) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Carrier {}

/// Other places than AWS, one for each service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// DynamoDB.
    pub dynamodb: Option<String>,
    /// Secrets Manager.
    pub secrets: Option<String>,
    /// SES.
    pub ses: Option<String>,
    /// SNS.
    pub sns: Option<String>,
}

/// The key pair that Lambda puts into a function's environment.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    key_id: String,
    secret: String,
    session: Option<String>,
}

impl Credentials {
    /// These credentials.
    pub fn new(key_id: String, secret: String, session: Option<String>) -> Credentials {
        Credentials { key_id, secret, session }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

/// Configurations of clients, all over one pool of connections.
#[derive(Clone, Debug)]
pub struct Aws {
    settings: Settings,
    connector: SharedHttpConnector,
}

/// Whether a client repeats calls by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retries {
    /// As the SDK sees fit: for calls that are conditional, or counts that err to the safe side.
    Sdk,
    /// Never: for sends, which only their caller knows to be safe to repeat.
    Never,
}

impl Aws {
    /// The stack.
    ///
    /// # Errors
    /// [`Error::Internal`] when the roots that the settings name cannot be read.
    pub fn new(settings: &Settings) -> Result<Aws> {
        let connector = match &settings.carrier {
            Some(Carrier(connector)) => connector.as_ref().clone(),
            None => network(settings)?,
        };
        Ok(Aws { settings: settings.clone(), connector })
    }

    /// What it was told.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Sends a request that is none of a client's.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when there is no answer.
    pub async fn send(&self, request: Request) -> Result<Response> {
        self.connector.call(request).await.map_err(Error::unavailable)
    }

    /// Opens that many connections to the service at `endpoint`, for the calls of the first request to find them open.
    ///
    /// Where that fails the first request opens its own, so it is no more than a word in the log.
    pub async fn connect(&self, endpoint: Result<String>, connections: usize) {
        let opening = async { connect::open(&self.connector, &endpoint?, connections).await };
        let opened = timeout(self.settings.attempt_timeout, opening).await;
        if let Err(error) = opened.unwrap_or_else(|late| Err(Error::unavailable(late))) {
            tracing::warn!(cause = error.cause(), "a connection could not be opened at start");
        }
    }

    /// The configuration of a client for the service at `endpoint`.
    pub fn client(&self, endpoint: impl Fn(&Endpoints) -> &Option<String>, retries: Retries) -> SdkConfig {
        let Settings { region, credentials, endpoints, attempt_timeout, operation_timeout, .. } = &self.settings;
        let Credentials { key_id, secret, session } = credentials.clone();
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(*attempt_timeout)
            .operation_attempt_timeout(*attempt_timeout)
            .operation_timeout(*operation_timeout);
        let retries = match retries {
            Retries::Sdk => RetryConfig::standard(),
            Retries::Never => RetryConfig::disabled(),
        };
        // One connector whoever asks: by default each client's own timeouts would choose one, with a pool of its own.
        let connector = calls::watched(self.connector.clone());
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.clone()))
            .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(
                aws_credential_types::Credentials::new(key_id, secret, session, None, "environment"),
            ))
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .timeout_config(timeouts.build())
            .retry_config(retries);
        config.set_endpoint_url(endpoint(endpoints).clone());
        config.build()
    }
}

/// HTTP and TLS over the network.
fn network(settings: &Settings) -> Result<SharedHttpConnector> {
    let connector = Connector::builder()
        .connector_settings(HttpConnectorSettings::builder().connect_timeout(settings.attempt_timeout).build())
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .tls_context(trust::roots(settings.ca_bundle.as_deref())?);
    Ok(SharedHttpConnector::new(connector.build()))
}

/// What a failed call means for the caller of our API: out of reach now, or a fault of ours.
///
/// `code` is the service's word for the error, where it answered at all.
pub fn failure<E>(error: SdkError<E, Response>, code: Option<&str>) -> Error
where
    E: std::error::Error + Send + Sync + 'static,
{
    if let Some(throttle) = code.filter(|code| THROTTLES.contains(code)) {
        report::note(Step::Throttled { error: throttle.to_owned() });
    }
    let is_passing = match &error {
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => true,
        SdkError::ServiceError(answer) => {
            let passes = |code| PASSING.contains(&code) || THROTTLES.contains(&code);
            answer.raw().status().is_server_error() || code.is_some_and(passes)
        }
        _ => false,
    };
    if is_passing { Error::unavailable(error) } else { Error::internal(error) }
}

/// Refusals of what is more than a service, or a table's own limit, takes at a time.
const THROTTLES: [&str; 6] = [
    "ThrottlingException",
    "Throttling",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "LimitExceededException",
];

/// Refusals that pass by themselves, beside these and every 5xx.
const PASSING: [&str; 3] =
    ["TransactionConflictException", "TransactionInProgressException", "ReplicatedWriteConflictException"];
