//! A coarse description of the device, so that users recognize their sessions. User agents and addresses are not stored.
//!
//! A table of sixteen names is enough. Users do not need versions, and an unknown device is harmless.

use std::net::{IpAddr, Ipv6Addr};

use crate::words::Network;

/// A browser and an operating system, and the network of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// For example `Firefox on Linux`. Only names from the tables below occur, whatever the client sends.
    pub words: String,
    /// For example `192.0.0.0/16`.
    pub prefix: String,
}

/// Marks of browsers in user agents. The first match wins, because most browsers also contain the names of others.
const BROWSERS: [(&[&str], &str); 8] = [
    (&["Edg/", "EdgA/", "EdgiOS/"], "Edge"),
    (&["OPR/", "OPiOS/"], "Opera"),
    (&["SamsungBrowser/"], "Samsung Internet"),
    (&["Firefox/", "FxiOS/"], "Firefox"),
    (&["Chrome/", "CriOS/"], "Chrome"),
    (&["Safari/"], "Safari"),
    (&["okhttp/", "CFNetwork/", "Dart/"], "App"),
    (&["curl/"], "curl"),
];

/// Marks of operating systems. Specific ones come first, because iPads and Android devices also contain the marks of
/// macOS and Linux.
const SYSTEMS: [(&[&str], &str); 8] = [
    (&["Windows"], "Windows"),
    (&["iPhone"], "iPhone"),
    (&["iPad"], "iPad"),
    (&["Android", "okhttp/"], "Android"),
    (&["CrOS"], "ChromeOS"),
    (&["Macintosh", "Mac OS X"], "macOS"),
    (&["Linux"], "Linux"),
    (&["Darwin/"], "Apple device"),
];

impl Device {
    /// The device for this user agent and network.
    pub fn of(user_agent: Option<&str>, network: Network) -> Device {
        let text = user_agent.unwrap_or_default();
        let words = match (find(&BROWSERS, text), find(&SYSTEMS, text)) {
            (Some(browser), Some(system)) => format!("{browser} on {system}"),
            (Some(word), None) | (None, Some(word)) => word.to_owned(),
            (None, None) => "Unknown device".to_owned(),
        };
        Device { words, prefix: coarse(network) }
    }
}

fn find(table: &[(&[&str], &'static str)], text: &str) -> Option<&'static str> {
    table.iter().find(|(marks, _)| marks.iter().any(|mark| text.contains(mark))).map(|(_, word)| *word)
}

/// The provider's range: /16 or /32. A /24 may belong to one company, and an IPv6 /48 to one household.
fn coarse(network: Network) -> String {
    match network.reveal() {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            format!("{first}.{second}.0.0/16")
        }
        IpAddr::V6(address) => {
            let [first, second, ..] = address.segments();
            format!("{}/32", Ipv6Addr::new(first, second, 0, 0, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(user_agent: Option<&str>, address: &str) -> Device {
        Device::of(user_agent, Network::of(address.parse().unwrap()))
    }

    #[test]
    fn a_device_has_the_words_that_a_person_has_for_it() {
        for (user_agent, words) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
                "Chrome on Windows",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15",
                "Safari on macOS",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1",
                "Chrome on iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 14; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/26.0 Chrome/122.0.0.0 Mobile Safari/537.36",
                "Samsung Internet on Android",
            ),
            ("Example/3 CFNetwork/1568.100.1 Darwin/24.0.0", "App on Apple device"),
            ("okhttp/4.12.0", "App on Android"),
            ("curl/8.9.1", "curl"),
            ("Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X)", "iPad"),
            ("", "Unknown device"),
            ("<script>alert(1)</script>", "Unknown device"),
        ] {
            assert_eq!(device(Some(user_agent), "192.0.2.1").words, words, "{user_agent}");
        }
        assert_eq!(device(None, "192.0.2.1").words, "Unknown device");
    }

    /// The stored text is short for every user agent.
    #[test]
    fn the_longest_words_are_short() {
        let longest = |table: &[(&[&str], &str)]| table.iter().map(|(_, word)| word.len()).max().unwrap();
        assert!(longest(&BROWSERS) + " on ".len() + longest(&SYSTEMS) <= 40);
    }

    #[test]
    fn only_the_providers_prefix_of_an_address_is_left() {
        for (address, prefix) in [
            ("192.0.2.1", "192.0.0.0/16"),
            ("::ffff:192.0.2.1", "192.0.0.0/16"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8::/32"),
            ("::1", "::/32"),
        ] {
            assert_eq!(device(None, address).prefix, prefix);
        }
    }
}
