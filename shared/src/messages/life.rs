//! The life of a code in words.

use std::time::Duration;

use crate::texts::{Language, life};

/// Whole minutes, or else seconds. One minute is told as 60 seconds, so both numbers are above one and need no singular.
pub(super) fn in_words(language: Language, time: Duration) -> String {
    match time.as_secs() {
        seconds if seconds > 60 && seconds % 60 == 0 => life::minutes(language, &(seconds / 60).to_string()),
        seconds => life::seconds(language, &seconds.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_is_written_in_words() {
        for (seconds, words) in [(60, "60 seconds"), (90, "90 seconds"), (120, "2 minutes"), (600, "10 minutes")] {
            assert_eq!(in_words(Language::En, Duration::from_secs(seconds)), words);
        }
    }
}
