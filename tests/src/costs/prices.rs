//! The prices and assumptions in `docs/prices.toml`.

use serde::Deserialize;

const PRICES: &str = include_str!("../../../docs/prices.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    pub date: String,
    pub aws: Aws,
    pub counted: Counted,
    pub free: Free,
    pub assumed: Assumed,
    pub other: Vec<Other>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aws {
    pub api_request: f64,
    pub lambda_request: f64,
    pub lambda_gb_second: f64,
    pub write_unit: f64,
    pub read_unit: f64,
    pub table_byte_month: f64,
    pub event: f64,
    pub mail: f64,
    pub sms: f64,
    pub log_byte: f64,
    pub log_byte_month: f64,
    pub secret: f64,
    pub secret_read: f64,
    pub alarm_metric: f64,
    pub metric: f64,
    pub dashboard: f64,
    pub trace: f64,
}

/// Figures that follow from the others, for readers without this crate.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counted {
    pub sign_in: f64,
}

/// The free units of each account in a month.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Free {
    pub alarm_metrics: usize,
    pub metrics: usize,
    pub dashboards: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assumed {
    pub trip_ms: f64,
    pub mail_ms: f64,
    pub vcpu_memory_mb: f64,
    pub platform_bytes: f64,
    pub log_compression: f64,
    pub logins_per_person: f64,
    pub active_days: f64,
    pub turnover: f64,
    pub shards: f64,
}

/// Another product.
#[derive(Deserialize)]
pub struct Other {
    pub name: String,
    base: f64,
    tiers: Vec<Tier>,
}

/// The price per user above a number, up to the next tier.
#[derive(Deserialize)]
struct Tier {
    above: u32,
    each: f64,
}

impl Prices {
    pub fn read() -> Prices {
        toml::from_str(PRICES).unwrap()
    }
}

impl Other {
    /// The price of a month with this many users.
    pub fn price(&self, people: u32) -> f64 {
        let ends = self.tiers.iter().skip(1).map(|tier| tier.above).chain([u32::MAX]);
        let tiers = self.tiers.iter().zip(ends);
        let prices = tiers.map(|(tier, end)| f64::from(people.min(end).saturating_sub(tier.above)) * tier.each);
        self.base + prices.sum::<f64>()
    }
}
