//! The parts of an API. Any number of instances can start from one plan.

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
    /// The in-process route to the AWS services, if they are called without a socket.
    pub(crate) direct: Option<Direct>,
}

impl Plan {
    /// Starts new instances of the functions, known to the services as `name`, and returns an API in front of them.
    pub(crate) async fn start(&self, name: &'static str) -> Result<Api, Failure> {
        let functions = self.functions(&self.functions, name).await?;
        Ok(Api::new(self.routes.clone(), self.cors.clone(), functions, self.clock.clone()))
    }

    /// Starts new instances of these functions, known to the services as `name`.
    pub(crate) async fn functions(&self, of: &Environments, name: &'static str) -> Result<Functions, Failure> {
        let carrier = self.direct.as_ref().map(|direct| direct.carrier_of(name));
        functions::start_all(of, &self.clock.handle(), (&self.log, &self.events), carrier.as_ref()).await
    }
}
