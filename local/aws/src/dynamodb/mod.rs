//! DynamoDB: the tables, the engine behind them, their streams, and the capacity of each call.

mod engine;
mod export;
mod metering;
mod stream;
mod tables;

pub(crate) use export::export;
pub(crate) use stream::Record;
pub(crate) use tables::{Tables, arn_of, stream_arn_of};
