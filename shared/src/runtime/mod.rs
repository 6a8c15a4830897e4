//! What runs on Lambda.

pub mod lambda;
pub mod task;
