//! A digest of settings, which shows whether any of them has changed.

use data_encoding::HEXLOWER;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// 128 bits of SHA-256, in 32 hexadecimal digits. The order of keys in the JSON does not matter.
pub fn digest(settings: &Value) -> String {
    let hash = Sha256::digest(canonical(settings).to_string());
    HEXLOWER.encode(&hash).chars().take(32).collect()
}

/// The same JSON with sorted keys, however serde_json keeps them.
fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(name, _)| *name);
            entries.into_iter().map(|(name, value)| (name.clone(), canonical(value))).collect()
        }
        Value::Array(items) => items.iter().map(canonical).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_content_changes_a_digest() {
        let first = digest(&json!({ "A": "1", "B": { "C": "2", "D": ["3", "4"] } }));
        assert_eq!(first, digest(&json!({ "B": { "D": ["3", "4"], "C": "2" }, "A": "1" })));
        assert_eq!(first.len(), 32);
        for other in [
            json!({ "A": "2", "B": { "C": "2", "D": ["3", "4"] } }),
            json!({ "A": "1", "B": { "C": "2", "D": ["4", "3"] } }),
            json!({ "A": "1", "B": { "C": "2", "D": ["3", "4"] }, "E": "" }),
        ] {
            assert_ne!(digest(&other), first, "{other}");
        }
    }
}
