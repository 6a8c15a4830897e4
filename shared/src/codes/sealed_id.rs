//! Challenge ids: sealed, so that an id hides which kind of challenge it names (S142).
//!
//! An id is `nonce · AES-256-GCM(kind, lane, channel, key, network, time, refusals)`. Identifier, tenant and purpose are the additional
//! data. The key is derived from the index key for each day, so one key seals too few ids for two nonces to collide.

use data_encoding::BASE64URL_NOPAD;

use crate::codes::challenge::Kept;
use crate::codes::purpose::Purpose;
use crate::words::{ChallengeId, Channel, IdentifierDigest, Index, Lane, Result, SealingKey, Timestamp};

/// The content of a challenge id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChallengeRef {
    /// The map of its code. [`Kept::Long`] stands for every unused long code of the identifier.
    pub kept: Kept,
    /// The name of its entry in the identifier's item. The id of a long code has a name that matches no entry.
    pub key: String,
    /// The short digest of the network that asked for it.
    pub network: String,
    /// When its client last asked for a message, or the epoch after a send that was certainly refused.
    pub asked: Timestamp,
    /// Refused sends in a row.
    pub refusals: u8,
    /// The channel of its last message, if it was not the usual one of the identifier.
    pub other: Option<Channel>,
}

impl ChallengeRef {
    /// The lane and name of a challenge with a code of its own.
    pub fn own(&self) -> Option<(Lane, &str)> {
        match self.kept {
            Kept::Own(lane) => Some((lane, &self.key)),
            Kept::Long => None,
        }
    }
}

/// Seals and opens the ids of one identifier and purpose.
pub struct Seal<'a> {
    index: &'a Index<'a>,
    identifier: &'a IdentifierDigest,
    purpose: Purpose,
}

/// The length of a key in the identifier's item, and of a network's short digest: 48 bits in base64url.
const NAME: usize = 8;
/// Kind, key, network, time, refusals.
const PLAIN: usize = 1 + NAME + NAME + 8 + 1;
/// Twice: an id of yesterday is opened with yesterday's key.
const DAYS: [u64; 2] = [0, 1];

impl<'a> Seal<'a> {
    /// The seal for ids of `identifier` and `purpose`.
    pub fn new(index: &'a Index<'a>, identifier: &'a IdentifierDigest, purpose: Purpose) -> Seal<'a> {
        Seal { index, identifier, purpose }
    }

    /// A fresh id. Two ids of one challenge have nothing in common.
    ///
    /// # Errors
    /// As [`SealingKey::seal`].
    pub fn seal(&self, named: &ChallengeRef, now: Timestamp) -> Result<ChallengeId> {
        let mut plain = vec![byte(named)];
        plain.extend(named.key.as_bytes());
        plain.extend(named.network.as_bytes());
        plain.extend(named.asked.unix().to_be_bytes());
        plain.push(named.refusals);
        let sealed = self.key(now.day())?.seal(&plain, &self.additional())?;
        Ok(ChallengeId::from_client(BASE64URL_NOPAD.encode(&sealed)))
    }

    /// Opens an id. `None` for text that we did not seal for this identifier, tenant and purpose today or yesterday.
    pub fn open(&self, id: &ChallengeId, now: Timestamp) -> Option<ChallengeRef> {
        let sealed = BASE64URL_NOPAD.decode(id.reveal().as_bytes()).ok()?;
        DAYS.iter().find_map(|back| {
            let key = self.key(now.day().saturating_sub(*back)).ok()?;
            read(&key.open(&sealed, &self.additional())?)
        })
    }

    fn key(&self, day: u64) -> Result<SealingKey> {
        SealingKey::new(&self.index.challenge_key(day))
    }

    fn additional(&self) -> Vec<u8> {
        let fields = [self.identifier.tenant().as_str(), self.identifier.as_str(), self.purpose.bound()];
        // No field contains a line feed.
        fields.join("\n").into_bytes()
    }
}

/// The channel's place in the first byte.
const CHANNEL: u32 = 2;

fn byte(named: &ChallengeRef) -> u8 {
    let kept = match named.kept {
        Kept::Own(Lane::Open) => 0,
        Kept::Own(Lane::Known) => 1,
        Kept::Long => 2,
    };
    let other = match named.other {
        Some(Channel::Voice) => 1,
        Some(Channel::Whatsapp) => 2,
        None | Some(Channel::Email | Channel::Sms) => 0,
    };
    kept | other << CHANNEL
}

fn read(plain: &[u8]) -> Option<ChallengeRef> {
    let plain: &[u8; PLAIN] = plain.try_into().ok()?;
    let (kind, rest) = plain.split_first()?;
    let (key, rest) = rest.split_at_checked(NAME)?;
    let (network, rest) = rest.split_at_checked(NAME)?;
    let (asked, rest) = rest.split_first_chunk::<8>()?;
    let other = match kind >> CHANNEL {
        0 => None,
        1 => Some(Channel::Voice),
        2 => Some(Channel::Whatsapp),
        _ => return None,
    };
    let kept = match kind & 0b11 {
        0 => Kept::Own(Lane::Open),
        1 => Kept::Own(Lane::Known),
        2 => Kept::Long,
        _ => return None,
    };
    Some(ChallengeRef {
        kept,
        key: String::from_utf8(key.to_vec()).ok()?,
        network: String::from_utf8(network.to_vec()).ok()?,
        asked: Timestamp::from_unix(u64::from_be_bytes(*asked)),
        refusals: *rest.first()?,
        other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::{MacKey, Tenant};

    const NOON: u64 = 1_767_268_800;

    fn named(kept: Kept) -> ChallengeRef {
        let asked = Timestamp::from_unix(NOON);
        let (key, network) = ("AAAAAAAA".to_owned(), "BBBBBBBB".to_owned());
        ChallengeRef { kept, key, network, asked, refusals: 1, other: None }
    }

    fn with_seal<T>(key: u8, tenant: &Tenant, who: &str, work: impl FnOnce(&Seal<'_>) -> T) -> T {
        for_purpose(Purpose::SignIn, key, tenant, who, work)
    }

    fn for_purpose<T>(purpose: Purpose, key: u8, tenant: &Tenant, who: &str, work: impl FnOnce(&Seal<'_>) -> T) -> T {
        let index = Index::new(MacKey::new([key; 32]), tenant);
        let identifier = index.identifier(&who.parse().unwrap());
        work(&Seal::new(&index, &identifier, purpose))
    }

    /// S142: an id opens for its identifier, purpose, tenant and key only, and no two look alike.
    #[test]
    fn an_id_is_opened_by_its_own_seal_only() {
        let (tenant, now) = (Tenant::default(), Timestamp::from_unix(NOON));
        for kept in [Kept::Own(Lane::Open), Kept::Own(Lane::Known), Kept::Long] {
            let ids = with_seal(1, &tenant, "ada@example.com", |seal| {
                [seal.seal(&named(kept), now).unwrap(), seal.seal(&named(kept), now).unwrap()]
            });
            assert_ne!(ids[0].reveal(), ids[1].reveal());
            assert_eq!(ids[0].reveal().len(), 72);
            let open = |key, tenant: &Tenant, who: &str| with_seal(key, tenant, who, |seal| seal.open(&ids[0], now));
            assert_eq!(open(1, &tenant, "ada@example.com"), Some(named(kept)));
            assert_eq!(open(1, &tenant, "bob@example.com"), None);
            assert_eq!(open(2, &tenant, "ada@example.com"), None);
            assert_eq!(open(1, &Tenant::named("acme"), "ada@example.com"), None);
            for other in [Purpose::StepUp, Purpose::Contact] {
                let opened = for_purpose(other, 1, &tenant, "ada@example.com", |seal| seal.open(&ids[0], now));
                assert_eq!(opened, None, "{other:?}");
            }
        }
    }

    #[test]
    fn an_id_keeps_its_channel() {
        with_seal(1, &Tenant::default(), "+447400123456", |seal| {
            for other in [None, Some(Channel::Voice), Some(Channel::Whatsapp)] {
                for kept in [Kept::Own(Lane::Open), Kept::Own(Lane::Known), Kept::Long] {
                    let named = ChallengeRef { other, ..named(kept) };
                    let (now, sealed) = (named.asked, seal.seal(&named, named.asked).unwrap());
                    assert_eq!(seal.open(&sealed, now), Some(named));
                }
            }
        });
    }

    #[test]
    fn an_id_is_opened_until_the_next_day_ends() {
        let opened = |later: u64| {
            with_seal(1, &Tenant::default(), "ada@example.com", |seal| {
                let id = seal.seal(&named(Kept::Long), Timestamp::from_unix(NOON)).unwrap();
                seal.open(&id, Timestamp::from_unix(NOON + later)).is_some()
            })
        };
        assert!(opened(0) && opened(43_200) && opened(86_400 + 43_199));
        assert!(!opened(86_400 + 43_200));
    }

    #[test]
    fn text_that_we_did_not_seal_is_no_id() {
        with_seal(1, &Tenant::default(), "ada@example.com", |seal| {
            let now = Timestamp::from_unix(NOON);
            let id = seal.seal(&named(Kept::Long), now).unwrap();
            let text = id.reveal();
            let changed = format!("{}{}", if text.starts_with('A') { "B" } else { "A" }, &text[1..]);
            for text in
                ["", "A", "AAAAAAAAAAAAAAAAAAAAAA", &changed, &text[..71], &format!("{text}A"), &"A".repeat(9_000)]
            {
                assert_eq!(seal.open(&ChallengeId::from_client(text.to_owned()), now), None, "{text}");
            }
        });
    }
}
