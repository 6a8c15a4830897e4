//! The functions of the template, each started from its own environment and identity.

use std::collections::BTreeMap;
use std::sync::Arc;

use lambda_http::{Context, LambdaEvent};
use local_aws::Failure;
use local_aws::lambda::{Functions, Handler};
use shared::aws::Carrier;
use shared::config::Config;
use shared::http::{Function, Served};
use shared::runtime::{Ready, Task};
use shared::words::Clock;
use tracing::Dispatch;
use tracing::instrument::WithSubscriber;

use crate::environment::Environments;

/// Starts those that are in `environments`, each from its own. `carrier` carries their calls, or else the network.
pub(crate) async fn start_all(
    environments: &Environments,
    clock: &Clock,
    log: Dispatch,
    carrier: Option<&Carrier>,
) -> Result<Functions, Failure> {
    let mut handlers = BTreeMap::new();
    for (name, binary) in environments.functions() {
        let mut config = environments.config(name)?;
        config.aws.carrier = carrier.cloned();
        // On the heap, or all that the functions wait for is too deep for the compiler to name.
        let starting = Box::pin(start(binary, config, clock.clone())).with_subscriber(log.clone());
        let handler = starting.await.map_err(|failure| Failure::new(format!("{name} does not start: {failure}")))?;
        handlers.insert(name.to_owned(), handler);
    }
    Ok(Functions::new(handlers, log))
}

/// The one place that knows every function by its type.
async fn start(binary: &str, config: Config, clock: Clock) -> Result<Handler, Failure> {
    match binary {
        "request-otp" => handler::<request_otp::RequestOtp>(config, clock).await,
        "verify-otp" => handler::<verify_otp::VerifyOtp>(config, clock).await,
        "refresh" => handler::<refresh::Refresh>(config, clock).await,
        "logout" => handler::<logout::Logout>(config, clock).await,
        "sessions" => handler::<sessions::Sessions>(config, clock).await,
        "profile" => handler::<profile::Profile>(config, clock).await,
        "jwks" => handler::<jwks::Jwks>(config, clock).await,
        "fallback" => handler::<fallback::Fallback>(config, clock).await,
        "rotate-keys" => task::<rotate_keys::RotateKeys>(config, clock).await,
        other => Err(Failure::new(format!("local/src/functions.rs does not know the binary {other}"))),
    }
}

async fn handler<F: Function>(config: Config, clock: Clock) -> Result<Handler, Failure> {
    let served = Arc::new(Served::<F>::start(config, clock).await.map_err(|error| Failure::new(format!("{error:?}")))?);
    Ok(Arc::new(move |event: String| {
        let served = served.clone();
        Box::pin(async move {
            let request = serde_json::from_str(&event).map_err(Failure::new)?;
            let answer = served.invoke(LambdaEvent::new(request, Context::default())).await;
            serde_json::to_value(answer).map_err(Failure::new)
        })
    }))
}

async fn task<T: Task>(config: Config, clock: Clock) -> Result<Handler, Failure> {
    let ready = Arc::new(Ready::<T>::start(config, clock).await.map_err(|error| Failure::new(format!("{error:?}")))?);
    Ok(Arc::new(move |event: String| {
        let ready = ready.clone();
        Box::pin(async move {
            let event = serde_json::from_str(&event).map_err(Failure::new)?;
            ready.answer("", event).await.map_err(Failure::new)
        })
    }))
}
