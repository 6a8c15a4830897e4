//! IAM: checks each call against its caller's policies in the template.
//!
//! A call needs one or more permissions, each for an action on a resource ([`needs`]). The call is refused if a statement
//! denies one of them, or if no statement allows it. The caller gets AWS's refusal, and the log has a statement that would
//! allow the call.
//!
//! The stack does not start with a policy that this code cannot read ([`read`]). Resource policies, permission boundaries
//! and session policies are ignored, because the template has none.

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
