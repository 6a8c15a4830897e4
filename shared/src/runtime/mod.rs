//! Runs functions: the function itself, its kinds of events, and the settings of all functions.

mod batch;
mod function;
mod json;
pub mod lambda;
mod request;
mod settings;

pub use self::batch::Batch;
pub use self::function::{Event, Function, Served, settings};
pub use self::lambda::Refusal;
pub use self::settings::{Common, Settings};
