//! Full counters that this instance has seen. Until their window ends, it refuses without a write, so that an attack adds
//! no cost (S82).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::words::{ExpiresAt, ItemKey, Timestamp};

/// Full counters, by the key of their item, with the end of their window.
#[derive(Default)]
pub(super) struct Refused(Mutex<HashMap<ItemKey, ExpiresAt>>);

/// Above this number, the table does the refusing.
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
