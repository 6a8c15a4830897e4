//! Trusted devices: browsers and clients on which a user signs in without the second factor for a while.
//!
//! The token is random, and the user's item has its digest only. The item also has the epoch of the user: signing out everywhere
//! and every change of factors raise it, so they end the trust in all devices (S96).

use data_encoding::BASE64URL_NOPAD;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::words::{Entropy, ExpiresAt, Result, Timestamp, random_id};

/// The trusted devices of one user. Another one takes the place of the oldest.
pub const MOST_DEVICES: usize = 10;

/// The token of a trusted device.
#[derive(Clone, Debug)]
pub struct TrustToken(SecretString);

/// A trusted device, as the user's item has it.
#[derive(Clone, Debug)]
pub struct TrustedDevice {
    /// The digest of its token, which is its id.
    pub id: String,
    /// The device in a few words.
    pub words: String,
    /// When the user decided to trust it.
    pub created: Timestamp,
    /// When the trust ends.
    pub end: ExpiresAt,
    /// The user's epoch at that time.
    pub epoch: u32,
    /// Wrong codes of its own since the last right one.
    pub failures: u32,
}

/// A device that the user wants to trust.
#[derive(Clone, Debug)]
pub struct NewDevice {
    /// Its token, for the client.
    pub token: TrustToken,
    /// The device in a few words.
    pub words: String,
    /// When the trust ends.
    pub end: ExpiresAt,
}

const VERSION: &str = "v1.";

impl TrustToken {
    /// A new random token.
    ///
    /// # Errors
    /// As [`Entropy::bytes`].
    pub fn draw(entropy: &Entropy) -> Result<TrustToken> {
        Ok(TrustToken(format!("{VERSION}{}", random_id(entropy)?).into()))
    }

    /// A token from a client, unchecked. `None` for text of another form.
    pub fn from_client(text: &str) -> Option<TrustToken> {
        let random = text.strip_prefix(VERSION)?;
        let is_token =
            random.len() == 22 && random.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        is_token.then(|| TrustToken(text.into()))
    }

    /// The token as text, for the client.
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }

    /// The id of its device, 22 characters. The token has 128 random bits, so a plain digest hides it.
    pub(crate) fn id(&self) -> String {
        let [id @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _]: [u8; 32] =
            Sha256::digest(self.reveal().as_bytes()).into();
        BASE64URL_NOPAD.encode(&id)
    }
}

impl TrustedDevice {
    /// Whether a user of this epoch trusts it.
    pub fn is_trusted(&self, epoch: u32, now: Timestamp) -> bool {
        self.epoch == epoch && !self.end.has_passed(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_random_and_its_digest_hides_it() {
        let [one, other] = [0, 1].map(|_| TrustToken::draw(&Entropy).unwrap());
        assert_ne!(one.id(), other.id());
        assert_eq!(TrustToken::from_client(one.reveal()).unwrap().id(), one.id());
        assert!(!one.reveal().contains(&one.id()) && !format!("{one:?}").contains(one.reveal()));
        for text in [
            "",
            "v1.",
            &one.reveal()[1..],
            &one.reveal()[..24],
            &format!("{}A", one.reveal()),
            "v1.AAAAAAAAAAAAAAAAAAAAA=",
        ] {
            assert!(TrustToken::from_client(text).is_none(), "{text}");
        }
    }

    #[test]
    fn trust_ends_with_its_time_and_its_epoch() {
        let end = ExpiresAt::at(Timestamp::from_unix(10));
        let created = Timestamp::from_unix(0);
        let device = TrustedDevice { id: String::new(), words: String::new(), created, end, epoch: 1, failures: 0 };
        let is_trusted = |epoch, now| device.is_trusted(epoch, Timestamp::from_unix(now));
        assert!(is_trusted(1, 9) && !is_trusted(1, 10) && !is_trusted(2, 9));
    }
}
