//! A stand-in for AWS on one machine. README.md lists what it imitates and its limits.

pub mod calls;
pub mod events;
pub mod faults;
pub mod gate;
pub mod gateway;
pub mod lambda;
pub mod logs;
pub mod mapping;
pub mod rounds;
pub mod template;

mod account;
mod clock;
mod cloudwatch;
mod dynamodb;
mod failure;
mod ids;
mod lock;
mod models;
mod outside;
mod policy;
mod secrets;
mod services;
mod ses;
mod sms_voice;
mod sns;
mod sqs;
mod uploads;
mod violations;
mod wire;

pub use account::{Account, DEPLOYER};
pub use calls::{CallRecord, Calls, Capacity};
pub use clock::StackClock;
pub use failure::Failure;
pub use faults::Faults;
pub use gate::Gate;
pub use ids::{ACCOUNT, REGION, new_id};
pub use outside::{Accounts, Chat, OutsideMessage, Way};
pub use policy::Permissions;
pub use rounds::Rounds;
pub use services::{ConnectionReset, Delivered, Services};
pub use ses::{Mail, MailEvent, Sending};
pub use sms_voice::PhoneCall;
pub use sns::{Sms, SmsType};
pub use violations::{Part, Violation, Violations};
pub use wire::{INSTANCE, Service};
