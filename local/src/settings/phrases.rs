//! Durations, counts and switches in words.

use std::time::Duration;

/// Such as `1 hour 30 minutes`, or `none` for a zero duration.
pub(super) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let parts = [
        (seconds / 86_400, "day"),
        (seconds / 3_600 % 24, "hour"),
        (seconds / 60 % 60, "minute"),
        (seconds % 60, "second"),
        (u64::from(duration.subsec_millis()), "millisecond"),
    ];
    let words: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| counted(*count, unit)).collect();
    if words.is_empty() { "none".to_owned() } else { words.join(" ") }
}

/// Such as `1 digit` and `6 digits`.
pub(super) fn counted(count: impl Into<u64>, thing: &str) -> String {
    let count = count.into();
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

pub(super) fn on_or_off(is_on: bool) -> &'static str {
    if is_on { "on" } else { "off" }
}

pub(super) fn given(text: &Option<String>, otherwise: &str) -> String {
    text.as_deref().unwrap_or(otherwise).to_owned()
}

pub(super) fn listed(items: impl IntoIterator<Item = impl ToString>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_said_in_the_largest_units() {
        for (milliseconds, words) in [
            (0, "none"),
            (250, "250 milliseconds"),
            (1_000, "1 second"),
            (900_000, "15 minutes"),
            (3_600_000, "1 hour"),
            (5_430_000, "1 hour 30 minutes 30 seconds"),
            (86_400_000, "1 day"),
            (90 * 86_400_000, "90 days"),
        ] {
            assert_eq!(duration(Duration::from_millis(milliseconds)), words);
        }
    }
}
