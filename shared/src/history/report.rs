//! A report on the last 30 days: sign-ups by day, method and source, active users, codes by channel, and the cost of a sign-in.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::codes::{ChannelCodes, Codes};
use super::counts::{Counts, NO_SOURCE, OTHER_SOURCES};
use super::source::Source;
use crate::codes::CALL_UNITS;
use crate::words::{Channel, Timestamp};

/// The days of a report. The last one is today, and not over yet.
const DAYS: u64 = 30;
const WEEK: u64 = 7;
/// The best sources in [`Report::top_sources`].
const TOP: usize = 10;

/// The report. All days are UTC.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The first day, such as `2026-01-31`.
    pub from: String,
    /// The last day: today.
    pub to: String,
    /// Users by their last activity.
    pub active_users: ActiveUsers,
    /// New users of all days.
    pub sign_ups: u64,
    /// Sign-ins of all days. A sign-up is one, too.
    pub sign_ins: u64,
    /// Each day, the oldest first.
    pub days: Vec<DayRow>,
    /// Each method of signing in, the most frequent sign-ups first.
    pub methods: Vec<MethodRow>,
    /// The ten names with the most sign-ups.
    pub top_sources: Vec<NameRow>,
    /// Every source, the most sign-ups first.
    pub sources: Vec<SourceRow>,
    /// The sources of the last seven days by day, the newest day first.
    pub last_week: Vec<DaySourceRow>,
    /// The codes that were sent. `None` without metrics.
    pub codes: Option<CodesPart>,
    /// The cost of sign-ins. `None` without metrics, which count the messages.
    pub cost: Option<Cost>,
}

/// Users whose last activity is at most this long ago, by UTC day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveUsers {
    /// Today.
    pub day: i64,
    /// The last 7 days.
    pub week: i64,
    /// The last 30 days.
    pub month: i64,
}

/// A day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayRow {
    /// Such as `2026-01-31`.
    pub date: String,
    /// New users.
    pub sign_ups: u64,
    /// Sign-ins.
    pub sign_ins: u64,
}

/// A method of signing in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MethodRow {
    /// Such as `otp_email`.
    pub method: String,
    /// New users.
    pub sign_ups: u64,
    /// Sign-ins.
    pub sign_ins: u64,
}

/// All sources with one name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameRow {
    /// Such as `Facebook`.
    pub name: String,
    /// New users.
    pub sign_ups: u64,
}

/// A source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRow {
    /// Such as `Facebook`.
    pub name: String,
    /// Such as `Facebook - Spring Campaign`.
    pub category: Option<String>,
    /// The URL that stands for the source. `None` for sign-ups without a source, and for those beyond a day's 300 sources.
    pub url: Option<String>,
    /// New users.
    pub sign_ups: u64,
}

/// A source on one day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaySourceRow {
    /// Such as `2026-01-31`.
    pub date: String,
    /// The source.
    #[serde(flatten)]
    pub source: SourceRow,
}

/// The codes of all channels, from CloudWatch's metrics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CodesPart {
    /// Requests to `request-otp`, also invalid ones.
    pub requests: u64,
    /// Of these, the requests over a rate limit.
    pub rate_limited: u64,
    /// Requests to `verify-otp`, also invalid ones.
    pub verify_requests: u64,
    /// Each channel.
    pub channels: Vec<ChannelRow>,
}

/// The codes of one channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelRow {
    /// The channel.
    pub channel: Channel,
    /// The counts.
    #[serde(flatten)]
    pub codes: ChannelCodes,
    /// The used share of the sent codes, from 0 to 1. `None` if none was sent.
    pub success_rate: Option<f64>,
}

/// Prices in dollars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prices {
    /// A mail.
    pub mail: f64,
    /// A text message.
    pub sms: f64,
    /// The requests of one sign-in, its refreshes and its end, without messages.
    pub sign_in: f64,
}

/// The cost of sign-ins, in dollars.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// All mails.
    pub mails: f64,
    /// All text messages.
    pub texts: f64,
    /// All requests.
    pub requests: f64,
    /// The sum for each sign-in. `None` without sign-ins.
    pub per_sign_in: Option<f64>,
}

impl Report {
    /// The days of a report at `now`, in days since the epoch.
    pub fn period(now: Timestamp) -> RangeInclusive<u64> {
        last(DAYS, now)
    }

    /// The report at `now`, from the counts and codes of its period.
    pub fn new(now: Timestamp, counts: &Counts, codes: Option<&Codes>, prices: &Prices) -> Report {
        let period = Report::period(now);
        let days: Vec<DayRow> = period.clone().map(|day| day_row(day, counts)).collect();
        let [sign_ups, sign_ins] = days.iter().fold([0, 0], |[ups, ins], day| [ups + day.sign_ups, ins + day.sign_ins]);
        let sources = sources(period.clone(), counts);
        let active = |days| counts.last_active.range(last(days, now)).map(|(_, users)| users).sum();
        Report {
            from: date(*period.start()),
            to: date(*period.end()),
            active_users: ActiveUsers { day: active(1), week: active(WEEK), month: active(DAYS) },
            sign_ups,
            sign_ins,
            days,
            methods: methods(period, counts),
            top_sources: top(&sources),
            sources,
            last_week: last(WEEK, now).rev().flat_map(|day| sources_of_day(day, counts)).collect(),
            codes: codes.map(codes_part),
            cost: codes.map(|codes| cost(codes, sign_ins, prices)),
        }
    }
}

fn last(days: u64, now: Timestamp) -> RangeInclusive<u64> {
    let today = now.day();
    today.saturating_sub(days - 1)..=today
}

fn date(day: u64) -> String {
    let mut text = Timestamp::from_unix(day.saturating_mul(86_400)).to_string();
    text.truncate("2026-01-31".len());
    text
}

fn sum(counts: &BTreeMap<String, u32>) -> u64 {
    counts.values().map(|count| u64::from(*count)).sum()
}

fn day_row(day: u64, counts: &Counts) -> DayRow {
    let of = counts.days.get(&day);
    DayRow {
        date: date(day),
        sign_ups: of.map_or(0, |day| sum(&day.sign_ups)),
        sign_ins: of.map_or(0, |day| sum(&day.sign_ins)),
    }
}

fn methods(period: RangeInclusive<u64>, counts: &Counts) -> Vec<MethodRow> {
    let mut all: BTreeMap<&str, [u64; 2]> = BTreeMap::new();
    for (_, day) in counts.days.range(period) {
        for (at, counts) in [&day.sign_ups, &day.sign_ins].into_iter().enumerate() {
            for (method, count) in counts {
                if let Some(sum) = all.entry(method).or_default().get_mut(at) {
                    *sum += u64::from(*count);
                }
            }
        }
    }
    let row =
        |(method, [sign_ups, sign_ins]): (&str, [u64; 2])| MethodRow { method: method.to_owned(), sign_ups, sign_ins };
    sorted(all.into_iter().map(row).collect(), |row| [row.sign_ups, row.sign_ins])
}

fn sources(period: RangeInclusive<u64>, counts: &Counts) -> Vec<SourceRow> {
    let mut all: BTreeMap<&str, u64> = BTreeMap::new();
    for (url, count) in counts.days.range(period).flat_map(|(_, day)| &day.sources) {
        *all.entry(url).or_default() += u64::from(*count);
    }
    sorted(all.into_iter().map(|(url, sign_ups)| source_row(url, sign_ups)).collect(), |row| [row.sign_ups, 0])
}

fn sources_of_day(day: u64, counts: &Counts) -> Vec<DaySourceRow> {
    let found = counts.days.get(&day).into_iter().flat_map(|day| &day.sources);
    let row = |(url, count): (&String, &u32)| source_row(url, u64::from(*count));
    let rows = sorted(found.map(row).collect(), |row| [row.sign_ups, 0]);
    rows.into_iter().map(|source| DaySourceRow { date: date(day), source }).collect()
}

fn source_row(url: &str, sign_ups: u64) -> SourceRow {
    match Source::of(url) {
        Some(Source { url, name, category }) => SourceRow { name, category: Some(category), url: Some(url), sign_ups },
        None => {
            let name = match url {
                NO_SOURCE => "No source",
                OTHER_SOURCES => "Other sources",
                _ => url,
            };
            SourceRow { name: name.to_owned(), category: None, url: None, sign_ups }
        }
    }
}

/// The largest first. Equal rows keep their order.
fn sorted<T>(mut rows: Vec<T>, by: impl Fn(&T) -> [u64; 2]) -> Vec<T> {
    rows.sort_by_key(|row| std::cmp::Reverse(by(row)));
    rows
}

/// Sign-ups without a source, or beyond the limit of a day, say nothing about a source.
fn top(sources: &[SourceRow]) -> Vec<NameRow> {
    let mut all: BTreeMap<&str, u64> = BTreeMap::new();
    for row in sources.iter().filter(|row| row.url.is_some()) {
        *all.entry(&row.name).or_default() += row.sign_ups;
    }
    let rows = all.into_iter().map(|(name, sign_ups)| NameRow { name: name.to_owned(), sign_ups }).collect();
    let mut rows = sorted(rows, |row: &NameRow| [row.sign_ups, 0]);
    rows.truncate(TOP);
    rows
}

fn codes_part(codes: &Codes) -> CodesPart {
    let row = |(channel, codes): &(Channel, ChannelCodes)| {
        // A message with an unknown outcome may have arrived.
        let sent = codes.sent + codes.unknown;
        let success_rate = (sent > 0).then(|| (codes.used as f64 / sent as f64).min(1.0));
        ChannelRow { channel: *channel, codes: *codes, success_rate }
    };
    // Most deployments have neither calls nor WhatsApp.
    let is_used =
        |(channel, codes): &&(Channel, ChannelCodes)| !channel.follows_text() || *codes != ChannelCodes::default();
    let channels = codes.channels.iter().filter(is_used).map(row).collect();
    let Codes { requests, rate_limited, verify_requests, .. } = *codes;
    CodesPart { requests, rate_limited, verify_requests, channels }
}

/// AWS charges for a message that it accepted, whatever became of the answer.
fn cost(codes: &Codes, sign_ins: u64, prices: &Prices) -> Cost {
    let (mut mails, mut texts) = (0.0, 0.0);
    for (channel, codes) in &codes.channels {
        let sent = (codes.sent + codes.unknown) as f64;
        match channel {
            Channel::Email => mails += sent * prices.mail,
            Channel::Voice => texts += sent * prices.sms * f64::from(CALL_UNITS),
            Channel::Sms | Channel::Whatsapp => texts += sent * prices.sms,
        }
    }
    let requests = sign_ins as f64 * prices.sign_in;
    let per_sign_in = (sign_ins > 0).then(|| (mails + texts + requests) / sign_ins as f64);
    Cost { mails, texts, requests, per_sign_in }
}

#[cfg(test)]
mod tests;
