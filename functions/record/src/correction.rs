//! Missing counts that an operator adds after an outage.

use serde::Deserialize;
use serde_json::Value;
use shared::history::{Counts, Sequence};
use shared::words::{Error, Result};

/// A part of the counts that were missing at the time of an export. The parts of an export count like the records of a shard: each
/// once, and in their order.
#[derive(Deserialize)]
pub(crate) struct Correction {
    export: String,
    /// From 1 on.
    part: u32,
    pub(crate) counts: Counts,
}

/// The longest name of an export, in bytes.
const LONGEST: usize = 64;

/// Whether an event is a correction.
pub(crate) fn is_correction(event: &Value) -> bool {
    event.get("export").is_some()
}

impl Correction {
    /// Reads an event.
    ///
    /// # Errors
    /// It has another form.
    pub(crate) fn read(event: &Value) -> Result<Correction> {
        let read = Correction::deserialize(event).ok();
        let is_whole = |read: &Correction| {
            !read.export.is_empty() && read.export.len() <= LONGEST && read.part > 0 && !read.counts.is_too_long()
        };
        read.filter(is_whole)
            .ok_or_else(|| Error::invalid("expected a part of missing counts, as `local reconcile` makes it"))
    }

    /// The name of its shard. No shard of a stream is named like this.
    pub(crate) fn shard(&self) -> String {
        format!("export-{}", self.export)
    }

    /// Its place.
    pub(crate) fn place(&self) -> Result<Sequence> {
        self.part.to_string().parse()
    }

    /// The place before it. `None` for the first part.
    pub(crate) fn before(&self) -> Result<Option<Sequence>> {
        let before = self.part.checked_sub(1).filter(|before| *before > 0);
        before.map(|before| before.to_string().parse()).transpose()
    }
}
