//! What this instance saw refused: until then it is refused without a write, so that an attack costs nothing more (S82).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::words::{ExpiresAt, ItemKey, Timestamp};

/// Counters that are full, by their item's key, with the end of their window.
#[derive(Default)]
pub(super) struct Refused(Mutex<HashMap<ItemKey, ExpiresAt>>);

/// More counters than this are not remembered; they are refused by the table.
const MOST_REMEMBERED: usize = 4_096;

impl Refused {
    pub(super) fn until(&self, key: &ItemKey, now: Timestamp) -> Option<Timestamp> {
        let refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        refused.get(key).filter(|end| !end.has_passed(now)).map(|end| end.moment())
    }

    pub(super) fn remember(&self, key: ItemKey, end: Timestamp, now: Timestamp) {
        let mut refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.len() >= MOST_REMEMBERED {
            refused.retain(|_, end| !end.has_passed(now));
        }
        if refused.len() < MOST_REMEMBERED {
            refused.insert(key, ExpiresAt::at(end));
        }
    }
}
