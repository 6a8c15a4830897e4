//! Where a user came from: the name and the category of a `source_url`.

use std::net::IpAddr;

use percent_encoding::percent_decode_str;

use super::sites::{self, CLICKS, PERSONAL};
use crate::words::is_invisible;

/// A source of sign-ups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What is kept of the URL: scheme, host, and the word or the parameters that decide the category. It is the same for all
    /// URLs of the source. In bytes at most 190.
    pub url: String,
    /// A name for people, such as `Facebook`.
    pub name: String,
    /// A category for people, such as `Facebook - Spring Campaign`.
    pub category: String,
}

/// In bytes. A longer host loses labels on its left.
const LONGEST_HOST: usize = 80;

/// In bytes, of a campaign's words.
const LONGEST_VALUE: usize = 32;

/// A value with more digits may be a phone number. A date has eight.
const MOST_DIGITS: usize = 8;

/// What of a URL decides the source.
struct Parts<'a> {
    scheme: &'static str,
    host: String,
    /// The segments of the path in lower case, without the endings of files.
    segments: Vec<String>,
    parameters: Vec<(&'a str, &'a str)>,
}

impl Source {
    /// The source of a URL. `None` unless it is an http or https URL with a host.
    ///
    /// A URL may name a person in its path and its parameters. So only words of known meaning are kept of the path, and of the
    /// parameters only what a campaign is called. Nothing that looks like an address or a phone number is kept (S185).
    pub fn of(url: &str) -> Option<Source> {
        let parts = Parts::read(url)?;
        let decided = parts.campaign().or_else(|| parts.click()).or_else(|| parts.site());
        let decided = decided.or_else(|| parts.development()).or_else(|| parts.personal()).or_else(|| parts.page());
        let (kept, name, category) = decided.unwrap_or_else(|| (String::new(), parts.owner(), "Website".to_owned()));
        Some(Source { url: format!("{}://{}{kept}", parts.scheme, parts.host), name, category })
    }
}

/// What of the path and the parameters is kept, the name and the category.
type Decided = (String, String, String);

impl<'a> Parts<'a> {
    fn read(url: &'a str) -> Option<Parts<'a>> {
        let (scheme, rest) = url.trim().split_once("://")?;
        let scheme = ["http", "https"].into_iter().find(|known| scheme.eq_ignore_ascii_case(known))?;
        let rest = rest.split('#').next()?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut path = rest.split(['/', '\\']);
        let host = host(path.next()?)?;
        let segment = |text: &str| text.split('.').next().unwrap_or_default().to_ascii_lowercase();
        let parameters = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        Some(Parts { scheme, host, segments: path.map(segment).collect(), parameters: parameters.collect() })
    }

    /// The first parameter of this name, and its value.
    fn parameter(&self, name: &str) -> Option<&'a str> {
        self.parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }

    /// The name of the host's owner.
    fn owner(&self) -> String {
        let (_, label) = sites::owner(&self.host);
        let is_plain = self.address().is_none() && !label.starts_with("xn--");
        if is_plain { title(label) } else { self.host.clone() }
    }

    fn address(&self) -> Option<IpAddr> {
        self.host.trim_start_matches('[').trim_end_matches(']').parse().ok()
    }

    fn campaign(&self) -> Option<Decided> {
        let source = self.parameter("utm_source").and_then(value).map(|value| ("utm_source", value));
        // Directories put their name there, others a person's code.
        let by_ref = || self.parameter("ref").and_then(value).filter(|value| sites::by_value(value).is_some());
        let source = source.or_else(|| by_ref().map(|value| ("ref", value)));
        let campaign = self.parameter("utm_campaign").and_then(value);
        let called = campaign.as_deref().map(|words| {
            let words = title(words);
            if words.ends_with("Campaign") { words } else { format!("{words} Campaign") }
        });
        let from = source.as_ref().map(|(_, value)| match sites::by_value(value) {
            Some(site) => site.name.to_owned(),
            None => title(value),
        });
        let category = match (&from, called) {
            (Some(from), Some(called)) => format!("{from} - {called}"),
            (Some(from), None) => from.clone(),
            (None, Some(called)) => called,
            (None, None) => return None,
        };
        let kept = source.into_iter().chain(campaign.map(|value| ("utm_campaign", value)));
        let kept: Vec<String> = kept.map(|(name, value)| format!("{name}={value}")).collect();
        Some((format!("?{}", kept.join("&")), from.unwrap_or_else(|| self.owner()), category))
    }

    /// Of an id of a click only the parameter's name is kept.
    fn click(&self) -> Option<Decided> {
        let (parameter, name, category) = CLICKS.iter().find(|(name, ..)| self.parameter(name).is_some())?;
        Some((format!("?{parameter}"), (*name).to_owned(), (*category).to_owned()))
    }

    fn site(&self) -> Option<Decided> {
        let site = sites::by_host(&self.host)?;
        Some((String::new(), site.name.to_owned(), site.category.to_owned()))
    }

    /// A developer's machine.
    fn development(&self) -> Option<Decided> {
        let is_private = match self.address() {
            Some(IpAddr::V4(address)) => address.is_loopback() || address.is_private() || address.is_link_local(),
            Some(IpAddr::V6(address)) => address.is_loopback() || address.is_unique_local(),
            None => ["localhost", "local", "test", "internal"].contains(&self.host.rsplit('.').next()?),
        };
        is_private.then(|| (String::new(), self.owner(), "Development".to_owned()))
    }

    /// Of a person's code only the parameter's name is kept.
    fn personal(&self) -> Option<Decided> {
        let (parameter, category) = PERSONAL.iter().find(|(name, _)| self.parameter(name).is_some())?;
        Some((format!("?{parameter}"), self.owner(), (*category).to_owned()))
    }

    fn page(&self) -> Option<Decided> {
        let (labels, _) = sites::owner(&self.host);
        if let Some((label, category)) = sites::category(&labels) {
            return Some((String::new(), format!("{} {}", self.owner(), title(label)), category.to_owned()));
        }
        let segments: Vec<&str> = self.segments.iter().map(String::as_str).collect();
        let (segment, category) = sites::category(&segments)?;
        Some((format!("/{segment}"), self.owner(), category.to_owned()))
    }
}

/// The host of an authority in its ASCII form, without `www.` and port.
fn host(authority: &str) -> Option<String> {
    let host = authority.rsplit('@').next()?;
    if host.starts_with('[') {
        let host = host.split_inclusive(']').next()?.to_ascii_lowercase();
        let is_address = |text: &str| text.parse::<IpAddr>().is_ok();
        return host.strip_prefix('[')?.strip_suffix(']').is_some_and(is_address).then_some(host);
    }
    let host = idna::domain_to_ascii(host.split(':').next()?).ok()?;
    let mut host = host.trim_matches('.');
    while host.len() > LONGEST_HOST {
        (_, host) = host.split_once('.')?;
    }
    while let Some(rest) = host.strip_prefix("www.").filter(|rest| rest.contains('.')) {
        host = rest;
    }
    let is_host = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'_');
    (!host.is_empty() && host.bytes().all(is_host)).then(|| host.to_owned())
}

/// A campaign's words in lower case, joined by hyphens. `None` if no word is left, or if it may be an address or a phone number.
fn value(raw: &str) -> Option<String> {
    let text = percent_decode_str(raw).decode_utf8_lossy().to_lowercase();
    let is_address = text.contains(['@', '\u{ff20}', '\u{fe6b}', '%']);
    if is_address || text.chars().filter(|char| char.is_numeric()).count() > MOST_DIGITS {
        return None;
    }
    let is_part = |char: char| (char.is_alphanumeric() || char == '.') && !is_invisible(char);
    let words = text.split(|char| !is_part(char)).map(|word| word.trim_matches('.'));
    let words = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
    let words = words.get(..words.floor_char_boundary(LONGEST_VALUE))?.trim_end_matches(['-', '.']);
    (!words.is_empty()).then(|| words.to_owned())
}

/// Words with capitals, for people. A value with a dot is a host and stays as it is.
fn title(words: &str) -> String {
    if words.contains('.') {
        return words.to_owned();
    }
    let capital = |word: &str| {
        let mut rest = word.chars();
        rest.next().map(|first| first.to_uppercase().chain(rest).collect::<String>())
    };
    words.split(['-', '_']).filter_map(capital).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A URL, and the source's URL, name and category.
    type Example = [&'static str; 4];

    #[rustfmt::skip] // One example a line.
    const EXAMPLES: [Example; 70] = [
        ["https://dashboard.myapp.com", "https://dashboard.myapp.com", "Myapp Dashboard", "Dashboard"],
        ["https://myapp.com?utm_source=facebook&utm_campaign=spring", "https://myapp.com?utm_source=facebook&utm_campaign=spring", "Facebook", "Facebook - Spring Campaign"],
        ["https://myapp.com/register", "https://myapp.com/register", "Myapp", "Website Registration"],
        ["https://dashboard.unrealon.com", "https://dashboard.unrealon.com", "Unrealon Dashboard", "Dashboard"],
        ["https://myapp.com", "https://myapp.com", "Myapp", "Website"],
        ["https://reforms.ai", "https://reforms.ai", "Reforms", "Website"],
        // Parts of the URL that decide nothing.
        ["HTTPS://WWW.Example.COM:8443/About?a=b#c", "https://example.com", "Example", "Website"],
        ["http://ada@example.com/x", "http://example.com", "Example", "Website"],
        ["https://example.com?next=https://other.example", "https://example.com", "Example", "Website"],
        ["https://eu.example.com./", "https://eu.example.com", "Example", "Website"],
        ["https://bücher.example/ö", "https://xn--bcher-kva.example", "xn--bcher-kva.example", "Website"],
        ["https://my-shop.co.uk/", "https://my-shop.co.uk", "My Shop", "Website"],
        ["https://myapp.vercel.app/", "https://myapp.vercel.app", "Myapp", "Website"],
        ["https://co.uk/", "https://co.uk", "Co", "Website"],
        ["https://8.8.8.8/", "https://8.8.8.8", "8.8.8.8", "Website"],
        ["https://[2001:db8::1]:3000/", "https://[2001:db8::1]", "[2001:db8::1]", "Website"],
        // Hosts and pages of the deployer.
        ["https://blog.example.com/hello?x=1", "https://blog.example.com", "Example Blog", "Blog"],
        ["https://docs.example.co.uk/start", "https://docs.example.co.uk", "Example Docs", "Documentation"],
        ["https://admin.eu.example.com", "https://admin.eu.example.com", "Example Admin", "Admin"],
        ["https://app.example.com/x", "https://app.example.com", "Example App", "App"],
        ["https://staging.example.com", "https://staging.example.com", "Example Staging", "Development"],
        ["https://example.com/de/sign-up.html", "https://example.com/sign-up", "Example", "Website Registration"],
        ["https://example.com/app/Register/ada", "https://example.com/register", "Example", "Website Registration"],
        ["https://example.com/login", "https://example.com/login", "Example", "Website Sign-In"],
        ["https://example.com/pricing/", "https://example.com/pricing", "Example", "Pricing Page"],
        ["https://example.com/blog/2026/05/hello", "https://example.com/blog", "Example", "Blog"],
        ["https://example.com/dashboard/7", "https://example.com/dashboard", "Example", "Dashboard"],
        ["https://example.com/invite/8f0c", "https://example.com/invite", "Example", "Invitation"],
        ["https://example.com/checkout", "https://example.com/checkout", "Example", "Checkout"],
        ["https://example.com/webinar", "https://example.com/webinar", "Example", "Event"],
        ["http://localhost:3000/register", "http://localhost", "Localhost", "Development"],
        ["http://127.0.0.1:8025/", "http://127.0.0.1", "127.0.0.1", "Development"],
        ["http://192.168.1.7/", "http://192.168.1.7", "192.168.1.7", "Development"],
        ["http://[::1]:5173/", "http://[::1]", "[::1]", "Development"],
        ["https://shop.example.test/", "https://shop.example.test", "Example", "Development"],
        // Campaigns.
        ["https://example.com/register?UTM_Source=Newsletter", "https://example.com?utm_source=newsletter", "Newsletter", "Newsletter"],
        ["https://example.com/?utm_campaign=black_friday", "https://example.com?utm_campaign=black-friday", "Example", "Black Friday Campaign"],
        ["https://example.com/?utm_source=FB&utm_campaign=Summer%20Sale+2026", "https://example.com?utm_source=fb&utm_campaign=summer-sale-2026", "Facebook", "Facebook - Summer Sale 2026 Campaign"],
        ["https://example.com/?utm_campaign=launch-campaign&utm_source=linkedin", "https://example.com?utm_source=linkedin&utm_campaign=launch-campaign", "LinkedIn", "LinkedIn - Launch Campaign"],
        ["https://example.com/?utm_source=chatgpt.com", "https://example.com?utm_source=chatgpt.com", "ChatGPT", "ChatGPT"],
        ["https://example.com/?utm_source=partner.example", "https://example.com?utm_source=partner.example", "partner.example", "partner.example"],
        ["https://example.com/?utm_source=hn", "https://example.com?utm_source=hn", "Hacker News", "Hacker News"],
        ["https://example.com/?utm_source=frühling", "https://example.com?utm_source=frühling", "Frühling", "Frühling"],
        ["https://example.com/?utm_source=&utm_campaign=", "https://example.com", "Example", "Website"],
        ["https://example.com/?utm_source=%3Cscript%3E", "https://example.com?utm_source=script", "Script", "Script"],
        ["https://example.com/?utm_source=google&gclid=x", "https://example.com?utm_source=google", "Google", "Google"],
        ["https://example.com/?gclid=EAIaIQ", "https://example.com?gclid", "Google", "Google Ads"],
        ["https://example.com/?fbclid=IwAR", "https://example.com?fbclid", "Facebook", "Facebook"],
        ["https://example.com/pricing?msclkid=7", "https://example.com?msclkid", "Microsoft", "Microsoft Ads"],
        ["https://example.com/?mc_cid=1&mc_eid=2", "https://example.com?mc_cid", "Mailchimp", "Newsletter"],
        ["https://example.com/?ref=producthunt", "https://example.com?ref=producthunt", "Product Hunt", "Product Hunt"],
        ["https://example.com/?ref=A1B2C3", "https://example.com?ref", "Example", "Referral"],
        ["https://example.com/register?invite_code=77", "https://example.com?invite_code", "Example", "Invitation"],
        // Other sites.
        ["https://www.google.com/search?q=passwordless", "https://google.com", "Google", "Search Engine"],
        ["https://www.google.co.uk/", "https://google.co.uk", "Google", "Search Engine"],
        ["https://mail.google.com/mail/u/0/", "https://mail.google.com", "Gmail", "Mail"],
        ["https://duckduckgo.com/", "https://duckduckgo.com", "DuckDuckGo", "Search Engine"],
        ["https://l.facebook.com/l.php?u=x", "https://l.facebook.com", "Facebook", "Social Network"],
        ["https://t.co/abc", "https://t.co", "X", "Social Network"],
        ["https://x.com/ada/status/1", "https://x.com", "X", "Social Network"],
        ["https://notx.com/", "https://notx.com", "Notx", "Website"],
        ["https://lnkd.in/e5", "https://lnkd.in", "LinkedIn", "Social Network"],
        ["https://old.reddit.com/r/rust", "https://old.reddit.com", "Reddit", "Social Network"],
        ["https://youtu.be/abc", "https://youtu.be", "YouTube", "Video"],
        ["https://t.me/ada", "https://t.me", "Telegram", "Messenger"],
        ["https://github.com/ada", "https://github.com", "GitHub", "Developer Site"],
        ["https://ada.github.io/", "https://ada.github.io", "Ada", "Website"],
        ["https://news.ycombinator.com/item?id=1", "https://news.ycombinator.com", "Hacker News", "Developer Site"],
        ["https://chatgpt.com/", "https://chatgpt.com", "ChatGPT", "AI Assistant"],
        ["https://facebook.example.com/", "https://facebook.example.com", "Example", "Website"],
    ];

    #[test]
    fn a_source_has_a_name_and_a_category() {
        for [given, url, name, category] in EXAMPLES {
            let found = Source::of(given).unwrap();
            assert_eq!([found.url.as_str(), &found.name, &found.category], [url, name, category], "{given}");
        }
    }

    #[test]
    fn only_web_pages_with_a_host_are_sources() {
        for other in [
            "",
            "example.com",
            "/register",
            "https://",
            "https://a b/",
            "https://[::1/",
            "https://[x]/",
            "https://<script>/",
            "https://..",
            "javascript://example.com",
            "android-app://com.google.android.gm/",
        ] {
            assert_eq!(Source::of(other), None, "{other}");
        }
    }

    /// What is kept of a URL is the same source, so a source can be named again later.
    #[test]
    fn the_kept_url_names_the_same_source() {
        for [given, ..] in EXAMPLES {
            let source = Source::of(given).unwrap();
            assert_eq!(Source::of(&source.url).as_ref(), Some(&source), "{given}");
        }
    }

    /// S185
    #[test]
    fn no_address_and_no_number_of_a_person_is_kept() {
        let texts =
            ["ada@example.org", "ada%40example.org", "ada%2540example.org", "ada＠example.org", "%2B447400123456"];
        for text in texts.into_iter().chain(["447400-123456", "8f0c2d7b41a9e655"]) {
            let pages = ["/register", "/", "/invite/", "/x/"].map(|page| format!("https://example.com{page}{text}"));
            let names = ["utm_source", "utm_campaign", "utm_content", "ref", "gclid", "invite", "email"];
            let named = names.map(|name| format!("https://example.com/?{name}={text}&utm_term={text}#{text}"));
            let ahead = format!("https://{text}@example.com/?utm_source=letter&utm_campaign={text}");
            for url in pages.into_iter().chain(named).chain([ahead]) {
                let source = Source::of(&url).unwrap();
                let told = format!("{source:?}");
                let is_told = ["ada", "7400", "123456", "8f0c"].iter().any(|part| told.contains(part));
                assert!(!is_told, "{url}: {told}");
            }
        }
    }

    #[test]
    fn what_is_kept_has_a_limit() {
        let long = "ö".repeat(400);
        let hosts = [format!("{}.example.com", "a.".repeat(99)), "example.com".to_owned()];
        for host in hosts {
            for rest in [format!("/{long}"), format!("?utm_source={long}&utm_campaign={long}")] {
                let source = Source::of(&format!("https://{host}{rest}")).unwrap();
                assert!(source.url.len() <= 190 && source.category.len() <= 90, "{source:?}");
                assert_eq!(Source::of(&source.url), Some(source));
            }
        }
    }
}
