//! The functions of the template, each started from its own environment and identity.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::Arc;

use lambda_http::{Context, LambdaEvent};
use local_aws::Failure;
use local_aws::lambda::{Functions, Handler};
use shared::aws::Carrier;
use shared::config::{self, Reader};
use shared::observe::log::Log;
use shared::runtime::{Function, Served, settings};
use shared::words::Clock;
use tracing::Dispatch;
use tracing::instrument::WithSubscriber;

use crate::environment::{Environments, Variables};

/// Starts the functions of `environments`. They write the lines of requests to the log and all others to its subscriber.
/// `carrier` carries their calls, or else the network.
pub(crate) async fn start_all(
    environments: &Environments,
    clock: &Clock,
    (log, events): (&Log, &Dispatch),
    carrier: Option<&Carrier>,
) -> Result<Functions, Failure> {
    let mut handlers = BTreeMap::new();
    for (name, binary, variables) in environments.iter() {
        let starting = (Kind::of_binary(binary)?.start)(variables, carrier, clock.clone(), log.clone());
        let started = starting.with_subscriber(events.clone()).await;
        let handler = started.map_err(|failure| Failure::new(format!("{name} does not start: {failure}")))?;
        handlers.insert(name.to_owned(), handler);
    }
    Ok(Functions::new(handlers, events.clone()))
}

/// Refuses an override that no function reads: a misspelt name would change nothing, and nobody would know.
pub(crate) fn check(overrides: &[(String, String)], environments: &Environments) -> Result<(), Failure> {
    let mut read = BTreeSet::new();
    for (_, binary, _) in environments.iter() {
        read.extend(Kind::of_binary(binary)?.variables());
    }
    let unread = overrides.iter().find(|(name, _)| !read.contains(name));
    unread.map_or(Ok(()), |(name, _)| {
        Err(Failure::new(format!("--env {name}: no function reads a variable of this name")))
    })
}

/// What can be done with a function by its binary's name.
pub struct Kind {
    /// Reads its settings, and writes them out to be compared.
    pub read: fn(&mut Reader<'_>) -> String,
    start: fn(&Variables, Option<&Carrier>, Clock, Log) -> Starting,
}

type Starting = Pin<Box<dyn Future<Output = Result<Handler, Failure>> + Send>>;

impl Kind {
    /// The one place that knows every function by its type.
    ///
    /// # Errors
    /// When there is no such binary.
    pub fn of_binary(binary: &str) -> Result<Kind, Failure> {
        Ok(match binary {
            "request-otp" => Kind::of::<request_otp::RequestOtp>(),
            "verify-otp" => Kind::of::<verify_otp::VerifyOtp>(),
            "refresh" => Kind::of::<refresh::Refresh>(),
            "logout" => Kind::of::<logout::Logout>(),
            "sessions" => Kind::of::<sessions::Sessions>(),
            "profile" => Kind::of::<profile::Profile>(),
            "jwks" => Kind::of::<jwks::Jwks>(),
            "fallback" => Kind::of::<fallback::Fallback>(),
            "rotate-keys" => Kind::of::<rotate_keys::RotateKeys>(),
            other => return Err(Failure::new(format!("local/src/functions.rs does not know the binary {other}"))),
        })
    }

    fn of<F: Function>() -> Kind {
        Kind { read: |read| format!("{:#?}", settings::<F>(read)), start: start::<F> }
    }

    /// The names of the variables that it reads.
    pub fn variables(&self) -> BTreeSet<String> {
        let names = RefCell::new(BTreeSet::new());
        let lookup = |name: &str| {
            names.borrow_mut().insert(name.to_owned());
            None
        };
        // What is missing is said when a function starts.
        drop(config::read(lookup, self.read));
        names.into_inner()
    }
}

fn start<F: Function>(variables: &Variables, carrier: Option<&Carrier>, clock: Clock, log: Log) -> Starting {
    let read = config::read(|name| variables.get(name).cloned(), settings::<F>);
    let carrier = carrier.cloned();
    Box::pin(async move {
        let mut settings = read.map_err(Failure::new)?;
        settings.common.aws.carrier = carrier;
        let served = Served::<F>::start(settings, clock, log).await;
        let served = Arc::new(served.map_err(|error| Failure::new(format!("{error:?}")))?);
        let handler: Handler = Arc::new(move |event: String| {
            let served = served.clone();
            Box::pin(async move {
                let payload = serde_json::from_str(&event).map_err(Failure::new)?;
                let answer = served.invoke(LambdaEvent::new(payload, Context::default())).await;
                serde_json::to_value(answer.map_err(Failure::new)?).map_err(Failure::new)
            })
        });
        Ok(handler)
    })
}
