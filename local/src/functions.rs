//! The functions of the template, running in this process.
//!
//! A function is given what it would be given in AWS: an event as JSON, an environment, and an identity; what it
//! answers is JSON again. A panic ends one invocation, as it does there.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

use lambda_http::{Context, LambdaEvent};
use serde_json::Value;
use shared::aws::Carrier;
use shared::config::Config;
use shared::http::{Function, Served};
use shared::runtime::{Ready, Task};
use shared::words::Clock;
use tracing::Dispatch;
use tracing::instrument::WithSubscriber;

use crate::environment::Environments;
use crate::failure::Failure;

/// Functions by the name of their resource.
pub(crate) struct Functions {
    handlers: BTreeMap<String, (String, Handler)>,
    log: Dispatch,
}

type Answer = Pin<Box<dyn Future<Output = Result<Value, Failure>> + Send>>;
/// Takes the event as its text: a request is read from nothing else.
type Handler = Arc<dyn Fn(String) -> Answer + Send + Sync>;

impl Functions {
    /// Starts those that are in `environments`, each from its own. `carrier` carries their calls, or else the network.
    pub(crate) async fn start(
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
            let handler =
                starting.await.map_err(|failure| Failure::new(format!("{name} does not start: {failure}")))?;
            handlers.insert(name.to_owned(), (binary.to_owned(), handler));
        }
        Ok(Functions { handlers, log })
    }

    /// The resource of the function with this binary.
    pub(crate) fn named_by(&self, binary: &str) -> Option<&str> {
        let mut all = self.handlers.iter();
        all.find_map(|(name, (its, _))| (its == binary).then_some(name.as_str()))
    }

    /// The answer of the function `name` to `event`; of one behind the API, both in payload format 2.0.
    pub(crate) async fn invoke(&self, name: &str, event: &Value) -> Result<Value, Failure> {
        let (_, handler) =
            self.handlers.get(name).ok_or_else(|| Failure::new(format!("there is no function {name}")))?;
        let handler = handler.clone();
        let event = event.to_string();
        let invocation = async move { handler(event).await };
        // A task of its own: it goes on when the caller hangs up, and a panic ends nothing else.
        let ended = tokio::spawn(invocation.with_subscriber(self.log.clone())).await;
        let answer = ended.unwrap_or_else(|panic| Err(Failure::new(panic)));
        if let Err(failure) = &answer {
            let log = || tracing::error!(function = name, cause = %failure, "the function did not answer");
            tracing::dispatcher::with_default(&self.log, log);
        }
        answer
    }
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::clock::StackClock;
    use crate::logs::Logs;

    #[tokio::test]
    async fn a_panic_ends_one_invocation_and_is_logged() {
        let logs = Logs::new(Arc::new(|_| {}));
        let panicking: Handler = Arc::new(|_| Box::pin(async { panic!("on purpose") }));
        let handlers = BTreeMap::from([("Worker".to_owned(), ("worker".to_owned(), panicking))]);
        let functions = Functions { handlers, log: logs.dispatch(StackClock::running()) };
        let http = json!({ "method": "GET" });
        let event = json!({ "version": "2.0", "requestContext": { "http": http } });
        for times in 1..=2 {
            assert!(functions.invoke("Worker", &event).await.is_err());
            assert_eq!(logs.lines().len(), times);
            assert!(logs.lines()[0].contains("on purpose"), "{:?}", logs.lines());
        }
        assert!(functions.invoke("Other", &json!({})).await.is_err());
    }
}
