//! Rotation: adding new keys to a keyring and removing one.
//!
//! A new key joins its ring before its first use, and the old keys stay until everything made with them has expired.
//! So users never notice a rotation, even if a function reads the new ring late. The old keys of the vault always stay, because
//! people use an authenticator app for years.

use std::time::Duration;

use crate::keys::algorithm::{RsaBits, SigningAlgorithm};
use crate::keys::bytes::Bytes32;
use crate::keys::generate;
use crate::keys::keyring::{
    CodeKeys, Dated, IndexKeys, LONGEST_CACHED, RefreshKeys, Ring, SigningKey, SigningKeys, VaultKeys,
};
use crate::keys::public_keys::proven;
use crate::keys::root::RootKey;
use crate::words::{Entropy, Result, Timestamp};

/// How long a signing key is published before it signs. API Gateway's authorizers cache keys for two hours and refuse
/// tokens signed with newer ones. The third hour is for verifiers with slower caches.
pub(super) const PUBLISHED_BEFORE: Duration = Duration::from_secs(3 * 60 * 60);
/// How far a key is backdated if it is needed at once, because the clock of another function may be behind. Lambda's
/// clocks differ by less than a second; a minute covers others.
const CLOCKS_DIFFER: Duration = Duration::from_secs(60);
/// The longest validity of any code, under all settings. A pepper stays in the ring for this long.
pub const LONGEST_CODE: Duration = Duration::from_secs(600);

/// The settings about keys.
#[derive(Clone, Debug)]
pub struct KeyRules {
    /// The algorithm of new signing keys.
    pub algorithm: SigningAlgorithm,
    /// The length of new RSA keys.
    pub rsa_bits: RsaBits,
    /// How long an access token is accepted at most.
    pub token: Duration,
    /// How long a session lasts at most.
    pub session: Duration,
}

/// Makes keys by these rules at a given time.
#[derive(Clone, Debug)]
pub struct Maker {
    /// The rules from the settings.
    pub rules: KeyRules,
    /// The source of random keys.
    pub entropy: Entropy,
    /// The current time.
    pub now: Timestamp,
}

/// A keyring with support for rotation.
pub trait Rotates: Sized {
    /// The first keyring of a deployment. Its keys are used at once.
    ///
    /// # Errors
    /// If a key cannot be generated.
    fn first(maker: &Maker) -> Result<Self>;

    /// The keyring with a successor for each key that rotates.
    ///
    /// # Errors
    /// As [`Rotates::first`].
    fn rotated(&self, maker: &Maker) -> Result<Self>;

    /// The keyring with any missing keys added. Each ring needs an active key, and a key without an end date. A
    /// signing key without an end date must be for the configured algorithm. `None` if the ring is complete.
    ///
    /// # Errors
    /// As [`Rotates::first`].
    fn with_missing_keys(&self, maker: &Maker) -> Result<Option<Self>>;

    /// The keyring without the key with this id. `None` if the id is unknown.
    ///
    /// # Errors
    /// As [`Rotates::first`].
    fn without(&self, id: &str, maker: &Maker) -> Result<Option<Self>>;

    /// Whether it has a key with this id.
    fn holds(&self, id: &str) -> bool;

    /// The keyring, if it is the one with public keys.
    fn as_signing(&self) -> Option<&SigningKeys> {
        None
    }

    /// Checks that the keyring works: each ring has an active key, and each public half verifies its key's signatures.
    ///
    /// # Errors
    /// The first problem found.
    fn prove(&self, now: Timestamp) -> Result<()>;
}

impl IndexKeys {
    /// The first index key of a deployment.
    ///
    /// # Errors
    /// As [`Entropy::bytes`].
    pub fn first(entropy: &Entropy) -> Result<IndexKeys> {
        Ok(IndexKeys { index: generate::bytes(entropy)? })
    }
}

impl Rotates for CodeKeys {
    fn first(maker: &Maker) -> Result<CodeKeys> {
        Ok(CodeKeys::new(maker.bytes(&Ring::default(), LONGEST_CODE)?))
    }

    fn rotated(&self, maker: &Maker) -> Result<CodeKeys> {
        Ok(CodeKeys::new(maker.bytes(&self.peppers, LONGEST_CODE)?))
    }

    fn with_missing_keys(&self, maker: &Maker) -> Result<Option<CodeKeys>> {
        if maker.finds(&self.peppers, |_| true) { Ok(None) } else { self.rotated(maker).map(Some) }
    }

    fn without(&self, id: &str, maker: &Maker) -> Result<Option<CodeKeys>> {
        let Some(peppers) = ring_without(&self.peppers, id) else { return Ok(None) };
        let rest = CodeKeys::new(peppers);
        Ok(Some(rest.with_missing_keys(maker)?.unwrap_or(rest)))
    }

    fn holds(&self, id: &str) -> bool {
        self.peppers.has(id)
    }

    fn prove(&self, now: Timestamp) -> Result<()> {
        self.peppers.active(now).map(|_| ())
    }
}

impl RefreshKeys {
    /// The keyring after a restore of the users' table. It refuses every session that was opened before now.
    #[must_use]
    pub fn after_restore(&self, now: Timestamp) -> RefreshKeys {
        RefreshKeys { restored_at: self.restored_at.max(now.unix()), ..self.clone() }
    }

    fn with(&self, refresh: Ring<Bytes32>) -> RefreshKeys {
        RefreshKeys { refresh, restored_at: self.restored_at }
    }
}

impl Rotates for RefreshKeys {
    fn first(maker: &Maker) -> Result<RefreshKeys> {
        RefreshKeys { refresh: Ring::default(), restored_at: 0 }.rotated(maker)
    }

    fn rotated(&self, maker: &Maker) -> Result<RefreshKeys> {
        Ok(self.with(maker.bytes(&self.refresh, maker.rules.session)?))
    }

    fn with_missing_keys(&self, maker: &Maker) -> Result<Option<RefreshKeys>> {
        if maker.finds(&self.refresh, |_| true) { Ok(None) } else { self.rotated(maker).map(Some) }
    }

    fn without(&self, id: &str, maker: &Maker) -> Result<Option<RefreshKeys>> {
        let Some(refresh) = ring_without(&self.refresh, id) else { return Ok(None) };
        let rest = self.with(refresh);
        Ok(Some(rest.with_missing_keys(maker)?.unwrap_or(rest)))
    }

    fn holds(&self, id: &str) -> bool {
        self.refresh.has(id)
    }

    fn prove(&self, now: Timestamp) -> Result<()> {
        self.refresh.active(now).map(|_| ())
    }
}

impl SigningKeys {
    fn with(&self, signing: Ring<SigningKey>) -> SigningKeys {
        SigningKeys { signing, root: self.root.clone() }
    }
}

/// The root key stays in every rotation, because its public half changes only with a deployment.
impl Rotates for SigningKeys {
    fn first(maker: &Maker) -> Result<SigningKeys> {
        SigningKeys { signing: Ring::default(), root: RootKey::generate(&maker.entropy)? }.rotated(maker)
    }

    fn rotated(&self, maker: &Maker) -> Result<SigningKeys> {
        Ok(self.with(maker.signing(&self.signing)?))
    }

    fn with_missing_keys(&self, maker: &Maker) -> Result<Option<SigningKeys>> {
        let signs_on = maker.finds(&self.signing, |key| key.algorithm == maker.rules.algorithm);
        if signs_on { Ok(None) } else { self.rotated(maker).map(Some) }
    }

    fn without(&self, id: &str, maker: &Maker) -> Result<Option<SigningKeys>> {
        if id == self.root.id()? {
            return Ok(Some(SigningKeys { root: RootKey::generate(&maker.entropy)?, ..self.clone() }));
        }
        let Some(signing) = ring_without(&self.signing, id) else { return Ok(None) };
        // Use the new key at once, although verifiers do not have its public half yet. Keys stored beside a leaked key may
        // have leaked as well.
        let rest = self.with(maker.signing_from(&signing, maker.start(&signing, Duration::ZERO))?);
        Ok(Some(rest.with_missing_keys(maker)?.unwrap_or(rest)))
    }

    fn holds(&self, id: &str) -> bool {
        self.signing.has(id) || self.root.id().is_ok_and(|own| own == id)
    }

    fn as_signing(&self) -> Option<&SigningKeys> {
        Some(self)
    }

    fn prove(&self, now: Timestamp) -> Result<()> {
        self.root.public()?;
        self.signing.active(now)?;
        proven(&self.signing, now).map(|_| ())
    }
}

/// A rotation retires no key. Only a withdrawal removes one, and with it every secret that it encrypts.
impl Rotates for VaultKeys {
    fn first(maker: &Maker) -> Result<VaultKeys> {
        VaultKeys { vault: Ring::default() }.rotated(maker)
    }

    fn rotated(&self, maker: &Maker) -> Result<VaultKeys> {
        let keys = self.vault.all().iter().cloned();
        Ok(VaultKeys { vault: Ring::new(keys.chain([maker.next(&self.vault)?]).collect()) })
    }

    fn with_missing_keys(&self, maker: &Maker) -> Result<Option<VaultKeys>> {
        if maker.finds(&self.vault, |_| true) { Ok(None) } else { self.rotated(maker).map(Some) }
    }

    fn without(&self, id: &str, maker: &Maker) -> Result<Option<VaultKeys>> {
        let Some(vault) = ring_without(&self.vault, id) else { return Ok(None) };
        let rest = VaultKeys { vault };
        Ok(Some(rest.with_missing_keys(maker)?.unwrap_or(rest)))
    }

    fn holds(&self, id: &str) -> bool {
        self.vault.has(id)
    }

    fn prove(&self, now: Timestamp) -> Result<()> {
        self.vault.active(now).map(|_| ())
    }
}

impl Maker {
    /// Whether the ring has an active key, and a suitable one without an end date.
    fn finds<K>(&self, ring: &Ring<K>, fits: impl Fn(&K) -> bool) -> bool {
        ring.active(self.now).is_ok() && ring.all().iter().any(|key| key.retired_at.is_none() && fits(&key.key))
    }

    /// Adds a successor, for use once every running function has read it. If no other key is active, it is used at once.
    fn bytes(&self, ring: &Ring<Bytes32>, life: Duration) -> Result<Ring<Bytes32>> {
        let active = |at| Some(ring.active(at).ok()?.id.as_str());
        Ok(self.succeeded(ring, self.next(ring)?, life, active))
    }

    /// A successor, for use once every running function has read it. If no other key is active, it is used at once.
    fn next(&self, ring: &Ring<Bytes32>) -> Result<Dated<Bytes32>> {
        generate::dated(generate::bytes(&self.entropy)?, self.start(ring, LONGEST_CACHED), &self.entropy)
    }

    /// Adds a successor, for use once verifiers have its public half. If no other key is active, it is used at once.
    fn signing(&self, ring: &Ring<SigningKey>) -> Result<Ring<SigningKey>> {
        self.signing_from(ring, self.start(ring, PUBLISHED_BEFORE))
    }

    /// When an additional key becomes active: after `later`, or at once if no other key is active. "At once" is
    /// backdated for clocks that are behind.
    fn start<K>(&self, ring: &Ring<K>, later: Duration) -> Timestamp {
        if ring.active(self.now).is_ok() { self.now.after(later) } else { self.now.before(CLOCKS_DIFFER) }
    }

    fn signing_from(&self, ring: &Ring<SigningKey>, start: Timestamp) -> Result<Ring<SigningKey>> {
        let key = generate::signing_key(self.rules.algorithm, self.rules.rsa_bits, &self.entropy)?;
        let next = generate::dated(key, start, &self.entropy)?;
        let active = |at| Some(ring.active_for(self.rules.algorithm, at).ok()?.id.as_str());
        Ok(self.succeeded(ring, next, self.rules.token, active))
    }

    /// The ring with `next` as the successor of all others.
    ///
    /// Functions that read the ring late still use the old keys for a while. Each old key therefore stays until the `life` of
    /// what it may still make is over. Retired keys are removed, and so are unused keys that would become active after `next`.
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
            // If the algorithm changes back and forth, a key with an end date may be in use again until `start`.
            let end = if makers.contains(&key.id.as_str()) { given.max(end) } else { given };
            Dated { retired_at: Some(end), ..key.clone() }
        });
        Ring::new(staying.chain([next.clone()]).collect())
    }
}

/// The ring without the key with this id, if it has one.
fn ring_without<K: Clone>(ring: &Ring<K>, id: &str) -> Option<Ring<K>> {
    ring.has(id).then(|| Ring::new(ring.all().iter().filter(|key| key.id != id).cloned().collect()))
}

#[cfg(test)]
mod tests;
