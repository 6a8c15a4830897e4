//! Services outside AWS: Twilio and SendGrid. They take messages, and call webhooks with what became of them.

mod accounts;
mod messages;
mod sendgrid;
mod service;
mod twilio;

pub use accounts::Accounts;
pub(crate) use messages::OutsideDelivered;
pub use messages::{Chat, OutsideMessage, Way};
pub(crate) use service::{Outcome, Outside, target};
