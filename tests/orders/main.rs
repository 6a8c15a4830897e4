//! Every order of what may happen at once and every mishap on the way, and what holds in all of them.
//!
//! Each scenario is a test of its own, in all of its orders or in 500 that are drawn by a seed, which is printed. All orders of
//! the others: `cargo test -p tests --test orders -- --ignored NAME`. Another seed: `ORDERS_SEED=…`.

mod every_mishap;
mod every_order;
mod requests;
mod scenarios;
mod weaknesses;
