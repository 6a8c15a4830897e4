//! The page a user came from, as the client reports it.

use crate::words::is_invisible;

const LONGEST: usize = 2_048;

/// The part of the field `source_url` that is kept: an http or https URL, cut to 2,048 bytes. `None` for anything else.
///
/// The field only informs, so a strange or long one never keeps anybody from signing in. Text that could run as a script, or that
/// could change how a page or a log shows the text around it, is not kept (S153).
pub fn source_url(given: &str) -> Option<&str> {
    let text = given.trim();
    let is_web = ["http://", "https://"].iter().any(|scheme| {
        text.split_at_checked(scheme.len())
            .is_some_and(|(start, rest)| start.eq_ignore_ascii_case(scheme) && !rest.is_empty())
    });
    let is_odd = |char: char| char.is_control() || char.is_whitespace() || is_invisible(char);
    text.get(..text.floor_char_boundary(LONGEST)).filter(|_| is_web && !text.contains(is_odd))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_address_of_a_web_page_is_kept() {
        for kept in ["https://example.com/?utm_source=a", "http://example.com", "HTTPS://bücher.example/ö#x"] {
            assert_eq!(source_url(&format!(" {kept} ")), Some(kept));
        }
        for other in [
            "",
            "/pricing",
            "example.com",
            "https://",
            "javascript:alert(1)",
            "data:text/html,x",
            "android-app://com.example",
            "https://example.com/\u{202e}gpj.exe",
            "https://example.com/\r\nx",
            "https://example.com/\u{7f}",
            "https://example.com/<script> x",
        ] {
            assert_eq!(source_url(other), None, "{other}");
        }
    }

    #[test]
    fn a_long_url_is_cut_between_characters() {
        let long = format!("https://example.com/{}", "ö".repeat(2_000));
        let kept = source_url(&long).unwrap();
        assert!(kept.len() == 2_048 && long.starts_with(kept));
    }
}
