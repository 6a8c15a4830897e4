//! `R#<action>#<network>#<bucket>` in `OtpTable`: one network's actions in one time window.

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
        /// The network's actions in the window.
        COUNT = "n" => count: u32,
    }
}

impl OtpTable {
    /// Counts an action, unless the allowance is used up. This is one conditional write, so that parallel requests stay within
    /// the limit together (S13).
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::words::Error::Unavailable) when the table is unreachable. The action is then refused (S88).
    pub async fn count(
        &self,
        action: Action,
        network: &NetworkDigest,
        allowance: Allowance,
        now: Timestamp,
    ) -> Result<Quota> {
        self.count_times(1, action, network, allowance, now).await
    }

    /// Counts an action so many `times`. Zero times costs the same write, so that its time tells nothing.
    ///
    /// # Errors
    /// As [`OtpTable::count`].
    pub async fn count_times(
        &self,
        times: u32,
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
            .add(COUNT, times)
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

    /// Checks whether an action is still allowed, without counting it. The read is eventually consistent, so it may miss the
    /// newest actions.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::words::Error::Unavailable) when the table is unreachable.
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

    /// Checks this instance's memory only: a network over its limit is remembered until its window ends.
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

/// The key belongs to the stack, not to a tenant: more tenants must not give a network more actions.
fn key(action: Action, network: &NetworkDigest, window_end: Timestamp) -> ItemKey {
    ItemKey::new(Scope::Stack, "R", &[action.name(), network.as_str(), &window_end.unix().to_string()])
}
