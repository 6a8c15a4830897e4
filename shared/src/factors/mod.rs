//! Second factors: the policy. These are pure rules.

mod policy;

pub use self::policy::{SecondFactorMode, SecondFactorPolicy};
