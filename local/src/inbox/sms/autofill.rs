//! The last line of an SMS as a browser reads it, by the WICG draft "Origin-bound one-time codes delivered via SMS".
//!
//! The draft accepts any token as a host. Chromium accepts host names only, and ends a code at a second `#`. This parser
//! accepts only lines that both understand. A host with a scheme or a port would bind the code to a page that cannot exist.

use serde::Serialize;

/// A code, and the page on which a browser fills it in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Autofill {
    /// The host of the page.
    pub host: String,
    /// The code.
    pub code: String,
    /// The host of a frame within the page. If present, the browser fills the code into this frame only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub embedded_host: Option<String>,
}

/// Parses `@host #code`, optionally followed by `@embedded-host`, with single spaces. Any further text is reserved for
/// future browsers.
pub(super) fn parsed(text: &str) -> Option<Autofill> {
    let line = text.rsplit(['\n', '\r']).next()?;
    let (host, rest) = token(line, '@')?;
    let (code, rest) = token(rest.strip_prefix(' ')?, '#')?;
    if !is_name(host) || code.contains('#') {
        return None;
    }
    let embedded = rest.strip_prefix(' ').and_then(|rest| token(rest, '@')).filter(|(host, _)| is_name(host));
    let [host, code] = [host, code].map(str::to_owned);
    Some(Autofill { host, code, embedded_host: embedded.map(|(host, _)| host.to_owned()) })
}

/// The token after `marker` up to the next white space, and the rest.
fn token(text: &str, marker: char) -> Option<(&str, &str)> {
    let text = text.strip_prefix(marker)?;
    let token = text.split(|letter: char| letter.is_ascii_whitespace()).next().filter(|token| !token.is_empty())?;
    Some((token, text.strip_prefix(token)?))
}

fn is_name(host: &str) -> bool {
    host.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fills(text: &str, host: &str, code: &str, embedded_host: Option<&str>) {
        let found = parsed(text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!((found.host.as_str(), found.code.as_str()), (host, code), "{text}");
        assert_eq!(found.embedded_host.as_deref(), embedded_host, "{text}");
    }

    #[test]
    fn the_last_line_names_host_and_code() {
        fills("@example.com #747723", "example.com", "747723", None);
        fills("747723 is your code.\n\n@example.com #747723", "example.com", "747723", None);
        fills("747723 is your code.\r\n@example.com #747723", "example.com", "747723", None);
        fills("747723 is your code.\r@example.com #747723", "example.com", "747723", None);
        fills("@other.example #1\n@app-1.example.com #AB-12", "app-1.example.com", "AB-12", None);
        fills("@localhost #123456", "localhost", "123456", None);
    }

    #[test]
    fn an_embedded_host_may_follow_and_other_text_is_ignored() {
        fills("@example.com #747723 @shop.example", "example.com", "747723", Some("shop.example"));
        fills("@example.com #747723 @shop.example $later", "example.com", "747723", Some("shop.example"));
        fills("@example.com #747723 %shop.example", "example.com", "747723", None);
        fills("@example.com #747723  @shop.example", "example.com", "747723", None);
        fills("@example.com #747723 @", "example.com", "747723", None);
        fills("@example.com #747723 sent by Example", "example.com", "747723", None);
        fills("@example.com #747723 ", "example.com", "747723", None);
        fills("@example.com #747723\t@shop.example", "example.com", "747723", None);
    }

    #[test]
    fn any_other_last_line_has_no_autofill() {
        for text in [
            "",
            "747723 is your code.",
            "@example.com #747723\n",
            "@example.com #747723\nBye",
            "something @example.com #747723",
            " @example.com #747723",
            "@example.com  #747723",
            "@example.com\t#747723",
            "@example.com\u{a0}#747723",
            "@example.com code #747723",
            "@example.com#747723",
            "@example.com 747723",
            "@example.com #",
            "@example.com # 747723",
            "@example.com",
            "@ #747723",
            "#747723 @example.com",
            "#747723 @shop.example @example.com",
            "@https://example.com #747723",
            "@example.com:8080 #747723",
            "@example.com/sign-in #747723",
            "@exämple.com #747723",
            "@example.com #747#723",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }
}
