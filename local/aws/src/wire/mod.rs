//! Requests and answers on the wire: AWS's JSON protocols, the REST of SES, and the forms of SNS.
//!
//! All modules that answer calls depend on this one. It depends only on the models.

mod answer;
mod call;
mod query;
mod refusal;
mod service;

pub(crate) use answer::{response, unread};
pub(crate) use call::{Call, Target};
pub use call::{INSTANCE, Origin};
pub(crate) use refusal::Refusal;
pub use service::Service;
