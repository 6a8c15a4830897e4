//! Amounts of money.

use std::fmt;

/// An amount in US dollars, in whole millionths, so that sums are exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money(u64);

/// The digits after the point that a text may have.
const DECIMALS: usize = 6;
/// The digits before the point that a text may have.
const MOST_DIGITS: usize = 7;

impl Money {
    /// So many millionths of a dollar.
    pub const fn micros(micros: u64) -> Money {
        Money(micros)
    }

    /// Reads an amount such as `25` or `0.0581`: digits, and at most six more after a point.
    pub fn read(text: &str) -> Option<Money> {
        let (whole, part) = text.split_once('.').map_or((text, None), |(whole, part)| (whole, Some(part)));
        let is_number =
            |digits: &str, most| (1..=most).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(whole, MOST_DIGITS) || part.is_some_and(|part| !is_number(part, DECIMALS)) {
            return None;
        }
        format!("{whole}{:0<DECIMALS$}", part.unwrap_or_default()).parse().ok().map(Money)
    }

    /// The amount in millionths of a dollar.
    pub fn as_micros(self) -> u64 {
        self.0
    }

    /// So many times the amount.
    #[must_use]
    pub fn times(self, count: u32) -> Money {
        Money(self.0.saturating_mul(u64::from(count)))
    }

    /// The rest after `cost` is paid. `None` if it is not enough.
    pub fn less(self, cost: Money) -> Option<Money> {
        self.0.checked_sub(cost.0).map(Money)
    }
}

/// In dollars, with all digits that are needed, and two at least.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / 1_000_000, format!("{:06}", self.0 % 1_000_000));
        write!(f, "{whole}.{:0<2}", part.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_exact() {
        for (text, micros) in
            [("25", 25_000_000), ("0.04", 40_000), ("0.005811", 5_811), ("0", 0), ("9999999.999999", 9_999_999_999_999)]
        {
            assert_eq!(Money::read(text), Some(Money(micros)), "{text}");
        }
        for text in ["", ".", "1.", ".5", "-1", "+1", "1e3", "0.0000001", "12345678", "1,5", "$1", " 1", "٤"] {
            assert_eq!(Money::read(text), None, "{text}");
        }
    }

    #[test]
    fn an_amount_is_written_in_dollars() {
        for (micros, text) in [(25_000_000, "25.00"), (40_000, "0.04"), (5_811, "0.005811"), (500_000, "0.50")] {
            assert_eq!(Money(micros).to_string(), text);
        }
    }

    #[test]
    fn a_rest_is_never_negative() {
        let [one, two] = [1, 2].map(Money);
        assert_eq!((two.less(one), two.less(two), one.less(two)), (Some(one), Some(Money(0)), None));
        assert_eq!((two.times(3), two.times(0), Money(u64::MAX).times(2)), (Money(6), Money(0), Money(u64::MAX)));
    }
}
