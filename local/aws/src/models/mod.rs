//! AWS's own models of its services, and the check of calls and answers against them.
//!
//! `tools/aws_models.py` generates `models.json` from botocore, with the operations of the stand-in. This folder uses no
//! other module of the stand-in.

mod answer;
mod check;
mod form;
mod model;
mod problem;
mod request;
mod shape;

pub(crate) use model::{Model, Models};
pub(crate) use problem::Problem;
pub(crate) use request::Unreadable;

#[cfg(test)]
mod tests;
