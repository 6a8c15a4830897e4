//! Runs parallel requests in every order. Their calls to AWS run one at a time, in each order that can make a difference.
//!
//! Each request has its own instances of the functions, on one thread, over a transport without a socket. Tokio's clock is
//! paused, so it advances only when nothing else can run. That tells [`steering::settled`] that every handler has ended or waits
//! at the gate. The tests neither sleep nor depend on the speed of a machine.
//!
//! A [`Scene`] is a set of parallel actions. [`play()`] runs it in one order and checks the [`invariants`]. [`explore()`] finds
//! the orders.

pub mod action;
mod draw;
pub mod explore;
pub mod fault;
pub mod invariants;
pub mod play;
pub mod scene;
pub mod steering;
pub mod step;
pub mod world;

pub use self::action::{Action, Factor, PAGE, RETRY};
pub use self::draw::Draw;
pub use self::explore::{Search, explore, sample};
pub use self::fault::{FAULTS, Fault, FaultPlan};
pub use self::play::{Played, play};
pub use self::scene::{Actor, Prepare, Scenario, Scene};
pub use self::steering::{Director, Weakness};
pub use self::world::World;
