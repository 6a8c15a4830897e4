//! `$default`: whatever no other function answers.
//!
//! 1. A known path with a final slash that the gateway did not match: the same request without it.
//! 2. A known path under another method: which ones there are.
//! 3. Anything else: nothing here.
//!
//! It calls nothing and has no permission.

use shared::config::Config;
use shared::http::{Function, Reply, Request, look};
use shared::words::{Clock, Error, Result};

/// What this function may touch: nothing.
pub struct Fallback;

/// Every route of the API. A test holds them against the template.
pub const ROUTES: [(&str, &str); 10] = [
    ("POST", "/api/auth/otp/request"),
    ("POST", "/api/auth/otp/verify"),
    ("POST", "/api/auth/token/refresh"),
    ("POST", "/api/auth/logout"),
    ("GET", "/api/auth/sessions"),
    ("DELETE", "/api/auth/sessions"),
    ("DELETE", "/api/auth/sessions/{id}"),
    ("GET", "/api/profile"),
    ("GET", "/.well-known/jwks.json"),
    ("GET", "/.well-known/openid-configuration"),
];

impl Function for Fallback {
    const NAME: &'static str = "fallback";
    const ROUTES: &'static [(&'static str, &'static str)] = &[];

    async fn compose(_: Config, _: Clock) -> Result<Fallback> {
        Ok(Fallback)
    }

    async fn handle(&self, request: Request) -> Result<Reply> {
        look(&ROUTES, &request)?;
        if request.has_final_slash { Reply::permanent_redirect(&request.path) } else { Err(Error::NotFound) }
    }
}
