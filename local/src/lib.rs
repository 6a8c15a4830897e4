//! Latchkey on one machine, without an AWS account. One process runs the template's functions, tables, routes and mail.
//!
//! [`Stack`] runs everything. The binary is a command line for it, and each test starts its own stack. This crate adds no
//! behaviour of its own. Everything comes from `template.yaml`, from the functions, or from the stand-in for AWS
//! ([`local_aws`]).

pub mod document;
pub mod inbox;
pub mod report;

mod addresses;
mod assets;
mod carrier;
mod environment;
mod events;
mod explain;
mod export;
mod functions;
mod keyrings;
mod listen;
mod logs;
mod loopback;
mod options;
mod page;
mod plan;
mod reconcile;
mod reference;
mod routes;
mod settings;
mod stack;

pub use addresses::Addresses;
pub use explain::explain;
pub use functions::Kind;
pub use inbox::Message;
pub use keyrings::STEPS;
pub use logs::OnLine;
pub use options::{OnCall, Options};
pub use reconcile::reconcile;
pub use routes::Routes;
pub use settings::Settings;
pub use stack::Stack;
