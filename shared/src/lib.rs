//! The code that Latchkey's functions share, by subject. A folder may use the folders above it in this list; a test checks the
//! order.
//!
//! Numbers such as S09 and V31 in comments are rules and attacks in `docs/security.md`.

pub mod texts;

pub mod words;

pub mod config;

pub mod observe;

pub mod keys;

pub mod codes;

pub mod people;

pub mod factors;

pub mod sessions;

pub mod history;

pub mod aws;

pub mod store;

pub mod admission;

pub mod messages;

pub mod http;

pub mod runtime;
