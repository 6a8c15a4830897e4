//! The rows of events.

use std::time::Duration;

use super::super::table::{Item, RecordTable};
use super::{activity, sources};
use crate::history::Event;
use crate::words::Result;

impl RecordTable {
    /// Writes the activity of each event, kept for `keep`, and the source of each sign-up. A row that is there already stays as it
    /// is.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::words::Error::Unavailable) when the table is unreachable. Some rows may then be written.
    pub async fn put_events(&self, events: &[Event], keep: Duration) -> Result<()> {
        let rows = events.iter().flat_map(|event| [activity::row(event, keep), sources::row(event)]);
        self.put(rows.filter_map(Result::transpose).collect::<Result<Vec<Item>>>()?).await
    }
}
