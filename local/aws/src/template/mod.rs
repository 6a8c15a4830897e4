//! `template.yaml` as CloudFormation and SAM read it: evaluated with a profile, checked, and converted to data.

mod constraints;
mod custom;
mod evaluate;
mod mapping;
mod model;
mod names;
mod parts;
mod profile;
mod source;
mod yaml;

pub use self::custom::{CustomResource, unanswered, waits_for};
pub use self::mapping::{EventDestination, Mapping, Rule, Subscription, Target};
pub use self::model::{Cors, DEFAULT_ROUTE, Function, Route, Schedule, Table, Template};
pub use self::names::STACK;
pub(crate) use self::names::expression_of;
pub use self::source::find_root;
pub use self::yaml::scalar;
