//! Randomness, only from the operating system's generator.

use rand::TryRng;
#[expect(clippy::disallowed_types, reason = "the one place that asks the system's generator")]
use rand::rngs::SysRng;

use crate::words::error::{Error, Result};

/// The operating system's random generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct Entropy;

impl Entropy {
    /// `N` random bytes.
    ///
    /// # Errors
    /// [`Error::Internal`] if the operating system's generator fails.
    pub fn bytes<const N: usize>(&self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        SysRng.try_fill_bytes(&mut bytes).map_err(Error::internal)?;
        Ok(bytes)
    }

    /// A uniformly distributed number below `limit` (S01).
    ///
    /// Draws again if the number falls into the last, incomplete multiple of `limit`. A plain remainder would favour
    /// small numbers.
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
