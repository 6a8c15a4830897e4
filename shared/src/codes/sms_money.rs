//! The daily limit of SMS in money, and what an SMS costs.

use std::collections::BTreeMap;

use crate::config::{Check, Reader};
use crate::words::{Country, Money};

/// A text of 3 KB. A lookup walks through its lines, so it needs no parser and no generated code.
const PRICES: &str = include_str!("../../data/sms_prices.toml");
/// The line of the countries without their own.
const DEFAULT: &str = "default";

const IS_BUDGET: Check = (
    |text| Money::read(text).is_some_and(|budget| budget > Money::default()),
    "US dollars, such as 25 or 2.50. SMS_DAILY_BUDGET=0 stops all SMS",
);

/// The limit on the cost of a day's SMS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmsMoney {
    /// The cost of all SMS in a day.
    pub daily: Money,
    /// The deployer's prices of one part of an SMS. They replace those of the table.
    pub prices: BTreeMap<Country, Money>,
}

impl SmsMoney {
    /// Reads the limit and the deployer's prices. `None` without a limit.
    pub(super) fn read(read: &mut Reader<'_>) -> Option<SmsMoney> {
        let expected = "prices of one part of an SMS in US dollars, such as GB=0.04,US=0.008";
        let prices: BTreeMap<Country, Money> = read.list("SMS_PRICES", expected, |item| {
            let (country, price) = item.split_once('=')?;
            Some((country.trim().parse().ok()?, Money::read(price.trim())?))
        });
        let daily = read.optional("SMS_DAILY_BUDGET_USD", IS_BUDGET);
        if daily.is_none() && !prices.is_empty() {
            read.report(
                "SMS_PRICES: prices have no effect without SMS_DAILY_BUDGET_USD. Set it, or remove SMS_PRICES"
                    .to_owned(),
            );
        }
        Some(SmsMoney { daily: Money::read(&daily?)?, prices })
    }

    /// The price of one part of an SMS to `country`.
    pub fn price(&self, country: Country) -> Money {
        self.prices.get(&country).copied().unwrap_or_else(|| list_price(country))
    }
}

/// The price of one part of an SMS in the table.
pub fn list_price(country: Country) -> Money {
    let price = |name: &str| PRICES.lines().find_map(|line| Money::read(line.strip_prefix(name)?.strip_prefix(" = ")?));
    price(country.code()).or_else(|| price(DEFAULT)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Option<SmsMoney>, String> {
        let lookup =
            |name: &str| variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_owned());
        crate::config::read(lookup, SmsMoney::read).map_err(|problems| problems.to_string())
    }

    /// Even countries without a line cost something.
    #[test]
    fn every_country_has_a_price() {
        let lines: Vec<&str> = PRICES.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
        let is_price = |line: &&str| line.split_once(" = ").is_some_and(|(_, price)| Money::read(price).is_some());
        assert!(lines.iter().all(is_price) && lines[1..].is_sorted(), "{lines:?}");
        let default = Money::read("0.75").unwrap();
        let (mut known, mut others) = (0, 0);
        for country in Country::all() {
            let price = list_price(country);
            assert!(price > Money::default() && price <= default, "{country:?} costs {price}");
            *if price == default { &mut others } else { &mut known } += 1;
        }
        assert_eq!(known, lines.len() - 1, "a line has no country, or costs as much as unknown ones");
        assert!(known > 200 && others > 10, "{known} and {others}");
    }

    #[test]
    fn a_price_may_be_replaced() {
        let usual = read(&[("SMS_DAILY_BUDGET_USD", "2.50")]).unwrap().unwrap();
        assert_eq!(usual.daily, Money::micros(2_500_000));
        let own = read(&[("SMS_DAILY_BUDGET_USD", "5"), ("SMS_PRICES", "us=0.5,FR = 1")]).unwrap().unwrap();
        let price = |money: &SmsMoney, code: &str| money.price(code.parse().unwrap()).to_string();
        assert_eq!([price(&usual, "GB"), price(&own, "GB")], ["0.055"; 2]);
        assert_eq!([price(&usual, "US"), price(&own, "US"), price(&own, "FR")], ["0.015", "0.50", "1.00"]);
    }

    #[test]
    fn money_is_off_without_a_limit() {
        assert_eq!(read(&[]), Ok(None));
        for (variables, problem) in [
            (&[("SMS_PRICES", "GB=0.04")][..], "SMS_PRICES: prices have no effect"),
            (&[("SMS_DAILY_BUDGET_USD", "0")], "SMS_DAILY_BUDGET_USD: expected US dollars"),
            (&[("SMS_DAILY_BUDGET_USD", "five")], "SMS_DAILY_BUDGET_USD: expected US dollars"),
            (&[("SMS_DAILY_BUDGET_USD", "5"), ("SMS_PRICES", "UK=0.04")], "SMS_PRICES: expected prices"),
            (&[("SMS_DAILY_BUDGET_USD", "5"), ("SMS_PRICES", "GB")], "SMS_PRICES: expected prices"),
        ] {
            let told = read(variables).unwrap_err();
            assert!(told.contains(problem), "{told}");
        }
    }
}
