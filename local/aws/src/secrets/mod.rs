//! Secrets Manager.

mod manager;
mod versions;

pub(crate) use self::manager::Secrets;
