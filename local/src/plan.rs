//! What an API is started from, as often as there are to be instances of it.

use shared::aws::Carrier;
use tracing::Dispatch;

use crate::api::Api;
use crate::clock::StackClock;
use crate::environment::Environments;
use crate::failure::Failure;
use crate::functions::Functions;
use crate::template::{Cors, Route};

/// What the API is made of.
pub(crate) struct Plan {
    pub(crate) routes: Vec<Route>,
    pub(crate) cors: Option<Cors>,
    pub(crate) functions: Environments,
    pub(crate) clock: StackClock,
    pub(crate) log: Dispatch,
    pub(crate) carrier: Option<Carrier>,
}

impl Plan {
    /// The API, over instances of its functions that have just started.
    pub(crate) async fn start(&self) -> Result<Api, Failure> {
        let functions = self.functions(&self.functions).await?;
        Ok(Api::new(self.routes.clone(), self.cors.clone(), functions, self.clock.clone()))
    }

    /// Instances of these functions.
    pub(crate) async fn functions(&self, of: &Environments) -> Result<Functions, Failure> {
        Functions::start(of, &self.clock.handle(), self.log.clone(), self.carrier.as_ref()).await
    }
}
