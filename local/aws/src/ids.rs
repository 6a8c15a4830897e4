//! The account, the region and new ids.

use shared::words::Entropy;
use uuid::Builder;

/// The region of all resources.
pub const REGION: &str = "us-east-1";
/// The account of all resources.
pub const ACCOUNT: &str = "000000000000";

/// A new UUID.
pub fn new_id() -> String {
    // Without a random generator everything else fails too, so repeated ids are acceptable.
    Builder::from_random_bytes(Entropy.bytes().unwrap_or_default()).into_uuid().to_string()
}
