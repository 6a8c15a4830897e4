//! Refresh tokens: `v1.key.user.session.generation.mac1.mac2`, opaque to clients.
//!
//! Two MACs of 128 bits, so that neither a leaked table nor a leaked key issues anything by itself: `mac1` needs the
//! key and refuses forgeries before any read; `mac2` needs the session's own seed too, which only the table holds (S33).

use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use subtle::ConstantTimeEq;

use crate::keys::TokenKeys;
use crate::words::{Error, MacKey, Result, Scope, SessionId, Tenant, Timestamp, UserId, masked};

const VERSION: &str = "v1";
/// Longer than any that we make; longer ones are not looked at.
const LONGEST: usize = 256;

/// What a refresh token says, and what its MACs cover.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The key that both MACs are made with.
    pub key_id: String,
    /// Whose session it is.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    /// Which in the session's chain of tokens this is; the first is 1.
    pub generation: u32,
}

/// A session's own secret: 128 random bits that lie in its item only.
#[derive(Clone)]
pub struct Seed(pub [u8; 16]);

masked!(Seed);

/// Whom the tokens are for: the tenant, and the client that they were issued to (S39).
#[derive(Clone, Copy, Debug)]
pub struct Audience<'a> {
    /// Whose user.
    pub tenant: &'a Tenant,
    /// The client id.
    pub client: &'a str,
}

type ShortMac = [u8; 16];

/// A refresh token as presented: readable, and not yet believed.
#[derive(Clone)]
pub struct RefreshToken {
    grant: Grant,
    outer: ShortMac,
    inner: ShortMac,
}

impl RefreshToken {
    /// The token for `grant`: the same bytes for the same grant, key, seed and audience.
    pub fn issue(grant: Grant, key: &MacKey, seed: &Seed, audience: Audience<'_>) -> RefreshToken {
        let outer = mac(&grant, key, None, audience);
        let inner = mac(&grant, key, Some(seed), audience);
        RefreshToken { grant, outer, inner }
    }

    /// Which key it names.
    pub fn key_id(&self) -> &str {
        &self.grant.key_id
    }

    /// What it says and the key that it was made with, if that is one of `keys`: no read is needed to refuse others.
    pub fn check(&self, keys: &TokenKeys, audience: Audience<'_>, now: Timestamp) -> Option<(&Grant, MacKey)> {
        let key = keys.refresh.find(self.key_id(), now)?.key.mac();
        Some((self.authenticate(&key, audience)?, key))
    }

    /// The grant, if `mac1` shows that it was made with `key` for `audience`.
    pub fn authenticate(&self, key: &MacKey, audience: Audience<'_>) -> Option<&Grant> {
        bool::from(mac(&self.grant, key, None, audience).ct_eq(&self.outer)).then_some(&self.grant)
    }

    /// Whether `mac2` shows that it belongs to the session that has `seed`.
    pub fn belongs_to(&self, key: &MacKey, seed: &Seed, audience: Audience<'_>) -> bool {
        mac(&self.grant, key, Some(seed), audience).ct_eq(&self.inner).into()
    }

    /// The token, for the answer to its owner.
    pub fn reveal(&self) -> String {
        let Grant { key_id, user, session, generation } = &self.grant;
        let outer = BASE64URL_NOPAD.encode(&self.outer);
        let inner = BASE64URL_NOPAD.encode(&self.inner);
        format!("{VERSION}.{key_id}.{user}.{}.{generation}.{outer}.{inner}", session.as_str())
    }
}

fn mac(grant: &Grant, key: &MacKey, seed: Option<&Seed>, audience: Audience<'_>) -> ShortMac {
    let Grant { key_id, user, session, generation } = grant;
    let (purpose, seed) = match seed {
        None => ("refresh-1", [].as_slice()),
        Some(Seed(seed)) => ("refresh-2", seed.as_slice()),
    };
    let digest = key.digest(
        purpose,
        Scope::Tenant(audience.tenant),
        &[
            audience.client.as_bytes(),
            key_id.as_bytes(),
            user.to_string().as_bytes(),
            session.as_str().as_bytes(),
            &generation.to_be_bytes(),
            seed,
        ],
    );
    let mut short = [0; 16];
    short.copy_from_slice(&digest[..16]);
    short
}

impl FromStr for RefreshToken {
    type Err = Error;

    fn from_str(text: &str) -> Result<RefreshToken> {
        read(text).ok_or(Error::InvalidToken)
    }
}

fn read(text: &str) -> Option<RefreshToken> {
    if text.len() > LONGEST {
        return None;
    }
    let mut parts = text.split('.');
    let mut part = || parts.next();
    if part()? != VERSION {
        return None;
    }
    let grant = Grant {
        key_id: part()?.to_owned(),
        user: part()?.parse().ok()?,
        session: part()?.parse().ok()?,
        generation: part()?.parse().ok()?,
    };
    let token = RefreshToken { grant, outer: read_mac(part()?)?, inner: read_mac(part()?)? };
    // One spelling only: `+1` and `01` are numbers too, and a last part may be missing or one too many.
    (token.reveal() == text).then_some(token)
}

fn read_mac(text: &str) -> Option<ShortMac> {
    BASE64URL_NOPAD.decode(text.as_bytes()).ok()?.try_into().ok()
}

masked!(RefreshToken);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::{Entropy, Timestamp};

    fn issued() -> (RefreshToken, MacKey, Seed, Tenant) {
        let grant = Grant {
            key_id: "r1".to_owned(),
            user: UserId::draw(&Entropy, Timestamp::from_unix(1_767_225_600)).unwrap(),
            session: SessionId::draw(&Entropy).unwrap(),
            generation: 1,
        };
        let (key, seed, tenant) = (MacKey::new([1; 32]), Seed([2; 16]), Tenant::default());
        let token = RefreshToken::issue(grant, &key, &seed, Audience { tenant: &tenant, client: "latchkey" });
        (token, key, seed, tenant)
    }

    #[test]
    fn a_token_reads_back_and_authenticates() {
        let (token, key, seed, tenant) = issued();
        let audience = Audience { tenant: &tenant, client: "latchkey" };
        let read: RefreshToken = token.reveal().parse().unwrap();
        assert_eq!((read.key_id(), read.authenticate(&key, audience)), ("r1", Some(&token.grant)));
        assert!(read.belongs_to(&key, &seed, audience));
    }

    /// Browsers hold tokens, and must stay signed in. The MACs are computed elsewhere, from the construction that
    /// [`MacKey::digest`] describes.
    #[test]
    fn a_token_never_changes() {
        let text = "v1.r1.019b76da-a800-7000-8000-000000000000.AAAAAAAAAAAAAAAAAAAAAA.1.vYPOXTQIEmhJtvxumz3fuQ.3Ai4QfRn_nO93Lqm8SIpww";
        let (_, key, seed, tenant) = issued();
        let token: RefreshToken = text.parse().unwrap();
        let audience = Audience { tenant: &tenant, client: "latchkey" };
        assert!(token.authenticate(&key, audience).is_some() && token.belongs_to(&key, &seed, audience));
        assert_eq!(RefreshToken::issue(token.grant, &key, &seed, audience).reveal(), text);
    }

    /// S33, S39: no part of it can be changed, and it serves one key, one seed, one client.
    #[test]
    fn a_changed_token_is_refused() {
        let (token, key, seed, tenant) = issued();
        let audience = Audience { tenant: &tenant, client: "latchkey" };
        let text = token.reveal();
        for (at, _) in text.char_indices() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'1' { b'2' } else { b'1' };
            let changed = String::from_utf8(changed).unwrap();
            let accepted = changed.parse::<RefreshToken>().is_ok_and(|token| {
                token.authenticate(&key, audience).is_some() && token.belongs_to(&key, &seed, audience)
            });
            assert!(!accepted, "{changed}");
        }
        assert!(token.authenticate(&MacKey::new([3; 32]), audience).is_none());
        assert!(token.authenticate(&key, Audience { tenant: &tenant, client: "other" }).is_none());
        assert!(!token.belongs_to(&key, &Seed([3; 16]), audience));
    }

    #[test]
    fn only_one_spelling_is_read() {
        let text = issued().0.reveal();
        let (zero, plus) = (text.replace(".1.", ".01."), text.replace(".1.", ".+1."));
        for other in [
            "",
            "v1",
            "v1......",
            &format!("{text}."),
            &format!("{text}.x"),
            &format!(" {text}"),
            &zero,
            &plus,
            &"a.".repeat(200),
        ] {
            assert!(other.parse::<RefreshToken>().is_err(), "{other}");
        }
    }

    #[test]
    fn a_longer_text_than_any_token_is_not_looked_at() {
        let (token, key, seed, tenant) = issued();
        let of_length = |length: usize| {
            let others = token.reveal().len() - token.grant.key_id.len();
            let grant = Grant { key_id: "r".repeat(length - others), ..token.grant.clone() };
            RefreshToken::issue(grant, &key, &seed, Audience { tenant: &tenant, client: "latchkey" }).reveal()
        };
        assert!(of_length(256).parse::<RefreshToken>().is_ok());
        for length in [257, 300] {
            assert!(of_length(length).parse::<RefreshToken>().is_err(), "{length}");
        }
    }

    #[test]
    fn debug_never_prints_it() {
        let (token, _, seed, _) = issued();
        assert_eq!(format!("{token:?} {seed:?}"), "RefreshToken(…) Seed(…)");
    }
}
