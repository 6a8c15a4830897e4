//! `R#<action>#<network>#<bucket>` in `OtpTable`: what one network did in one window.

use serde::Deserialize;

use super::expression::any;
use super::row::{self, TTL, row};
use super::send::Written;
use super::table::OtpTable;
use crate::codes::{Action, Allowance, Quota};
use crate::observe::report::{self, Step};
use crate::words::{ItemKey, NetworkDigest, Result, Scope, Timestamp};

row! {
    #[derive(Deserialize)]
    struct Row {
        /// How often the network acted in the window.
        COUNT = "n" => count: u32,
    }
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
    ) -> Result<Quota> {
        let end = allowance.window_end(now);
        let key = key(action, network, end);
        if allowance.count == 0 || self.refused.until(&key, now).is_some() {
            note(action, None, allowance, false);
            return Ok(Quota::SpentUntil(end));
        }
        let write = self
            .table
            .update(key.clone())
            .when(any([COUNT.is_missing(), COUNT.below(("allowed", allowance.count))]))
            .add(COUNT, 1)
            .set_if_missing(TTL, end);
        match write.send().await? {
            Written::Done(item) => {
                note(action, Some(row::read::<Row>(item)?.count), allowance, true);
                Ok(Quota::Left)
            }
            Written::Refused(_) => {
                note(action, Some(allowance.count), allowance, false);
                self.refused.remember(key, end, now);
                Ok(Quota::SpentUntil(end))
            }
        }
    }

    /// Whether an action is still allowed, without counting it. Read beside other steps, and so not to the last one exact.
    ///
    /// # Errors
    /// When the table cannot be reached.
    pub async fn quota(
        &self,
        action: Action,
        network: &NetworkDigest,
        allowance: Allowance,
        now: Timestamp,
    ) -> Result<Quota> {
        let end = allowance.window_end(now);
        let key = key(action, network, end);
        let item = self.table.get_eventually(&key).await?;
        let count = item.map(row::read::<Row>).transpose()?.map_or(0, |row| row.count);
        note(action, Some(count), allowance, count < allowance.count);
        if count < allowance.count {
            return Ok(Quota::Left);
        }
        self.refused.remember(key, end, now);
        Ok(Quota::SpentUntil(end))
    }

    /// Whether this instance knows already that a network is closed.
    pub fn known_quota(&self, action: Action, network: &NetworkDigest, allowance: Allowance, now: Timestamp) -> Quota {
        let key = key(action, network, allowance.window_end(now));
        let Some(end) = self.refused.until(&key, now) else { return Quota::Left };
        note(action, None, allowance, false);
        Quota::SpentUntil(end)
    }
}

fn note(action: Action, count: Option<u32>, allowance: Allowance, open: bool) {
    report::note(Step::Limit { action: action.name().into(), count, allowed: allowance.count, open });
}

/// The stack's, whichever tenant is asked: tenants must not multiply what a network may do.
fn key(action: Action, network: &NetworkDigest, window_end: Timestamp) -> ItemKey {
    ItemKey::new(Scope::Stack, "R", &[action.name(), network.as_str(), &window_end.unix().to_string()])
}
