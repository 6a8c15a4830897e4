//! What runs on Lambda.

pub mod lambda;
mod task;

pub use self::task::{Ready, Task};
