//! Refresh tokens: `v1.key.user.session.generation.mac1.mac2`, opaque to clients.
//!
//! Each token has two MACs of 128 bits. `mac1` needs only the key, so a forged token is refused before any read.
//! `mac2` also needs the session's seed, which is stored only in the table. A leaked table or a leaked key alone is
//! therefore not enough to make tokens (S33).

use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use subtle::ConstantTimeEq;

use crate::keys::RefreshKeys;
use crate::words::{Error, MacKey, Result, RetryKey, Scope, SessionId, Tenant, Timestamp, UserId, masked};

const VERSION: &str = "v1";
/// The maximum length in bytes, more than any valid token has. Longer text is refused at once.
const LONGEST: usize = 256;

/// The contents of a refresh token. Both MACs cover them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The id of the key for both MACs.
    pub key_id: String,
    /// The user's id.
    pub user: UserId,
    /// The session's id.
    pub session: SessionId,
    /// The position in the session's chain of tokens, starting with 1.
    pub generation: u32,
}

/// A session's secret: 128 random bits, stored only in its item.
#[derive(Clone)]
pub struct Seed(pub [u8; 16]);

masked!(Seed);

/// The audience of a token: the tenant and the client that it was issued to (S39).
#[derive(Clone, Copy, Debug)]
pub struct Audience<'a> {
    /// The user's tenant.
    pub tenant: &'a Tenant,
    /// The client id.
    pub client: &'a str,
}

type ShortMac = [u8; 16];

/// A refresh token from a client. It is parsed but not yet authenticated.
#[derive(Clone)]
pub struct RefreshToken {
    grant: Grant,
    outer: ShortMac,
    inner: ShortMac,
}

impl RefreshToken {
    /// The token for `grant`. The same arguments always give the same bytes.
    pub fn issue(grant: Grant, key: &MacKey, seed: &Seed, audience: Audience<'_>) -> RefreshToken {
        let outer = mac(&grant, key, None, audience);
        let inner = mac(&grant, key, Some(seed), audience);
        RefreshToken { grant, outer, inner }
    }

    /// The id of the key in the token.
    pub fn key_id(&self) -> &str {
        &self.grant.key_id
    }

    /// The token's contents and key, if one of `keys` made `mac1`. Forgeries are refused without a read.
    pub fn check(&self, keys: &RefreshKeys, audience: Audience<'_>, now: Timestamp) -> Option<(&Grant, MacKey)> {
        let key = keys.refresh.find(self.key_id(), now)?.key.mac();
        Some((self.authenticate(&key, audience)?, key))
    }

    /// The contents, if `mac1` is valid for `key` and `audience`.
    pub fn authenticate(&self, key: &MacKey, audience: Audience<'_>) -> Option<&Grant> {
        bool::from(mac(&self.grant, key, None, audience).ct_eq(&self.outer)).then_some(&self.grant)
    }

    /// Whether `mac2` is valid for the session with this `seed`.
    pub fn belongs_to(&self, key: &MacKey, seed: &Seed, audience: Audience<'_>) -> bool {
        mac(&self.grant, key, Some(seed), audience).ct_eq(&self.inner).into()
    }

    /// The digest of the retry key that came with this token, 22 characters. It is a MAC under the token's own key and covers the
    /// token's generation. So a leaked table confirms no guess of a badly drawn key, and a key that a client uses for two tokens
    /// leaves two digests.
    pub fn retry_digest(&self, key: &MacKey, retry: &RetryKey, audience: Audience<'_>) -> String {
        let Grant { session, generation, .. } = &self.grant;
        let fields = [session.as_str().as_bytes(), &generation.to_be_bytes(), retry.reveal().as_bytes()];
        let digest = key.digest("retry", Scope::Tenant(audience.tenant), &fields);
        BASE64URL_NOPAD.encode(&digest[..16])
    }

    /// The token as text, for the user's client.
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
    // Accept only one spelling. Otherwise `+1` and `01` would be numbers too, and parts could be missing or left over.
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

    /// Tokens in browsers must stay valid. The expected MACs were computed with an independent implementation of
    /// [`MacKey::digest`].
    #[test]
    fn a_token_never_changes() {
        let text = "v1.r1.019b76da-a800-7000-8000-000000000000.AAAAAAAAAAAAAAAAAAAAAA.1.vYPOXTQIEmhJtvxumz3fuQ.3Ai4QfRn_nO93Lqm8SIpww";
        let (_, key, seed, tenant) = issued();
        let token: RefreshToken = text.parse().unwrap();
        let audience = Audience { tenant: &tenant, client: "latchkey" };
        assert!(token.authenticate(&key, audience).is_some() && token.belongs_to(&key, &seed, audience));
        assert_eq!(RefreshToken::issue(token.grant, &key, &seed, audience).reveal(), text);
    }

    /// S33, S39: every changed part is detected, and a token is valid for one key, one seed and one client only.
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
    fn a_retry_key_has_a_digest_for_each_token() {
        let (token, key, seed, tenant) = issued();
        let audience = Audience { tenant: &tenant, client: "latchkey" };
        let next = RefreshToken::issue(Grant { generation: 2, ..token.grant.clone() }, &key, &seed, audience);
        let [one, other] = ["a", "b"].map(|letter| letter.repeat(22).parse::<RetryKey>().unwrap());
        let digest = token.retry_digest(&key, &one, audience);
        assert_eq!((digest.len(), &digest), (22, &token.retry_digest(&key, &one, audience)));
        for different in [
            token.retry_digest(&key, &other, audience),
            next.retry_digest(&key, &one, audience),
            token.retry_digest(&MacKey::new([3; 32]), &one, audience),
        ] {
            assert_ne!(digest, different);
        }
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
