//! `$default`: whatever no other function answers.
//!
//! 1. A known path with a final slash that the gateway did not match: the same request without it.
//! 2. A known path under another method: which ones there are.
//! 3. Anything else: nothing here.
//!
//! It calls nothing and has no permission.

use shared::aws;
use shared::config::Reader;
use shared::http::{Reply, Request, look};
use shared::runtime::Function;
use shared::words::{Clock, Error, Result};

/// What this function may touch: nothing.
pub struct Fallback;

impl Function for Fallback {
    const NAME: &'static str = "fallback";

    type Settings = ();
    type Event = Request;

    fn settings(_: &mut Reader<'_>) {}

    async fn compose((): (), _: &aws::Settings, _: Clock) -> Result<Fallback> {
        Ok(Fallback)
    }

    async fn handle(&self, request: Request) -> Result<Reply> {
        look(&request)?;
        if request.has_final_slash { Reply::permanent_redirect(&request.path) } else { Err(Error::NotFound) }
    }
}
