//! The counts in `RecordTable`, and how far each shard of the stream has been counted.
//!
//! - `SEQ#<shard>`: the last counted record of a shard.
//! - `DAY#<day>`: the counts of a UTC day, in days since the epoch; with the sort key `sources`, its sign-ups by source.
//! - `LA#<block>`: how many users were last active on each day of a block of 32 days.
//!
//! One transaction adds to the counts and moves the shard's cursor, so each record counts once, whatever comes twice or fails.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use aws_sdk_dynamodb::types::TransactWriteItem;

use super::super::expression::Path;
use super::super::row::{self, TTL, attributes};
use super::super::send::Transacted;
use super::super::table::{Item, PK, RecordTable};
use crate::history::{Counts, Day, OTHER_SOURCES, Sequence};
use crate::words::{Entropy, Error, ItemKey, Result, Scope, Timestamp, random_id};

attributes! {
    /// The sequence number of the last counted record of a shard: 40 digits.
    SEQUENCE = "q";
    /// The sign-ups of a day. The way follows as a suffix.
    SIGN_UPS = "up_";
    /// The sign-ins of a day. The way follows as a suffix.
    SIGN_INS = "in_";
    /// How many sources a day has.
    SOURCES = "n";
    /// The sign-ups of a day from one source. Its URL follows as a suffix.
    FROM = "s_";
    /// How many users were last active on a day. The day's number follows as a suffix.
    LAST_ACTIVE = "d";
}

const DAY: &str = "DAY";
const ACTIVE: &str = "LA";

/// The sort key of an item that is alone under its key.
const ALL: &str = "all";
/// The sort key of a day's sources.
const BY_SOURCE: &str = "sources";
/// A day has at most this many sources. Anybody can invent sources, and each makes the item longer.
const MOST_SOURCES: usize = 300;
/// Days in one item of last activity.
const BLOCK: u64 = 32;
/// A shard closes after a few hours, and its records live for a day.
const CURSORS_LIVE: Duration = Duration::from_secs(3 * 24 * 60 * 60);

/// How far a shard has been counted, and how far it is after these counts.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// The id of the shard.
    pub shard: &'a str,
    /// The last counted record, as just read.
    pub seen: Option<&'a Sequence>,
    /// The last record of the new counts.
    pub last: &'a Sequence,
    /// Whether the shard is forgotten after three days. The parts of an export may be sent again later.
    pub is_stream: bool,
}

/// The sources of a day, as just read.
#[derive(Default)]
struct Sources {
    names: BTreeSet<String>,
    /// `None` before the first one.
    count: Option<usize>,
}

impl RecordTable {
    /// The last counted record of a shard.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub async fn cursor(&self, shard: &str) -> Result<Option<Sequence>> {
        let item = self.table.get_at(&cursor_key(shard), ALL).await?;
        let text = item.and_then(|mut item| item.remove(&SEQUENCE.name())).map(row::value::<String>).transpose()?;
        text.map(|text| text.parse()).transpose()
    }

    /// Adds `counts` and moves the shard's cursor, in one transaction. Returns `false` if another invocation moved it first, or
    /// added a source to the same day.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable. The counts may then be added or not,
    /// and the cursor tells which.
    pub async fn count(&self, progress: Progress<'_>, counts: &Counts, now: Timestamp) -> Result<bool> {
        let mut writes = vec![self.move_cursor(progress, now)?];
        for (day, counts) in &counts.days {
            writes.extend(self.count_day(*day, counts)?);
            if !counts.sources.is_empty() {
                let sources = self.sources_of_day(*day).await?;
                writes.push(self.count_sources(*day, counts, &sources)?);
            }
        }
        writes.extend(self.count_active(counts)?);
        Ok(matches!(self.table.transact(writes, &random_id(&Entropy)?).await?, Transacted::Done))
    }

    /// The counts of these days, eventually consistent and in one call. DynamoDB allows 100 items in it: two for each day, and one for
    /// 32 days of last activity.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the table is unreachable.
    pub async fn counts(&self, days: RangeInclusive<u64>) -> Result<Counts> {
        let of_days = days.clone().flat_map(|day| [ALL, BY_SOURCE].map(|sort| (day_key(day), sort)));
        let blocks = (days.start() / BLOCK..=days.end() / BLOCK).map(|block| (active_key(block), ALL));
        let keys: Vec<_> = of_days.chain(blocks).collect();
        let mut counts = Counts::default();
        for item in self.table.get_all_at(&keys).await? {
            let key = item.get(PK).and_then(|key| key.as_s().ok()).cloned();
            let key = key.ok_or_else(|| Error::internal("an item without a key"))?;
            let (kind, name) = key.split_once('#').unwrap_or((&key, ""));
            read_counts(kind, name, item, &mut counts)?;
        }
        // A block may begin earlier.
        counts.last_active.retain(|day, _| days.contains(day));
        Ok(counts)
    }

    fn move_cursor(&self, progress: Progress<'_>, now: Timestamp) -> Result<TransactWriteItem> {
        let is_where_it_was = match progress.seen {
            Some(seen) => SEQUENCE.is(("seen", seen.to_string().as_str())),
            None => SEQUENCE.is_missing(),
        };
        let write = self.table.update_at(cursor_key(progress.shard), ALL).when(is_where_it_was);
        let write = write.set(SEQUENCE, ("last", progress.last.to_string().as_str()));
        let write = if progress.is_stream { write.set(TTL, now.after(CURSORS_LIVE)) } else { write };
        write.in_transaction()
    }

    /// A day without sign-ups and sign-ins needs no write.
    fn count_day(&self, day: u64, counts: &Day) -> Result<Option<TransactWriteItem>> {
        if counts.sign_ups.is_empty() && counts.sign_ins.is_empty() {
            return Ok(None);
        }
        let mut write = self.table.update_at(day_key(day), ALL).unconditionally();
        for (path, ways) in [(SIGN_UPS, &counts.sign_ups), (SIGN_INS, &counts.sign_ins)] {
            for (way, count) in ways {
                write = write.add(path.with_suffix(way), *count);
            }
        }
        write.in_transaction().map(Some)
    }

    /// The condition keeps two writers from adding sources beyond the limit.
    fn count_sources(&self, day: u64, counts: &Day, sources: &Sources) -> Result<TransactWriteItem> {
        let mut room = MOST_SOURCES.saturating_sub(sources.names.len());
        let (mut new, mut other) = (0_usize, 0);
        let write = self.table.update_at(day_key(day), BY_SOURCE);
        let mut write = match sources.count {
            Some(count) => write.when(SOURCES.is(("seen", count))),
            None => write.when(SOURCES.is_missing()),
        };
        for (source, count) in &counts.sources {
            if !sources.names.contains(source) {
                if room == 0 || source == OTHER_SOURCES {
                    other += count;
                    continue;
                }
                room -= 1;
                new += 1;
            }
            write = write.add(FROM.with_suffix(source), *count);
        }
        if other > 0 {
            write = write.add(FROM.with_suffix(OTHER_SOURCES), other);
        }
        write.add(SOURCES, new).in_transaction()
    }

    fn count_active(&self, counts: &Counts) -> Result<Vec<TransactWriteItem>> {
        let blocks: BTreeSet<u64> = counts.last_active.keys().map(|day| day / BLOCK).collect();
        let write = |block: &u64| {
            let mut write = self.table.update_at(active_key(*block), ALL).unconditionally();
            for (day, more) in counts.last_active.iter().filter(|(day, _)| *day / BLOCK == *block) {
                write = write.add(LAST_ACTIVE.with_suffix(&day.to_string()), *more);
            }
            write.in_transaction()
        };
        blocks.iter().map(write).collect()
    }

    async fn sources_of_day(&self, day: u64) -> Result<Sources> {
        let item: Item = self.table.get_at(&day_key(day), BY_SOURCE).await?.unwrap_or_default();
        let prefix = FROM.name();
        // `other` takes no room.
        let names = item.keys().filter_map(|name| name.strip_prefix(&prefix)).filter(|name| *name != OTHER_SOURCES);
        let names = names.map(str::to_owned).collect();
        let count = item.get(&SOURCES.name()).cloned().map(row::value).transpose()?;
        Ok(Sources { names, count })
    }
}

/// Adds the counts of an item to `counts`. Items of other kinds have none.
pub(in crate::store) fn read_counts(kind: &str, name: &str, item: Item, counts: &mut Counts) -> Result<()> {
    let day = || name.parse::<u64>().map_err(Error::internal);
    for (attribute, value) in item {
        let named = |path: Path<'_>| attribute.strip_prefix(&path.name()).map(str::to_owned);
        match kind {
            DAY => {
                let day = counts.days.entry(day()?).or_default();
                for (path, counts) in
                    [(SIGN_UPS, &mut day.sign_ups), (SIGN_INS, &mut day.sign_ins), (FROM, &mut day.sources)]
                {
                    if let Some(name) = named(path) {
                        *counts.entry(name).or_default() += row::value::<u32>(value.clone())?;
                    }
                }
            }
            ACTIVE => {
                if let Some(day) = named(LAST_ACTIVE).and_then(|day| day.parse().ok()) {
                    *counts.last_active.entry(day).or_default() += row::value::<i64>(value)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn cursor_key(shard: &str) -> ItemKey {
    ItemKey::new(Scope::Stack, "SEQ", &[shard])
}

fn active_key(block: u64) -> ItemKey {
    ItemKey::new(Scope::Stack, ACTIVE, &[&block.to_string()])
}

fn day_key(day: u64) -> ItemKey {
    ItemKey::new(Scope::Stack, DAY, &[&day.to_string()])
}
