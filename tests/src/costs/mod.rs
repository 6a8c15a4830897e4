//! The cost of a deployment: the units that the template and the sign-ins need, times the prices of `docs/prices.toml`.

mod login;
mod prices;
mod stack;
mod stream;
mod table;

pub use self::login::{Costs, Login};
pub use self::prices::{Other, Prices};
pub use self::stack::{Stack, custom_metrics};
pub use self::stream::Followed;
pub use self::table::Table;
