//! Rotation: how a keyring goes on to new keys, and how it loses one.
//!
//! A new key stands in its ring before it is used, and the others stay until nothing that they made is valid any more.
//! So no step of a rotation is felt, however long after it a function reads the ring.

use std::time::Duration;

use crate::keys::algorithm::SigningAlgorithm;
use crate::keys::generate;
use crate::keys::keyring::{Bytes32, CodeKeys, Dated, LONGEST_CACHED, Ring, SigningKey, TokenKeys};
use crate::keys::public_keys::proven;
use crate::words::{Entropy, Result, Timestamp};

/// How long a signing key is published before it signs. API Gateway's authorizers go on for two hours with the keys that
/// they have read, and refuse what others signed; the third hour is for whoever reads them late.
pub(super) const PUBLISHED_BEFORE: Duration = Duration::from_secs(3 * 60 * 60);
/// How much earlier a key is active where no other is: a function's clock may be behind that of the one which made it.
/// Lambda's clocks differ by less than a second; a minute is for all others.
const CLOCKS_DIFFER: Duration = Duration::from_secs(60);
/// The longest that any code lives, whatever the settings were when it was sent. Its pepper stays as long.
pub const LONGEST_CODE: Duration = Duration::from_secs(600);

/// What the settings say about keys.
#[derive(Clone, Debug)]
pub struct KeyRules {
    /// What new signing keys are for.
    pub algorithm: SigningAlgorithm,
    /// The longest that an access token is accepted.
    pub token: Duration,
    /// The longest that a session lives.
    pub session: Duration,
}

/// Who makes keys: by these rules, and now.
#[derive(Clone, Debug)]
pub struct Maker {
    /// What the settings say.
    pub rules: KeyRules,
    /// Where keys come from.
    pub entropy: Entropy,
    /// The time.
    pub now: Timestamp,
}

/// A keyring that rotates.
pub trait Rotates: Sized {
    /// The first one of a deployment: its keys are used at once.
    ///
    /// # Errors
    /// When keys cannot be made; so do all below.
    fn first(maker: &Maker) -> Result<Self>;

    /// The one after this: each key that rotates has a successor.
    ///
    /// # Errors
    /// As [`Rotates::first`].
    fn rotated(&self, maker: &Maker) -> Result<Self>;

    /// This one with what it lacks by the rules: in each ring a key for now, and one without an end, which signs with the
    /// algorithm that is set. `None` where it lacks nothing.
    ///
    /// # Errors
    /// As [`Rotates::first`].
    fn with_missing_keys(&self, maker: &Maker) -> Result<Option<Self>>;

    /// This one without the key of that name. `None` where it has no such key.
    ///
    /// # Errors
    /// As [`Rotates::first`].
    fn without(&self, id: &str, maker: &Maker) -> Result<Option<Self>>;

    /// Whether it has a key of that name.
    fn holds(&self, id: &str) -> bool;

    /// The signing keys, where it has any.
    fn signing(&self) -> Option<&Ring<SigningKey>>;

    /// Makes sure that it can be used: each ring has an active key, and what each signing key signs its public half accepts.
    ///
    /// # Errors
    /// Names what is wrong.
    fn prove(&self, now: Timestamp) -> Result<()>;
}

impl Rotates for CodeKeys {
    fn first(maker: &Maker) -> Result<CodeKeys> {
        Ok(CodeKeys { index: generate::bytes(&maker.entropy)?, peppers: maker.bytes(&Ring::default(), LONGEST_CODE)? })
    }

    fn rotated(&self, maker: &Maker) -> Result<CodeKeys> {
        Ok(CodeKeys { index: self.index.clone(), peppers: maker.bytes(&self.peppers, LONGEST_CODE)? })
    }

    fn with_missing_keys(&self, maker: &Maker) -> Result<Option<CodeKeys>> {
        if maker.finds(&self.peppers, |_| true) { Ok(None) } else { self.rotated(maker).map(Some) }
    }

    fn without(&self, id: &str, maker: &Maker) -> Result<Option<CodeKeys>> {
        let Some(peppers) = ring_without(&self.peppers, id) else { return Ok(None) };
        let rest = CodeKeys { index: self.index.clone(), peppers };
        Ok(Some(rest.with_missing_keys(maker)?.unwrap_or(rest)))
    }

    fn holds(&self, id: &str) -> bool {
        self.peppers.has(id)
    }

    fn signing(&self) -> Option<&Ring<SigningKey>> {
        None
    }

    fn prove(&self, now: Timestamp) -> Result<()> {
        self.peppers.active(now).map(|_| ())
    }
}

impl Rotates for TokenKeys {
    fn first(maker: &Maker) -> Result<TokenKeys> {
        TokenKeys { signing: Ring::default(), refresh: Ring::default() }.rotated(maker)
    }

    fn rotated(&self, maker: &Maker) -> Result<TokenKeys> {
        let signing = maker.signing(&self.signing)?;
        Ok(TokenKeys { signing, refresh: maker.bytes(&self.refresh, maker.rules.session)? })
    }

    fn with_missing_keys(&self, maker: &Maker) -> Result<Option<TokenKeys>> {
        let signs_on = maker.finds(&self.signing, |key| key.algorithm == maker.rules.algorithm);
        let refreshes_on = maker.finds(&self.refresh, |_| true);
        if signs_on && refreshes_on {
            return Ok(None);
        }
        let mut keys = self.clone();
        if !signs_on {
            keys.signing = maker.signing(&self.signing)?;
        }
        if !refreshes_on {
            keys.refresh = maker.bytes(&self.refresh, maker.rules.session)?;
        }
        Ok(Some(keys))
    }

    fn without(&self, id: &str, maker: &Maker) -> Result<Option<TokenKeys>> {
        let mut rest = self.clone();
        if let Some(signing) = ring_without(&self.signing, id) {
            // At once, though nobody has its public half yet: what a leaked key lay beside is not worth waiting for.
            rest.signing = maker.signing_from(&signing, maker.start(&signing, Duration::ZERO))?;
        } else if let Some(refresh) = ring_without(&self.refresh, id) {
            rest.refresh = refresh;
        } else {
            return Ok(None);
        }
        Ok(Some(rest.with_missing_keys(maker)?.unwrap_or(rest)))
    }

    fn holds(&self, id: &str) -> bool {
        self.signing.has(id) || self.refresh.has(id)
    }

    fn signing(&self) -> Option<&Ring<SigningKey>> {
        Some(&self.signing)
    }

    fn prove(&self, now: Timestamp) -> Result<()> {
        self.refresh.active(now)?;
        self.signing.active(now)?;
        proven(&self.signing, now).map(|_| ())
    }
}

impl Maker {
    /// Whether the ring has a key to use now, and one that fits and has no end yet.
    fn finds<K>(&self, ring: &Ring<K>, fits: impl Fn(&K) -> bool) -> bool {
        ring.active(self.now).is_ok() && ring.all().iter().any(|key| key.retired_at.is_none() && fits(&key.key))
    }

    /// `ring` with a successor, which is used when every running function has read it; at once where no other key is.
    fn bytes(&self, ring: &Ring<Bytes32>, life: Duration) -> Result<Ring<Bytes32>> {
        let active = |at| Some(ring.active(at).ok()?.id.as_str());
        let next = generate::dated(generate::bytes(&self.entropy)?, self.start(ring, LONGEST_CACHED), &self.entropy)?;
        Ok(self.succeeded(ring, next, life, active))
    }

    /// `ring` with a successor, which signs when everybody has its public half; at once where no other key does.
    fn signing(&self, ring: &Ring<SigningKey>) -> Result<Ring<SigningKey>> {
        self.signing_from(ring, self.start(ring, PUBLISHED_BEFORE))
    }

    /// When a further key of `ring` is active: `later`, or where no other is, at once, also by a clock that is behind.
    fn start<K>(&self, ring: &Ring<K>, later: Duration) -> Timestamp {
        if ring.active(self.now).is_ok() { self.now.after(later) } else { self.now.before(CLOCKS_DIFFER) }
    }

    fn signing_from(&self, ring: &Ring<SigningKey>, start: Timestamp) -> Result<Ring<SigningKey>> {
        let key = generate::signing_key(self.rules.algorithm, &self.entropy)?;
        let next = generate::dated(key, start, &self.entropy)?;
        let active = |at| Some(ring.active_for(self.rules.algorithm, at).ok()?.id.as_str());
        Ok(self.succeeded(ring, next, self.rules.token, active))
    }

    /// The ring in which `next` takes over from all others: each stays for the `life` of what it makes until then, which
    /// a function does that reads the ring late. Retired keys are gone, and so are those that would have come after
    /// `next`: nothing is made with them yet.
    fn succeeded<'r, K: Clone>(
        &self,
        ring: &'r Ring<K>,
        next: Dated<K>,
        life: Duration,
        active: impl Fn(Timestamp) -> Option<&'r str>,
    ) -> Ring<K> {
        let start = Timestamp::from_unix(next.active_from);
        let end = start.max(self.now.after(LONGEST_CACHED)).after(life).unix();
        let turns = ring.live(self.now).map(|key| Timestamp::from_unix(key.active_from).max(self.now));
        let makers: Vec<&str> = turns.filter(|&turn| turn < start).filter_map(active).collect();
        let staying = ring.live(self.now).filter(|key| key.active_from <= next.active_from).map(|key| {
            let given = key.retired_at.unwrap_or(end);
            // Where the algorithm goes back and forth, a key with an end may be the one that makes things until `start`.
            let end = if makers.contains(&key.id.as_str()) { given.max(end) } else { given };
            Dated { retired_at: Some(end), ..key.clone() }
        });
        Ring::new(staying.chain([next.clone()]).collect())
    }
}

/// The ring without the key of that name, where it has one.
fn ring_without<K: Clone>(ring: &Ring<K>, id: &str) -> Option<Ring<K>> {
    ring.has(id).then(|| Ring::new(ring.all().iter().filter(|key| key.id != id).cloned().collect()))
}

#[cfg(test)]
mod tests;
