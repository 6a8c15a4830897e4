//! Latchkey on one machine, without an AWS account: the template's functions, tables, routes and mail in one process.
//!
//! [`Stack`] is all of it; the binary is a command line over it, and the tests start one each. It adds no behaviour:
//! what it does stands in `template.yaml`, in the functions, or is AWS's own ([`local_aws`]).

pub mod document;
pub mod inbox;

mod addresses;
mod assets;
mod carrier;
mod environment;
mod explain;
mod functions;
mod keyrings;
mod listen;
mod logs;
mod loopback;
mod options;
mod page;
mod plan;
mod reference;
mod routes;
mod settings;
mod stack;

pub use addresses::Addresses;
pub use explain::explain;
pub use functions::Kind;
pub use keyrings::STEPS;
pub use logs::OnLine;
pub use options::{OnCall, Options};
pub use routes::Routes;
pub use settings::Settings;
pub use stack::Stack;
