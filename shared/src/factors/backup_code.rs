//! Backup codes: for users without their app. The table has keyed digests only.

use data_encoding::{BASE64URL_NOPAD, Encoding, Specification};
use secrecy::zeroize::Zeroizing;

use crate::words::{Entropy, Error, MacKey, Result, Scope, Tenant, UserId, joined, masked};

/// How many codes a user gets at once (S95).
pub const BACKUP_CODES: usize = 8;

/// The characters of a code: 120 bits. NIST SP 800-63B asks for a slow hash below 112 bits only.
const LENGTH: usize = 24;
/// The bytes of a code.
const BYTES: usize = 15;
/// Codes are shown in groups of this many characters.
const GROUP: usize = 6;

/// Crockford's alphabet: no character looks like another one.
const ALPHABET: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A backup code, in its plain spelling.
#[derive(Clone)]
pub struct BackupCode(Zeroizing<String>);

masked!(BackupCode);

/// New backup codes, and their digests.
pub struct BackupCodes {
    codes: Vec<BackupCode>,
    /// The id of the key of the digests.
    pub(crate) key_id: String,
    /// The digests.
    pub(crate) digests: Vec<String>,
}

fn crockford() -> Result<Encoding> {
    let mut specification = Specification::new();
    specification.symbols.push_str(ALPHABET);
    specification.encoding().map_err(|_| Error::internal("the alphabet of backup codes is invalid"))
}

impl BackupCode {
    fn draw(entropy: &Entropy) -> Result<BackupCode> {
        Ok(BackupCode(crockford()?.encode(&entropy.bytes::<BYTES>()?).into()))
    }

    /// Reads typed text. Spaces, dashes and invisible marks are ignored, letters may be lower case, and the letters `I`, `L` and `O`
    /// stand for the digits that they look like.
    pub fn read(typed: &str) -> Option<BackupCode> {
        let text: String = joined(typed)
            .map(|char| match char.to_ascii_uppercase() {
                'I' | 'L' => '1',
                'O' => '0',
                other => other,
            })
            .take(LENGTH + 1)
            .collect();
        (text.len() == LENGTH && text.chars().all(|char| ALPHABET.contains(char))).then(|| BackupCode(text.into()))
    }

    /// The code in groups, for its user.
    pub fn reveal(&self) -> String {
        let groups = self.0.as_bytes().chunks(GROUP).map(String::from_utf8_lossy);
        groups.collect::<Vec<_>>().join("-")
    }

    /// The digest, 22 characters. Without the key, nobody can tell which user or code it belongs to.
    pub(crate) fn digest(&self, key: &MacKey, tenant: &Tenant, user: &UserId) -> String {
        let fields = [user.to_string(), (*self.0).clone()];
        let fields = [fields[0].as_bytes(), fields[1].as_bytes()];
        let digest = key.digest("backup-code", Scope::Tenant(tenant), &fields);
        BASE64URL_NOPAD.encode(&digest[..16])
    }
}

impl BackupCodes {
    /// The codes in groups, for their user.
    pub fn reveal(&self) -> Vec<String> {
        self.codes.iter().map(BackupCode::reveal).collect()
    }

    /// New codes of `user`, with digests under the key with this id.
    ///
    /// # Errors
    /// As [`Entropy::bytes`].
    pub fn draw(
        (key_id, key): (&str, &MacKey),
        tenant: &Tenant,
        user: &UserId,
        entropy: &Entropy,
    ) -> Result<BackupCodes> {
        let codes = (0..BACKUP_CODES).map(|_| BackupCode::draw(entropy)).collect::<Result<Vec<_>>>()?;
        let digests = codes.iter().map(|code| code.digest(key, tenant, user)).collect();
        Ok(BackupCodes { codes, key_id: key_id.to_owned(), digests })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_it_was_shown() {
        let code = BackupCode::draw(&Entropy).unwrap();
        assert_eq!(code.0.len(), LENGTH);
        let shown = code.reveal();
        assert_eq!(shown.len(), LENGTH + 3);
        for typed in [shown.clone(), shown.to_lowercase(), shown.replace('-', " "), shown.replace('1', "l")] {
            assert_eq!(*BackupCode::read(&typed).unwrap().0, *code.0, "{typed}");
        }
        for typed in ["", "123456", &shown[1..], &format!("{shown}0"), &shown.replacen(&shown[..1], "U", 1)] {
            assert!(BackupCode::read(typed).is_none(), "{typed}");
        }
    }

    /// S95: digests depend on key, tenant and user.
    #[test]
    fn a_digest_belongs_to_one_user() {
        let now = crate::words::Timestamp::from_unix(0);
        let (ada, bob) = (UserId::draw(&Entropy, now).unwrap(), UserId::draw(&Entropy, now).unwrap());
        let (key, other) = (MacKey::new([1; 32]), MacKey::new([2; 32]));
        let tenants = [Tenant::default(), Tenant::named("acme")];
        let code = BackupCode::draw(&Entropy).unwrap();
        let digest = code.digest(&key, &tenants[0], &ada);
        assert_eq!(digest.len(), 22);
        assert_eq!(code.digest(&key, &tenants[0], &ada), digest);
        for another in [
            code.digest(&key, &tenants[0], &bob),
            code.digest(&other, &tenants[0], &ada),
            code.digest(&key, &tenants[1], &ada),
            BackupCode::draw(&Entropy).unwrap().digest(&key, &tenants[0], &ada),
        ] {
            assert_ne!(another, digest);
        }
    }
}
