//! The account, the region, and new ids.

use shared::words::Entropy;
use uuid::Builder;

/// The region that everything is in.
pub const REGION: &str = "us-east-1";
/// The account that everything belongs to.
pub const ACCOUNT: &str = "000000000000";

/// A new UUID.
pub fn new_id() -> String {
    // Without a system generator nothing else would work either; ids may then repeat.
    Builder::from_random_bytes(Entropy.bytes().unwrap_or_default()).into_uuid().to_string()
}
