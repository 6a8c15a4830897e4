//! The `$default` route: requests to paths or methods without a function of their own.
//!
//! 1. Answer a preflight (OPTIONS) by 204. API Gateway adds the CORS headers.
//! 2. Redirect a known path with a final slash to the same path without it.
//! 3. Answer a known path with another method by 405, with the allowed methods.
//! 4. Answer any other path by 404.
//!
//! This function works without calls to AWS and without permissions.

use shared::aws;
use shared::config::Reader;
use shared::http::{Reply, Request, look};
use shared::runtime::Function;
use shared::words::{Clock, Error, Result};

/// The function, without any resources.
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
        // `$default` matches OPTIONS too, and browsers accept only a success.
        if request.method() == "OPTIONS" {
            return Ok(Reply::no_content());
        }
        look(&request)?;
        if request.has_final_slash { Reply::permanent_redirect(&request.path) } else { Err(Error::NotFound) }
    }
}
