//! A code to send, whatever the channel is.

use std::time::Duration;

use super::Tags;
use crate::codes::{Code, Purpose};
use crate::texts::Language;

/// A code to send, and what its message needs.
pub struct CodeMessage<'a> {
    /// The code.
    pub code: &'a Code,
    /// Its purpose.
    pub purpose: Purpose,
    /// How long it is accepted.
    pub life: Duration,
    /// The language of the message.
    pub language: Language,
    /// Where the provider's receipts belong.
    pub tags: Tags,
    /// The origin of the API, where providers outside AWS tell what became of the message.
    pub api: String,
}
