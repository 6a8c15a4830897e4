//! The attributes of a day's messages, of one country in the day's item or of one range in its own.

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;

use super::write::Item;
use crate::codes::{Bounds, Quota, SmsPolicy, Spent, Target};
use crate::observe::report::{self, Step};
use crate::words::{Error, Result, Timestamp};

/// Messages to everywhere.
pub(super) const TOTAL: &str = "n";
/// Messages to here: `sGB` for a country.
pub(super) const SENT: &str = "s";
/// Codes that were used here.
pub(super) const USED: &str = "u";
/// The debt to the breaker.
pub(super) const DEBT: &str = "k";
/// When the last message went here.
pub(super) const LAST: &str = "l";

/// Where messages are counted: a country's attributes in the day's item, or a range's item.
pub(super) struct Pool {
    pub(super) key: String,
    /// Names the country's own budget in this instance's memory.
    pub(super) key_here: String,
    /// Ends the names of a country's attributes: `sGB`.
    suffix: &'static str,
    pub(super) bounds: Bounds,
}

impl Pool {
    pub(super) fn of(target: &Target, policy: &SmsPolicy, now: Timestamp) -> [Pool; 2] {
        let (day, country) = (format!("SMS#{}", SmsPolicy::day_end(now).unix()), target.country.code());
        let range = format!("{day}#{}", target.range);
        [
            Pool { key_here: format!("{day}#{country}"), key: day, suffix: country, bounds: policy.of_country() },
            Pool { key_here: range.clone(), key: range, suffix: "", bounds: policy.of_range() },
        ]
    }

    /// Closed, as this instance knows without asking.
    pub(super) fn known_spent(&self, now: Timestamp) -> Quota {
        let Bounds { total, sent, .. } = self.bounds;
        self.note(Spent { total, sent, ..Spent::default() }, Some("budget"));
        Quota::SpentUntil(SmsPolicy::day_end(now))
    }

    pub(super) fn note(&self, spent: Spent, stopped_by: Option<&'static str>) {
        report::note(Step::Budget {
            of: if self.suffix.is_empty() { "range" } else { self.suffix }.into(),
            total: [spent.total, self.bounds.total],
            sent: spent.sent,
            debt: [spent.debt, self.bounds.debt],
            stopped_by: stopped_by.map(Into::into),
        });
    }

    pub(super) fn named(&self, write: UpdateItemFluentBuilder, counts: &[&str]) -> UpdateItemFluentBuilder {
        counts
            .iter()
            .fold(write, |write, count| write.expression_attribute_names(format!("#{count}"), self.named_here(count)))
    }

    /// A count's attribute in this pool's item.
    pub(super) fn named_here(&self, count: &str) -> String {
        format!("{count}{}", self.suffix)
    }

    pub(super) fn spent(&self, item: &Item) -> Result<Spent> {
        let count = |name: &str| match item.get(name) {
            Some(AttributeValue::N(number)) => number.parse::<i64>().map_err(Error::internal),
            _ => Ok(0),
        };
        let here = |name: &str| count(&self.named_here(name));
        let small = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
        Ok(Spent {
            total: small(count(TOTAL)?),
            sent: small(here(SENT)?),
            debt: here(DEBT)?,
            last: Timestamp::from_unix(here(LAST)?.unsigned_abs()),
        })
    }
}

pub(super) fn signed(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}
