//! The row of a user's notices of one day, beside the user's activity: how many there were, and what became of each.
//!
//! SES has no key that keeps a repeated send from sending twice. So either a crash between a note and its send loses the notice,
//! or a crash between the send and its note repeats it. A user hardly minds the second mail, and a thief would like the first
//! case. Therefore an invocation claims a notice for half a minute, sends it, and notes it as sent. A claim that runs out without
//! this note may be claimed again.

use std::time::Duration;

use super::super::expression::any;
use super::super::row::{self, TTL, attributes};
use super::super::send::Written;
use super::super::table::RecordTable;
use super::rows::key;
use crate::history::EventId;
use crate::words::{Error, Result, Tenant, Timestamp, UserId};

attributes! {
    /// The notices of the day.
    COUNT = "n";
    /// For each event, named behind this: until when a notice of it is claimed, in Unix seconds, or 0 once it is sent.
    EVENT = "e.";
}

/// Longer than an invocation, and shorter than Lambda's minute before a repetition.
const CLAIMED_FOR: Duration = Duration::from_secs(30);

/// Longer than an event may come again.
const KEPT: Duration = Duration::from_secs(30 * 86_400);

/// The value of a notice that is sent.
const SENT: u64 = 0;

/// The occasion of a notice to a user.
#[derive(Clone, Copy, Debug)]
pub struct Occasion<'a> {
    /// The tenant of the user.
    pub tenant: &'a Tenant,
    /// The user.
    pub user: &'a UserId,
    /// The event, the same whenever it comes again.
    pub event: &'a EventId,
    /// How often the user has signed out everywhere. A disavowal does that too, and the notices after it have a row of their own.
    pub epoch: u32,
    /// When it happened. Its day is the row's.
    pub at: Timestamp,
}

/// The answer to a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// The caller sends the notice.
    Ours,
    /// It is sent.
    Sent,
    /// Another invocation is at it.
    Busy,
    /// The user got too many notices this day.
    Full,
}

impl RecordTable {
    /// Claims the notice about `of`, if the user had fewer than `most` this day.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub(crate) async fn claim_notice(&self, of: Occasion<'_>, most: u32, now: Timestamp) -> Result<Claimed> {
        let (state, claimed) = (EVENT.with_suffix(of.event.as_str()), now.after(CLAIMED_FOR));
        let update = || self.table.update_at(key(of.tenant, of.user), sort(of));
        let first = update()
            .when(state.is_missing())
            .when(any([COUNT.is_missing(), COUNT.below(("most", most))]))
            .set(state, ("claimed", claimed))
            .set(TTL, of.at.after(KEPT))
            .add(COUNT, 1);
        let row = match first.send().await? {
            Written::Done(_) => return Ok(Claimed::Ours),
            Written::Refused(row) => row.ok_or_else(|| Error::internal("a first notice was refused"))?,
        };
        let Some(seen) = row.get(&state.name()) else { return Ok(Claimed::Full) };
        let seen: u64 = row::value(seen.clone())?;
        if seen == SENT {
            return Ok(Claimed::Sent);
        }
        if seen > now.unix() {
            return Ok(Claimed::Busy);
        }
        let again = update().when(state.is(("seen", seen))).set(state, ("claimed", claimed));
        Ok(if let Written::Done(_) = again.send().await? { Claimed::Ours } else { Claimed::Busy })
    }

    /// Notes that the notice about `of` is sent.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub(crate) async fn note_notice(&self, of: Occasion<'_>) -> Result<()> {
        let state = EVENT.with_suffix(of.event.as_str());
        let write = self.table.update_at(key(of.tenant, of.user), sort(of)).when(state.exists());
        write.set(state, ("sent", SENT)).send().await.map(|_| ())
    }
}

/// Behind the rows of activity, which begin with digits.
fn sort(of: Occasion<'_>) -> String {
    format!("notices.{}.{}", of.at.day(), of.epoch)
}
