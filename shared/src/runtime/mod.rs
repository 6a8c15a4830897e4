//! What runs on Lambda: a function, what invokes it, and the settings that every function has.

mod function;
mod json;
pub mod lambda;
mod request;
mod settings;

pub use self::function::{Event, Function, Served, settings};
pub use self::settings::{Common, Settings};
