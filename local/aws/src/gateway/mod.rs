//! API Gateway's HTTP API in process: routes, events, CORS and the gateway's own answers.

mod answer;
mod api;
mod cors;
mod event;
mod host;
mod routes;
mod settings;

pub use self::answer::of_gateway;
pub use self::api::{Api, LONGEST_BODY};
pub use self::event::aws_address;
pub use self::routes::route_for;
pub use self::settings::GatewaySettings;
