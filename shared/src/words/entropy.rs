//! Randomness: the operating system's generator, and nothing else.

use rand::TryRng;
#[expect(clippy::disallowed_types, reason = "the one place that asks the system's generator")]
use rand::rngs::SysRng;

use crate::words::error::{Error, Result};

/// The system's generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct Entropy;

impl Entropy {
    /// `N` random bytes.
    ///
    /// # Errors
    /// [`Error::Internal`] when the system has no generator to offer.
    pub fn bytes<const N: usize>(&self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        SysRng.try_fill_bytes(&mut bytes).map_err(Error::internal)?;
        Ok(bytes)
    }

    /// A number below `limit`, each as likely as any other (S01).
    ///
    /// Numbers from the incomplete last stretch of `u64` are drawn again: a remainder would favour the small ones.
    ///
    /// # Errors
    /// As [`Entropy::bytes`].
    pub fn below(&self, limit: u64) -> Result<u64> {
        let stretch = u64::MAX - u64::MAX % limit;
        loop {
            let number = u64::from_be_bytes(self.bytes()?);
            if number < stretch {
                return Ok(number % limit);
            }
        }
    }
}
