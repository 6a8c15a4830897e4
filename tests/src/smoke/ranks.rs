//! The rank test of Mann and Whitney: whether one group of times tends to be longer than another.

use std::time::Duration;

/// The probability that a time of `one` is longer than a time of `other`, from 0 to 1. Without a difference it is near 0.5.
pub(super) fn chance(one: &[Duration], other: &[Duration]) -> f64 {
    let longer = |a: &Duration| other.iter().map(|b| f64::from(a > b) + f64::from(a == b) / 2.0).sum::<f64>();
    one.iter().map(longer).sum::<f64>() / (one.len() * other.len()) as f64
}

/// How far the chance may be from 0.5 if nothing differs: once in a thousand runs it is further.
pub(super) fn tolerance(one: usize, other: usize) -> f64 {
    const DEVIATIONS: f64 = 3.29;
    let (one, other) = (one as f64, other as f64);
    DEVIATIONS * ((one + other + 1.0) / (12.0 * one * other)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(times: &[u64]) -> Vec<Duration> {
        times.iter().map(|time| Duration::from_millis(*time)).collect()
    }

    #[test]
    fn a_difference_shows_in_the_ranks() {
        let times = millis(&[10, 12, 14, 16]);
        assert_eq!(chance(&times, &times), 0.5);
        assert_eq!(chance(&millis(&[20, 21]), &times), 1.0);
        assert_eq!(chance(&millis(&[1, 2]), &times), 0.0);
        assert_eq!(chance(&millis(&[11, 15]), &times), 0.5);
        // Ten and ten times have a standard deviation of 0.132.
        assert!((tolerance(10, 10) - 0.435).abs() < 0.001);
    }
}
