//! Access to AWS: the shared HTTP and TLS stack, settings, secrets, and cached keys.

mod callback;
mod calls;
mod client;
mod connect;
mod failure;
mod key_cache;
mod secrets;
mod settings;
mod trust;
pub mod vault;

pub use self::callback::Callback;
pub(crate) use self::client::endpoint;
pub use self::client::{Aws, Retries};
pub use self::failure::{failure, is_denied};
pub use self::key_cache::{Cache, FRESH};
pub use self::secrets::KeyringReader;
pub use self::settings::{Carrier, Credentials, Endpoints, Settings};
