//! The language of a request.

use crate::config::Reader;
use crate::texts::Language;

/// Ranges of an `Accept-Language` header that are looked at.
const MOST_RANGES: usize = 16;

impl Language {
    /// Reads the language of people whose own is unknown or missing.
    pub fn read(read: &mut Reader<'_>) -> Language {
        let Some(tag) = read.get("DEFAULT_LOCALE") else { return Language::En };
        Language::ALL.into_iter().find(|language| language.tag() == tag).unwrap_or_else(|| {
            let all: Vec<_> = Language::ALL.iter().map(|language| language.tag()).collect();
            read.expect("DEFAULT_LOCALE", &format!("one of {}", all.join(", ")));
            Language::En
        })
    }

    /// The language for a request: of its `locale`, else the first of its `Accept-Language` header that has texts, else the
    /// usual one. An unknown language is no reason to refuse a request.
    pub(crate) fn choose(locale: Option<&str>, accepted: Option<&str>, usual: Language) -> Language {
        let of_header = || accepted.and_then(|header| ranges(header).into_iter().find_map(Language::of));
        locale.and_then(Language::of).or_else(of_header).unwrap_or(usual)
    }
}

/// The ranges of a header, the most wanted first. Those with a weight of zero are left out.
fn ranges(header: &str) -> Vec<&str> {
    let weighed = header.split(',').take(MOST_RANGES).filter_map(|part| {
        let (range, weight) = part.split_once(';').unwrap_or((part, "q=1"));
        let weight: f32 = weight.trim().strip_prefix("q=")?.trim().parse().ok()?;
        (weight > 0.0).then_some((range.trim(), weight))
    });
    let mut weighed: Vec<_> = weighed.collect();
    // Ranges of the same weight keep their order.
    weighed.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    weighed.into_iter().map(|(range, _)| range).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(locale: Option<&str>, accepted: Option<&str>) -> &'static str {
        Language::choose(locale, accepted, Language::Pl).tag()
    }

    #[test]
    fn a_language_is_looked_up_by_locale_then_header_then_setting() {
        for (locale, accepted, tag) in [
            (None, None, "pl"),
            (Some("de"), Some("fr"), "de"),
            (Some("DE-at-1996"), None, "de"),
            (Some("xx"), Some("fr-CA, en;q=0.8"), "fr"),
            (Some(""), Some(""), "pl"),
            (None, Some("xx, *;q=0.5"), "pl"),
            (None, Some("en;q=0.2, ja;q=0.9 , de;q=0"), "ja"),
            (None, Some("de;q=0, xx"), "pl"),
            (None, Some("en-GB,en;q=0.9"), "en"),
            (None, Some("pt-PT"), "pt-BR"),
            (None, Some("zh-CN"), "zh-Hans"),
            (None, Some("zh-Hans-SG"), "zh-Hans"),
            (None, Some("zh-TW, zh-Hant-HK, en;q=0.5"), "en"),
            (None, Some("it;q=NaN, de;q=x, nl;level=1, tr"), "tr"),
            (None, Some("-, --, ;q=1, ,"), "pl"),
        ] {
            assert_eq!(chosen(locale, accepted), tag, "{locale:?} {accepted:?}");
        }
        assert_eq!(chosen(None, Some(&format!("{}de", "xx,".repeat(MOST_RANGES)))), "pl");
    }
}
