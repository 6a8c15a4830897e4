//! The lookup of a language.

use super::Language;

impl Language {
    /// Its direction, as HTML names it.
    pub(crate) fn direction(self) -> &'static str {
        if self.is_rtl() { "rtl" } else { "ltr" }
    }

    /// The side where its lines start.
    pub(crate) fn start(self) -> &'static str {
        if self.is_rtl() { "right" } else { "left" }
    }

    /// The language for a range, by lookup (RFC 4647 §3.4): `de-CH` finds `de`.
    pub(crate) fn of(range: &str) -> Option<Language> {
        let mut range = range.trim();
        loop {
            let is_it = |tag: &str| tag.eq_ignore_ascii_case(range);
            let found = Language::ALL
                .into_iter()
                .find(|language| is_it(language.tag()) || language.also().iter().any(|tag| is_it(tag)));
            // Readers of traditional Chinese would rather have the next language of their list.
            if Language::ALL.into_iter().any(|language| language.except().iter().any(|tag| is_it(tag))) {
                return None;
            }
            if found.is_some() {
                return found;
            }
            range = range.rsplit_once('-')?.0;
        }
    }
}
