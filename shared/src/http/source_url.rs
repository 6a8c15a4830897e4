//! The page a user came from, as the client reports it.

use crate::words::{Error, Result};

const LONGEST: usize = 2_048;

/// The field `source_url`, or `None` if it is blank.
///
/// # Errors
/// [`Error::InvalidRequest`] if it is longer than 2,048 bytes or contains control characters.
pub fn source_url(given: Option<&str>) -> Result<Option<&str>> {
    match given.map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) if text.len() > LONGEST || text.chars().any(char::is_control) => {
            Err(Error::invalid("The field source_url must have at most 2,048 bytes and no control characters."))
        }
        given => Ok(given),
    }
}
