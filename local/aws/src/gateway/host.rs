//! Checks the `Host` header. In AWS only the API's own host reaches a function; here any valid host does.

use std::net::IpAddr;

use http::HeaderMap;
use http::header::HOST;
use http::uri::Authority;

/// Whether the host is a plain name or an address, with or without a port. `lambda_http` panics on a host that is invalid
/// in a URL. AWS answers such a request before it reaches a function.
pub(super) fn is_plain(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(HOST) else { return true };
    let authority = host.to_str().ok().and_then(|text| text.parse::<Authority>().ok());
    authority.is_some_and(|authority| {
        let rest = authority.as_str().strip_prefix(authority.host());
        let is_port = rest.is_some_and(|rest| rest.is_empty() || authority.port_u16().is_some());
        is_port && is_name_or_address(authority.host())
    })
}

fn is_name_or_address(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if address.parse::<IpAddr>().is_ok() {
        return true;
    }
    let is_plain = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    // A last label with a leading digit would make it an address, and a Punycode label may be invalid.
    let is_name =
        host.rsplit('.').next().is_some_and(|label| label.starts_with(|char: char| char.is_ascii_alphabetic()));
    is_plain && is_name && !host.to_ascii_lowercase().contains("xn--")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hosts_that_a_url_can_have_are_plain() {
        let plain = |host: &str| is_plain(&HeaderMap::from_iter([(HOST, host.parse().unwrap())]));
        for host in ["localhost:3000", "127.0.0.1", "[::1]:3000", "evil.example", "api-1.example.com:443"] {
            assert!(plain(host), "{host}");
        }
        for host in ["", "a b", "1.2.3.4.5", "256.0.0.1", "a:99999", "[::1", "x@y", "xn--zz", "a/b", "example.com:"] {
            assert!(!plain(host), "{host}");
        }
        assert!(is_plain(&HeaderMap::new()));
    }
}
