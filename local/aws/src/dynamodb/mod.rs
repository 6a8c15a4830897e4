//! DynamoDB: the tables, the engine behind them, and the capacity of each call.

mod engine;
mod metering;
mod tables;

pub(crate) use tables::{Tables, arn_of};
