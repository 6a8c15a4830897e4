//! The origins of frontends' pages, as browsers write them.

use std::net::IpAddr;
use std::str::FromStr;

use crate::words::{Error, Result, is_host_label};

/// An origin such as `https://app.example.com`, with a port unless it is the scheme's default. Each origin has one spelling, so
/// origins are compared as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    text: String,
    host: String,
    is_https: bool,
}

impl Origin {
    /// The origin as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host name or address.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether the scheme is https.
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// Whether the host is the browser's own machine. Browsers trust it without TLS.
    pub fn is_loopback(&self) -> bool {
        let is_local_name = self.host == "localhost" || self.host.ends_with(".localhost");
        is_local_name || address(&self.host).is_some_and(|address| address.to_canonical().is_loopback())
    }
}

impl FromStr for Origin {
    type Err = Error;

    fn from_str(text: &str) -> Result<Origin> {
        let is_https = text.starts_with("https://");
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let (host, port) = rest.and_then(parts).ok_or_else(unreadable)?;
        // A browser omits the scheme's default port and leading zeros.
        let is_usual = port.is_none_or(|port| port == if is_https { "443" } else { "80" });
        let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|number| number.to_string() == port));
        let is_host = is_host_name(host) || address(host).is_some();
        if !is_host || !is_port || (is_usual && port.is_some()) {
            return Err(unreadable());
        }
        Ok(Origin { text: text.to_owned(), host: host.to_owned(), is_https })
    }
}

fn unreadable() -> Error {
    Error::invalid("This is not an origin. Use a scheme and a host, such as https://app.example.com.")
}

/// Splits host and port. An IPv6 address keeps its brackets.
fn parts(rest: &str) -> Option<(&str, Option<&str>)> {
    if rest.starts_with('[') {
        let end = rest.find(']')? + 1;
        let (host, after) = rest.split_at(end);
        return if after.is_empty() { Some((host, None)) } else { Some((host, Some(after.strip_prefix(':')?))) };
    }
    Some(rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port))))
}

/// The host as an IP address, if it is one.
pub(super) fn address(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(inner) => inner.parse().ok().filter(IpAddr::is_ipv6),
        None => host.parse().ok().filter(IpAddr::is_ipv4),
    }
}

/// Whether `text` is a host name in lower case, as in certificates and browsers.
pub fn is_host_name(text: &str) -> bool {
    // With digits as its last label it would be an IP address.
    let is_number = text.rsplit('.').next().is_some_and(|label| label.bytes().all(|byte| byte.is_ascii_digit()));
    text.len() <= 253 && !is_number && text.split('.').all(is_host_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_one_spelling() {
        for text in ["https://app.example.com", "http://localhost:3000", "http://127.0.0.1:8080", "http://[::1]:5173"] {
            assert_eq!(text.parse::<Origin>().unwrap().as_str(), text);
        }
        for text in [
            "",
            "null",
            "*",
            "https://",
            "https://*",
            "https://*.example.com",
            "app.example.com",
            "ftp://app.example.com",
            "https://app.example.com/",
            "https://APP.example.com",
            "HTTPS://app.example.com",
            "https://app.example.com:443",
            "http://app.example.com:80",
            "https://app.example.com:",
            "https://app.example.com:0443",
            "https://app.example.com:65536",
            "https://user@app.example.com",
            "https://app.example.com.",
            "https://app..example.com",
            "https://1.2.3.4.5",
            "http://[::1",
            "http://[::1]3000",
            "http://[127.0.0.1]",
            "https://app.example.com https://evil.example",
        ] {
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
    }

    #[test]
    fn loopback_is_this_machine() {
        let is_loopback = |text: &str| text.parse::<Origin>().unwrap().is_loopback();
        for text in ["http://localhost", "http://app.localhost:3000", "http://127.9.9.9", "https://[::1]:1"] {
            assert!(is_loopback(text), "{text}");
        }
        for text in ["http://localhost.example.com", "http://notlocalhost", "http://10.0.0.1", "http://[::2]"] {
            assert!(!is_loopback(text), "{text}");
        }
    }
}
