//! `R#<action>#<network>#<bucket>` in `OtpTable`: what one network did in one window.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;

use super::OtpTable;
use super::write::{self, Written, number};
use crate::clock::{ExpiresAt, Timestamp};
use crate::error::Result;
use crate::limit::{Action, Allowance, NetworkDigest};

#[derive(Deserialize)]
struct Row {
    n: u32,
}

/// Networks that this instance saw refused: until their window ends they are refused without a write, so that an attack
/// costs nothing more (S82).
#[derive(Default)]
pub(super) struct Refused(Mutex<HashMap<(Action, NetworkDigest), ExpiresAt>>);

/// More networks than this are not remembered; they are refused by the table.
const MOST_REMEMBERED: usize = 4_096;

impl Refused {
    fn until(&self, action: Action, network: &NetworkDigest, now: Timestamp) -> Option<Timestamp> {
        let refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        refused.get(&(action, network.clone())).filter(|end| !end.has_passed(now)).map(|end| end.moment())
    }

    fn remember(&self, action: Action, network: &NetworkDigest, end: ExpiresAt, now: Timestamp) {
        let mut refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.len() >= MOST_REMEMBERED {
            refused.retain(|_, end| !end.has_passed(now));
        }
        if refused.len() < MOST_REMEMBERED {
            refused.insert((action, network.clone()), end);
        }
    }
}

/// What a network may go on doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    /// It is below its allowance.
    Open,
    /// It is not, until that moment.
    ClosedUntil(Timestamp),
}

impl OtpTable {
    /// Counts an action, unless the allowance is used up: one conditional write, so that parallel requests do not
    /// pass it together (S13).
    ///
    /// # Errors
    /// When the table cannot be reached: a limiter that cannot count refuses (S88).
    pub async fn count(
        &self,
        action: Action,
        network: &NetworkDigest,
        allowance: Allowance,
        now: Timestamp,
    ) -> Result<Passage> {
        if let Some(end) = self.refused.until(action, network, now) {
            return Ok(Passage::ClosedUntil(end));
        }
        let end = allowance.window_end(now);
        let write = self
            .table
            .update(&key(action, network, end))
            .update_expression("ADD n :one SET #ttl = if_not_exists(#ttl, :ttl)")
            .condition_expression("attribute_not_exists(n) OR n < :max")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":one", number(1_u32))
            .expression_attribute_values(":max", number(allowance.count))
            .expression_attribute_values(":ttl", number(end.unix()));
        match write::update(write).await? {
            Written::Done(_) => Ok(Passage::Open),
            Written::Refused(_) => {
                self.refused.remember(action, network, ExpiresAt::at(end), now);
                Ok(Passage::ClosedUntil(end))
            }
        }
    }

    /// Whether an action is still allowed, without counting it. Read beside other steps, and so not to the last one exact.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn passage(
        &self,
        action: Action,
        network: &NetworkDigest,
        allowance: Allowance,
        now: Timestamp,
    ) -> Result<Passage> {
        let end = allowance.window_end(now);
        let item = write::get(self.table.get(&key(action, network, end))).await?;
        let count = item.map(write::row::<Row>).transpose()?.map_or(0, |row| row.n);
        if count < allowance.count {
            return Ok(Passage::Open);
        }
        self.refused.remember(action, network, ExpiresAt::at(end), now);
        Ok(Passage::ClosedUntil(end))
    }

    /// Whether this instance knows already that a network is closed.
    pub fn known_closed(&self, action: Action, network: &NetworkDigest, now: Timestamp) -> Passage {
        self.refused.until(action, network, now).map_or(Passage::Open, Passage::ClosedUntil)
    }
}

fn key(action: Action, network: &NetworkDigest, window_end: Timestamp) -> String {
    format!("R#{}#{}#{}", action.name(), network.as_str(), window_end.unix())
}
