//! Device tokens: a signed statement that a user signed in to an identifier with this client before. Browsers keep them in a
//! cookie, other clients in the body's `device`.
//!
//! The format is `v1.<end>.<mac>`. The MAC covers the identifier, the end and the identifier's epoch, so only Latchkey can make
//! the token and it is valid for one identifier, until its owner signs out everywhere. It does not reveal the identifier, and the
//! server keeps no list. It is not a credential. Its only effect is that the user's client gets a bucket of its own, out of
//! strangers' reach (V38).

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use subtle::ConstantTimeEq;

use crate::words::{ExpiresAt, Identifier, Index, Timestamp};

/// How long a browser stays known after the last sign-in.
pub const DEVICE_LIFE: Duration = Duration::from_secs(365 * 86_400);

const VERSION: &str = "v1";

/// The device token for a client that has just proved `identifier`.
pub fn device_token(identifier: &Identifier, index: &Index<'_>, epoch: u32, now: Timestamp) -> String {
    let end = now.after(DEVICE_LIFE).unix();
    format!("{VERSION}.{end}.{}", BASE64URL_NOPAD.encode(&index.device(identifier, end, epoch)))
}

/// Whether `value` is a valid device token for `identifier` at this `epoch`.
pub fn is_known_device(value: &str, identifier: &Identifier, index: &Index<'_>, epoch: u32, now: Timestamp) -> bool {
    known_device_since(value, identifier, index, epoch, now).is_some()
}

/// When a valid device token for `identifier` at this `epoch` was issued. `None` for other text.
pub fn known_device_since(
    value: &str,
    identifier: &Identifier,
    index: &Index<'_>,
    epoch: u32,
    now: Timestamp,
) -> Option<Timestamp> {
    let read = || {
        let (end, mac) = value.strip_prefix(VERSION)?.strip_prefix('.')?.split_once('.')?;
        Some((end.parse::<u64>().ok()?, BASE64URL_NOPAD.decode(mac.as_bytes()).ok()?))
    };
    let (end, mac) = read()?;
    let is_ours: bool = index.device(identifier, end, epoch).ct_eq(mac.as_slice()).into();
    let end = Timestamp::from_unix(end);
    (is_ours && !ExpiresAt::at(end).has_passed(now)).then(|| end.before(DEVICE_LIFE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::{MacKey, Tenant};

    #[test]
    fn a_device_token_serves_one_identifier_and_one_key_until_its_end() {
        let (tenant, now) = (Tenant::default(), Timestamp::from_unix(1_767_225_600));
        let (index, other) = (Index::new(MacKey::new([1; 32]), &tenant), Index::new(MacKey::new([2; 32]), &tenant));
        let ada: Identifier = "ada@example.com".parse().unwrap();
        let value = device_token(&ada, &index, 0, now);
        assert!(is_known_device(&value, &ada, &index, 0, now));
        assert!(is_known_device(&value, &ada, &index, 0, now.after(DEVICE_LIFE - Duration::from_secs(1))));

        assert!(!is_known_device(&value, &ada, &index, 1, now), "its owner signed out everywhere");
        assert!(!is_known_device(&value, &ada, &index, 0, now.after(DEVICE_LIFE)), "it has ended");
        assert!(!is_known_device(&value, &"bob@example.com".parse().unwrap(), &index, 0, now), "another's");
        assert!(!is_known_device(&value, &ada, &other, 0, now), "another deployment's");
        let longer = value.replacen(".1798761600.", ".1798761601.", 1);
        assert_ne!(longer, value);
        for forged in ["", "v1", "v1..", "v2.1798761600.AA", &longer, &value[..value.len() - 1], &format!("{value}A")] {
            assert!(!is_known_device(forged, &ada, &index, 0, now), "{forged}");
        }
        assert!(!value.contains("ada") && !value.contains(index.identifier(&ada).as_str()));
    }
}
