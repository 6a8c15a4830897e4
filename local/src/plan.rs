//! The parts of an API, from which any number of instances can start.

use local_aws::gateway::Api;
use local_aws::lambda::Functions;
use local_aws::template::{Cors, Route};
use local_aws::{Failure, StackClock};
use shared::observe::log::Log;
use tracing::Dispatch;

use crate::carrier::Direct;
use crate::environment::Environments;
use crate::functions;

pub(crate) struct Plan {
    pub(crate) routes: Vec<Route>,
    pub(crate) cors: Option<Cors>,
    pub(crate) functions: Environments,
    pub(crate) clock: StackClock,
    pub(crate) log: Log,
    pub(crate) events: Dispatch,
    /// Where calls go without a socket.
    pub(crate) direct: Option<Direct>,
}

impl Plan {
    /// The API, over instances of its functions that have just started, and that the services know by that name.
    pub(crate) async fn start(&self, name: &'static str) -> Result<Api, Failure> {
        let functions = self.functions(&self.functions, name).await?;
        Ok(Api::new(self.routes.clone(), self.cors.clone(), functions, self.clock.clone()))
    }

    /// Instances of these functions, by that name.
    pub(crate) async fn functions(&self, of: &Environments, name: &'static str) -> Result<Functions, Failure> {
        let carrier = self.direct.as_ref().map(|direct| direct.carrier_of(name));
        functions::start_all(of, &self.clock.handle(), (&self.log, &self.events), carrier.as_ref()).await
    }
}
