//! What each function may do: its policies in the template, held against each of its requests, as AWS does.
//!
//! A request needs one or more permissions, each an action on a resource ([`needs`]). What a statement denies is
//! refused; of the rest, what no statement allows. The refusal is AWS's, and the log has the statement that is missing.
//!
//! A policy that is not understood keeps the stack from starting ([`read`]). Policies of resources, boundaries and
//! session policies are not looked at: the template has none.

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
