//! The account, the region, and new ids.

use shared::words::Entropy;

/// The region that everything is in.
pub const REGION: &str = "us-east-1";
/// The account that everything belongs to.
pub const ACCOUNT: &str = "000000000000";

/// A new id of 36 characters, in the shape of a UUID.
pub fn new_id() -> String {
    // Without a system generator nothing else would work either; ids may then repeat.
    let hex = data_encoding::HEXLOWER.encode(&Entropy.bytes::<16>().unwrap_or_default());
    let parts = [hex.get(0..8), hex.get(8..12), hex.get(12..16), hex.get(16..20), hex.get(20..32)];
    parts.map(Option::unwrap_or_default).join("-")
}
