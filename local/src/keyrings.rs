//! The two keyrings of a stack: made when it first starts, turned over when asked.
//!
//! What `rotate-keys` does in a deployment: new keys stand in the ring before they are used, old ones until nothing
//! that they made is valid any more, and the public halves are written where everyone may read them.

mod make;

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use shared::clock::Timestamp;
use shared::config::Config;
use shared::keyring::{CodeKeys, Dated, LONGEST_CACHED, Ring, SigningKey, TokenKeys};
use shared::public_keys::public_keys;
use shared::store::PUBLIC_KEYS;

use crate::aws::Services;
use crate::failure::Failure;

/// No code lives longer (design part 6: at most 600 seconds).
const LONGEST_CODE: Duration = Duration::from_secs(600);

/// Keeps the keyrings of one stack.
pub(crate) struct Keyrings {
    services: Services,
    config: Config,
    /// Private keys to take before making new ones, which is slow.
    pems: Mutex<VecDeque<String>>,
}

impl Keyrings {
    pub(crate) fn new(services: Services, config: Config, pems: Vec<String>) -> Keyrings {
        Keyrings { services, config, pems: Mutex::new(pems.into()) }
    }

    /// Makes the keyrings that are not there yet, and a signing key where none is of the algorithm that is set.
    pub(crate) fn prepare(&self, now: Timestamp) -> Result<(), Failure> {
        if self.load::<CodeKeys>(&self.config.codes_secret)?.is_none() {
            let peppers = Ring::new(vec![dated(make::bytes()?, now)?]);
            self.store(&self.config.codes_secret, &CodeKeys { index: make::bytes()?, peppers })?;
        }
        let mut tokens = match self.load::<TokenKeys>(&self.config.tokens_secret)? {
            Some(tokens) => tokens,
            None => TokenKeys { signing: Ring::new(Vec::new()), refresh: Ring::new(vec![dated(make::bytes()?, now)?]) },
        };
        let algorithm = self.config.access.algorithm;
        // One at least must have no end yet: a rotation for another algorithm gives all keys one.
        let lasts = tokens.signing.all().iter().any(|key| key.key.algorithm == algorithm && key.retired_at.is_none());
        if !lasts || tokens.signing.active_for(algorithm, now).is_err() {
            tokens.signing.push(dated(self.signing_key()?, now)?);
        }
        self.keep(&tokens, now)
    }

    /// Turns over every key but the index key. The new ones are used as soon as every running function has read them.
    pub(crate) fn rotate(&self, now: Timestamp) -> Result<(), Failure> {
        let missing = || Failure::new("there is no keyring to rotate");
        let mut codes = self.load::<CodeKeys>(&self.config.codes_secret)?.ok_or_else(missing)?;
        let mut tokens = self.load::<TokenKeys>(&self.config.tokens_secret)?.ok_or_else(missing)?;
        let access = &self.config.access;

        let start = now.after(LONGEST_CACHED);
        codes.peppers = turned(&codes.peppers, dated(make::bytes()?, start)?, LONGEST_CODE, now);
        let longest_token = access.lifetime.saturating_add(access.leeway);
        tokens.signing = turned(&tokens.signing, dated(self.signing_key()?, start)?, longest_token, now);
        tokens.refresh = turned(&tokens.refresh, dated(make::bytes()?, start)?, self.config.session.absolute, now);

        self.keep(&tokens, now)?;
        self.store(&self.config.codes_secret, &codes)
    }

    fn signing_key(&self) -> Result<SigningKey, Failure> {
        let pem = self.pems.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        make::signing_key(self.config.access.algorithm, pem)
    }

    fn load<K: DeserializeOwned>(&self, arn: &str) -> Result<Option<K>, Failure> {
        let Some(text) = self.services.secret(arn) else { return Ok(None) };
        serde_json::from_str(&text).map(Some).map_err(|_| Failure::new(format!("the secret {arn} is not a keyring")))
    }

    fn store(&self, arn: &str, keys: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string(keys).map_err(Failure::new)?;
        self.services.put_secret(arn, text).map_err(Failure::new)
    }

    /// Keeps the keyring of tokens, and publishes its public half: made first, so that no key is kept that cannot be used.
    fn keep(&self, tokens: &TokenKeys, now: Timestamp) -> Result<(), Failure> {
        let set = public_keys(&tokens.signing, now);
        let set = set.map_err(|error| Failure::new(error.cause().unwrap_or_else(|| error.to_string())))?;
        let set = serde_json::to_string(&set).map_err(Failure::new)?;
        self.store(&self.config.tokens_secret, tokens)?;
        let item = json!({ "pk": { "S": PUBLIC_KEYS }, "set": { "S": set } });
        let request = json!({ "TableName": self.config.user_table, "Item": item });
        self.services.dynamodb("PutItem", request).map_err(Failure::new)?;
        Ok(())
    }
}

/// A key with a name of its own, used from `start` on.
fn dated<K>(key: K, start: Timestamp) -> Result<Dated<K>, Failure> {
    Ok(Dated { id: make::id()?, active_from: start.unix(), retired_at: None, key })
}

/// The ring with `next` in it: its other keys retire `life` after that takes over, and retired ones are gone.
fn turned<K: Clone>(ring: &Ring<K>, next: Dated<K>, life: Duration, now: Timestamp) -> Ring<K> {
    let end = Timestamp::from_unix(next.active_from).after(life).unix();
    let mut keys: Vec<Dated<K>> = ring.live(now).cloned().collect();
    for key in &mut keys {
        key.retired_at = Some(key.retired_at.unwrap_or(end));
    }
    keys.push(next);
    Ring::new(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turned_ring_serves_without_a_gap() {
        let now = Timestamp::from_unix(1_000_000);
        let ring = Ring::new(vec![dated(1, now).unwrap()]);
        let later = now.after(Duration::from_secs(60));
        let ring = turned(&ring, dated(2, later.after(LONGEST_CACHED)).unwrap(), LONGEST_CODE, later);

        let start = later.after(LONGEST_CACHED);
        let end = start.after(LONGEST_CODE);
        let old = ring.all()[0].id.clone();
        assert_eq!(ring.active(start.before(Duration::from_secs(1))).unwrap().key, 1);
        assert_eq!(ring.active(start).unwrap().key, 2);
        assert!(ring.find(&old, end.before(Duration::from_secs(1))).is_some());
        assert!(ring.find(&old, end).is_none());

        let again = turned(&ring, dated(3, end).unwrap(), LONGEST_CODE, end);
        assert_eq!(again.all().iter().map(|key| key.key).collect::<Vec<_>>(), [2, 3]);
    }
}
