//! Access to AWS and to services outside it: the shared HTTP and TLS stack, settings, secrets, and cached keys.

mod bus;
mod callback;
mod calls;
mod client;
mod connect;
mod failure;
mod feedback;
mod key_cache;
mod outside;
mod pools;
mod queue;
mod secrets;
mod settings;
mod trust;
pub mod vault;

pub use self::bus::Bus;
pub use self::callback::Callback;
pub(crate) use self::client::endpoint;
pub use self::client::{Aws, Retries};
pub use self::failure::{failure, is_denied};
pub use self::feedback::Feedback;
pub use self::key_cache::{Cache, FRESH};
pub(crate) use self::outside::{Outside, Told};
pub(crate) use self::pools::is_broken;
pub use self::queue::Queue;
pub use self::secrets::{KeyringReader, Secrets, Warm};
pub use self::settings::{Carrier, Credentials, Endpoints, Settings};
