//! What a session is used with, as coarse as its owner needs to know it again. Neither a user agent nor an address is kept.
//!
//! A table of sixteen words, not a database of patterns: nobody has to tell versions apart, and a name that is not here
//! is no harm.

use std::net::{IpAddr, Ipv6Addr};

use crate::words::Network;

/// A browser and a system, and the network that it was seen in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Such as `Firefox on Linux`: of words that stand below, whatever the client says.
    pub words: String,
    /// Such as `192.0.0.0/16`.
    pub prefix: String,
}

/// What gives a browser away, the first that fits: most call themselves by the names of others too.
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

/// The same of systems: an iPad and an Android are Macs and Linuxes in their own words.
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
    /// The device that calls itself `user_agent`, in `network`.
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

/// A provider's range: a /24 may be one company, and an IPv6 /48 one household.
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

    /// What is stored is bounded, whatever a client calls itself.
    #[test]
    fn the_longest_words_are_short() {
        let longest = |table: &[(&[&str], &str)]| table.iter().map(|(_, word)| word.len()).max().unwrap();
        assert!(longest(&BROWSERS) + " on ".len() + longest(&SYSTEMS) <= 40);
    }

    #[test]
    fn of_an_address_the_provider_is_left() {
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
