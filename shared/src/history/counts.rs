//! Counts of sign-ups, sign-ins and last activity.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::change::Changed;
use super::source::Source;
use crate::people::User;

/// The name for sign-ups without a source. No URL is like it.
pub const NO_SOURCE: &str = "none";

/// The name for all further sources of a day that has too many. No URL is like it.
pub const OTHER_SOURCES: &str = "other";

/// A change adds three items at most, and the cursor is another one.
const MOST_ITEMS: usize = 90;
/// The sources of a day are in one expression.
const MOST_SOURCES: usize = 100;

/// Counts to add to those that are stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// By UTC day, in days since the epoch.
    pub days: BTreeMap<u64, Day>,
    /// How many more users were last active on each day. The sums of the last 1, 7 and 30 days are the active users.
    pub last_active: BTreeMap<u64, i64>,
}

/// The counts of one day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Day {
    /// Sign-ups by way, such as `otp_email`.
    pub sign_ups: BTreeMap<String, u32>,
    /// Sign-ins by way. A sign-up is one, too.
    pub sign_ins: BTreeMap<String, u32>,
    /// Sign-ups by the URL of their source, or [`NO_SOURCE`].
    pub sources: BTreeMap<String, u32>,
}

impl Counts {
    /// Adds what one change counts. The day is that of the item, so a count from the item itself is the same.
    pub fn add(&mut self, item: &Changed) {
        match item {
            Changed::Session { opened, way, .. } => {
                one_more(&mut self.days.entry(opened.day()).or_default().sign_ins, way);
            }
            Changed::Identifier { at, way, source_url, .. } => {
                let day = self.days.entry(at.day()).or_default();
                one_more(&mut day.sign_ups, way);
                let source = source_url.as_deref().and_then(Source::of);
                one_more(&mut day.sources, source.as_ref().map_or(NO_SOURCE, |source| &source.url));
            }
            Changed::User { before, after, .. } => {
                self.moved(before.as_deref(), -1);
                self.moved(after.as_deref(), 1);
                self.last_active.retain(|_, more| *more != 0);
            }
            Changed::Other => {}
        }
    }

    fn moved(&mut self, user: Option<&User>, by: i64) {
        if let Some(user) = user {
            *self.last_active.entry(user.last_active()).or_default() += by;
        }
    }

    /// Whether one transaction can hold no more of them: DynamoDB allows 100 items, and 4 KB for each expression.
    pub fn is_full(&self) -> bool {
        self.items() >= MOST_ITEMS || self.most_sources() >= MOST_SOURCES
    }

    /// Whether they are more than one transaction holds. One change may add three items beyond [`Counts::is_full`].
    pub fn is_too_long(&self) -> bool {
        self.items() > MOST_ITEMS + 3 || self.most_sources() > MOST_SOURCES
    }

    fn items(&self) -> usize {
        let of_days = self.days.values().map(|day| 1 + usize::from(!day.sources.is_empty()));
        of_days.sum::<usize>() + self.last_active.len()
    }

    fn most_sources(&self) -> usize {
        self.days.values().map(|day| day.sources.len()).max().unwrap_or_default()
    }
}

fn one_more(counts: &mut BTreeMap<String, u32>, of: &str) {
    *counts.entry(of.to_owned()).or_default() += 1;
}

#[cfg(test)]
mod tests {
    use super::super::change::tests::{AT, user};
    use super::*;
    use crate::words::Timestamp;

    const DAY: u64 = AT / 86_400;

    fn counted(changes: &[Changed]) -> Counts {
        let mut counts = Counts::default();
        changes.iter().for_each(|item| counts.add(item));
        counts
    }

    fn moved(from: Option<u64>, to: Option<u64>) -> Changed {
        let at = |day: u64| Box::new(User { last_login: Some(Timestamp::from_unix(day * 86_400)), ..*user(&[], 0) });
        Changed::User { id: user(&[], 0).id, before: from.map(at), after: to.map(at) }
    }

    #[test]
    fn a_sign_up_counts_its_way_and_its_source() {
        let way = || "otp_email".to_owned();
        let of = |url: Option<&str>| Changed::Identifier {
            user: user(&[], 0).id,
            at: Timestamp::from_unix(AT),
            way: way(),
            source_url: url.map(str::to_owned),
        };
        let counts = counted(&[of(Some("https://example.com/a")), of(Some("https://example.com/b")), of(None)]);
        let day = &counts.days[&DAY];
        assert_eq!(day.sign_ups, BTreeMap::from([(way(), 3)]));
        assert_eq!(day.sources, BTreeMap::from([("https://example.com".to_owned(), 2), ("none".to_owned(), 1)]));
        assert!(day.sign_ins.is_empty() && !counts.is_full());
        let many: Vec<_> = (0..100).map(|number| of(Some(&format!("https://{number}.example")))).collect();
        assert!(!counted(&many[..99]).is_full() && counted(&many).is_full());
    }

    #[test]
    fn a_user_is_counted_on_the_last_day_only() {
        let counts = counted(&[moved(None, Some(5)), moved(Some(5), Some(5)), moved(Some(5), Some(9))]);
        assert_eq!(counts.last_active, BTreeMap::from([(9, 1)]));
        assert_eq!(
            counted(&[moved(Some(3), Some(9)), moved(Some(3), None)]).last_active,
            BTreeMap::from([(3, -2), (9, 1)])
        );
        assert_eq!(counted(&[Changed::Other]), Counts::default());
        let days: Vec<_> = (0..90).map(|day| moved(None, Some(day))).collect();
        assert!(!counted(&days[..89]).is_full() && counted(&days).is_full());
    }
}
