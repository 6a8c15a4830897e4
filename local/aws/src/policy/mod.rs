//! IAM: each call is checked against the policies of its caller in the template.
//!
//! A call needs one or more permissions, each an action on a resource ([`needs`]). It is refused if a statement denies one
//! of them, or if no statement allows it. The caller reads AWS's refusal, and the log has the statement that is missing.
//!
//! A policy that this code does not understand keeps the stack from starting ([`read`]). Resource policies, boundaries and
//! session policies are ignored: the template has none.

mod actions;
mod advice;
mod condition;
mod items;
mod need;
mod needs;
mod pattern;
mod permissions;
mod read;
mod statement;

pub(crate) use self::needs::Resources;
pub use self::permissions::Permissions;

#[cfg(test)]
mod tests;
