//! What a deployment costs: the units that the template and the sign-ins need, times the prices of `docs/prices.toml`.

mod prices;
mod stack;
mod table;

pub use self::prices::{Other, Prices};
pub use self::stack::{Line, Stack, custom_metrics};
pub use self::table::Table;
