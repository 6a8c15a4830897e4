//! Every order: parallel requests whose calls of AWS are carried out one at a time, in each order that can make a difference.
//!
//! Functions run in instances of their own, on one thread, over a carrier without a socket, while tokio's clock stands. So
//! when nothing can run any more, the clock moves on by itself: that is how [`steering::settled`] knows that every handler has
//! ended or waits at the gate. Nothing here sleeps, and nothing depends on how fast a machine is.
//!
//! A [`Scene`] is what happens at once; [`play()`] carries it out in one order and looks for broken [`invariants`];
//! [`explore()`] finds the orders.

pub mod deed;
mod draw;
pub mod explore;
pub mod invariants;
pub mod mishap;
pub mod play;
pub mod scene;
pub mod steering;
pub mod step;
pub mod world;

pub use self::deed::{Deed, PAGE};
pub use self::explore::{Search, explore, sample};
pub use self::mishap::{Fate, MISHAPS, What};
pub use self::play::{Played, play};
pub use self::scene::{Actor, Prepare, Scenario, Scene};
pub use self::steering::{Director, Weakness};
pub use self::world::World;
