//! Requests and answers on the wire: AWS's JSON protocols, the REST of SES, and the forms of SNS.
//!
//! It is the lowest folder: everything that answers calls uses it, and it uses nothing of them.

mod answer;
mod call;
mod query;
mod refusal;
mod service;

pub(crate) use answer::{response, unread};
pub use call::INSTANCE;
pub(crate) use call::{Call, Target};
pub(crate) use refusal::Refusal;
pub use service::Service;
