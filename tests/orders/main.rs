//! Parallel requests in every order, faults in every call, and the invariants of all of them.
//!
//! Each scenario is a separate test. It runs all of its orders, or 500 random ones from a printed seed. To run all orders of the
//! larger ones: `cargo test -p tests --test orders -- --ignored NAME`. To choose a seed: `ORDERS_SEED=…`.

mod every_fault;
mod every_order;
mod requests;
mod scenarios;
mod weaknesses;
