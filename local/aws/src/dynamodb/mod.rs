//! DynamoDB: the tables, the engine under them, and what a call consumes.

mod engine;
mod metering;
mod tables;

pub(crate) use tables::{Tables, arn_of};
