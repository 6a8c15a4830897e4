//! Starts the template's functions, each with its own environment and identity.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::Arc;

use catalog::Visitor;
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

/// Starts the functions of `environments`. Request lines go to the log, all other lines to its subscriber. Calls to AWS go
/// through `carrier`, or over the network without one.
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

/// Refuses an override that no function reads. A misspelled name would otherwise be ignored silently.
pub(crate) fn check(overrides: &[(String, String)], environments: &Environments) -> Result<(), Failure> {
    let mut read = BTreeSet::new();
    for (_, binary, _) in environments.iter() {
        read.extend(Kind::of_binary(binary)?.variables());
    }
    let unread = overrides.iter().find(|(name, _)| !read.contains(name));
    unread.map_or(Ok(()), |(name, _)| {
        Err(Failure::new(format!("--env {name}: no function reads a variable with this name. Check the spelling.")))
    })
}

/// The operations on a function, found by the name of its binary.
pub struct Kind {
    /// Reads the function's settings and returns them as text, for comparison.
    pub read: fn(&mut Reader<'_>) -> String,
    start: fn(&Variables, Option<&Carrier>, Clock, Log) -> Starting,
}

type Starting = Pin<Box<dyn Future<Output = Result<Handler, Failure>> + Send>>;

impl Kind {
    /// Looks up a binary.
    ///
    /// # Errors
    /// The binary is unknown.
    pub fn of_binary(binary: &str) -> Result<Kind, Failure> {
        let mut search = Search { binary, found: None };
        catalog::visit_all(&mut search);
        search.visit::<rotate_keys::RotateKeys>();
        search.found.ok_or_else(|| {
            Failure::new(format!("catalog/src/lib.rs does not know the binary {binary}. Add it to catalog::visit_all."))
        })
    }

    fn of<F: Function>() -> Kind {
        Kind { read: |read| format!("{:#?}", settings::<F>(read)), start: start::<F> }
    }

    /// The names of the variables that the function reads.
    pub fn variables(&self) -> BTreeSet<String> {
        let names = RefCell::new(BTreeSet::new());
        let lookup = |name: &str| {
            names.borrow_mut().insert(name.to_owned());
            None
        };
        // A missing variable is reported when the function starts.
        drop(config::read(lookup, self.read));
        names.into_inner()
    }
}

/// Looks for the function of a binary.
struct Search<'a> {
    binary: &'a str,
    found: Option<Kind>,
}

impl Visitor for Search<'_> {
    fn visit<F: Function>(&mut self) {
        if F::NAME == self.binary {
            self.found = Some(Kind::of::<F>());
        }
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
