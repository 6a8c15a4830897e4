//! The Rust that the build makes of the files.

use super::filled::filled;

include!(concat!(env!("OUT_DIR"), "/texts.rs"));
