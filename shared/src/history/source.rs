//! The name of the site that a person came from.

/// The name for a sign-up without a source.
pub const NO_SOURCE: &str = "none";

/// In bytes. A host name may have 253, but a list of sources is read by people.
const LONGEST: usize = 64;

/// The name of a source: the host of its URL in lower case, without `www.` and port. [`NO_SOURCE`] for a missing or odd URL.
///
/// The rest of the URL may name a person, so it goes no further than its item.
pub fn source_of(url: Option<&str>) -> String {
    url.and_then(host).unwrap_or_else(|| NO_SOURCE.to_owned())
}

fn host(url: &str) -> Option<String> {
    let (scheme, rest) = url.trim().split_once("://")?;
    let is_web = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    let authority = rest.split(['/', '?', '#', '\\']).next().filter(|_| is_web)?;
    let host = authority.rsplit('@').next()?;
    let host = if host.starts_with('[') { host.split_inclusive(']').next()? } else { host.split(':').next()? };
    let host = host.trim_end_matches('.').to_lowercase();
    let host = host.strip_prefix("www.").unwrap_or(&host);
    let is_host = |char: char| char.is_alphanumeric() || matches!(char, '.' | '-' | '[' | ']' | ':');
    let is_named = !host.is_empty() && host.chars().all(is_host);
    is_named.then(|| host.get(..host.floor_char_boundary(LONGEST)).unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_the_host_of_its_url() {
        for (url, name) in [
            ("https://example.com", "example.com"),
            ("HTTPS://WWW.Example.COM:8443/pricing?a=b#c", "example.com"),
            ("http://ada@example.com/x", "example.com"),
            ("https://example.com?next=https://other.example", "example.com"),
            ("https://blog.example.com./", "blog.example.com"),
            ("https://bücher.example/ö", "bücher.example"),
            ("https://[2001:db8::1]:3000/", "[2001:db8::1]"),
            ("https://", NO_SOURCE),
            ("https://a b/", NO_SOURCE),
            ("javascript://example.com", NO_SOURCE),
            ("example.com", NO_SOURCE),
            ("", NO_SOURCE),
        ] {
            assert_eq!(source_of(Some(url)), name, "{url}");
        }
        assert_eq!(source_of(None), NO_SOURCE);
        assert_eq!(source_of(Some(&format!("https://{}.example", "ö".repeat(100)))), "ö".repeat(32));
    }
}
