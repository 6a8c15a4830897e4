//! `BRAKE` in `OtpTable`: how many of the stack's spent attempts were wrong, in one window. It says nothing about an identifier.
//!
//! An instance writes once for 16 attempts, and reads at most once in 30 seconds, so the item stays cool. A fault is logged and
//! changes nothing else.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Deserialize;

use super::row::{self, TTL, row};
use super::send::{MOST_ROUNDS, Written};
use super::table::{Item, OtpTable};
use crate::codes::Tally;
use crate::words::{Error, ItemKey, Result, Scope, Timestamp};

row! {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Row {
        /// When the window begins, in Unix seconds.
        WINDOW = "w" => window: u64,
        /// Attempts spent in the window.
        SPENT = "s" => spent: u32,
        /// Those of them with a wrong code.
        WRONG = "x" => wrong: u32,
        /// Whether the brake was on when the window began.
        WAS_ON = "b" => was_on: bool,
    }
}

/// How long the item is kept after its window began. It then says nothing any more.
const KEPT_FOR: std::time::Duration = std::time::Duration::from_secs(86_400);

impl OtpTable {
    /// Whether strangers' codes have eight digits at least. Reads the stack's attempts if this instance did so a while ago.
    pub async fn is_braked(&self, now: Timestamp) -> bool {
        let was_on = self.brake.is_on(now);
        if self.brake.is_due(now) {
            match self.table.get_eventually(&key()).await.and_then(read) {
                Ok(tally) => self.brake.remember(tally),
                Err(error) => tracing::warn!(cause = error.cause(), "the share of wrong answers was not read"),
            }
        }
        let is_on = self.brake.is_on(now);
        if is_on && !was_on {
            tracing::warn!("most answers are wrong: codes for strangers have eight digits at least");
        }
        is_on
    }

    /// Remembers a spent attempt at a code of digits. [`OtpTable::write_attempts`] writes it.
    pub fn note_attempt(&self, is_wrong: bool) {
        self.brake.spent(is_wrong);
    }

    /// Writes the remembered attempts, once there are 16.
    pub async fn write_attempts(&self, now: Timestamp) {
        let Some(batch) = self.brake.take_batch() else { return };
        if let Err(error) = self.count_attempts(batch, now).await {
            tracing::warn!(cause = error.cause(), "the share of wrong answers was not written");
        }
    }

    async fn count_attempts(&self, (spent, wrong): (u32, u32), now: Timestamp) -> Result<()> {
        let window = Tally::window_of(now);
        let mut seen = None;
        for _ in 0..MOST_ROUNDS {
            let write = match seen {
                // Usually another instance has begun the window.
                None => self.table.update(key()).when(WINDOW.at_least(window)).add(SPENT, spent).add(WRONG, wrong),
                Some(tally) => self.begin_window(tally, window, now).set(SPENT, spent).set(WRONG, wrong),
            };
            match write.send().await? {
                Written::Done(_) => return Ok(()),
                Written::Refused(item) => {
                    let tally = read(item)?;
                    seen = (tally.window < window).then_some(tally);
                }
            }
        }
        Err(Error::unavailable("too many parallel requests change the item of the brake"))
    }

    fn begin_window(&self, seen: Tally, window: Timestamp, now: Timestamp) -> super::write::Update<'_> {
        let is_new = seen.window == Timestamp::default();
        let as_seen = if is_new { WINDOW.is_missing() } else { WINDOW.is(("seen_window", seen.window)) };
        let write = self.table.update(key()).when(as_seen);
        write
            .set(WINDOW, ("window", window))
            .set(WAS_ON, AttributeValue::Bool(seen.is_on(window)))
            .set(TTL, now.after(KEPT_FOR))
    }
}

fn key() -> ItemKey {
    ItemKey::new(Scope::Stack, "BRAKE", &[])
}

fn read(item: Option<Item>) -> Result<Tally> {
    let Row { window, spent, wrong, was_on } = item.map(row::read).transpose()?.unwrap_or_default();
    Ok(Tally { window: Timestamp::from_unix(window), spent, wrong, was_on })
}
