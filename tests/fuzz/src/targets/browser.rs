//! Headers added by browsers and proxies.

use std::net::{IpAddr, SocketAddr};
use std::sync::OnceLock;
use std::time::Duration;

use shared::config;
use shared::http::{Cookie, Cookies, Frontends, Origin, Page, Proxies, TokenDelivery};
use shared::words::Network;

use crate::{Target, Word, texts};

#[rustfmt::skip] // Words side by side.
pub(super) const COOKIES: Target = Target {
    name: "cookies", asks_functions: false,
    run: cookies,
    seeds: || {
        texts([
            "__Host-refresh=v1.r1.x; a=b; __Host-device=v1.1.x",
            "__Host-refresh=a; __Host-refresh=b",
            "__Host-challenge=AAAA\n__Host-device=\n;;=;",
        ])
    },
    dictionary: &[
        "__Host-refresh", "__Host-challenge", "__Host-device", "__host-refresh", "=", ";", "; ", ",", "\"", " ",
        "\t", "aaaaaaaaaaaaaaaa",
    ],
    reaches: &["found", "none", "refused"],
};

const ALL: [Cookie; 3] = [Cookie::Refresh, Cookie::Challenge, Cookie::Device];

/// A cookie's value is printable, or missing, or refused. A value found can be stored and found again.
fn cookies(input: &[u8]) -> Word {
    let read = Cookies::read(input.split(|byte| *byte == b'\n'));
    let found = ALL.map(|cookie| read.get(cookie));
    for (cookie, value) in ALL.iter().zip(&found) {
        let Ok(Some(value)) = value else { continue };
        assert!((1..=512).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_graphic() && byte != b';'));
        let line = cookie.keep(value, Duration::from_secs(60));
        let kept = Cookies::read([line.split(';').next().unwrap().as_bytes()].into_iter());
        assert!(kept.get(*cookie).is_ok_and(|again| again == Some(*value)), "{line}");
    }
    match found {
        found if found.iter().any(Result::is_err) => "refused",
        found if found.iter().flatten().any(Option::is_some) => "found",
        _ => "none",
    }
}

#[rustfmt::skip] // Words side by side.
pub(super) const ORIGIN: Target = Target {
    name: "origin", asks_functions: false,
    run: origin,
    seeds: || {
        texts([
            "https://app.example.com",
            "https://app.example.com:8443",
            "http://localhost:3000",
            "http://[::1]:5173",
            "http://192.0.2.1",
            "null",
        ])
    },
    dictionary: &[
        "https://", "http://", "app.example.com", "example.com", "localhost", "evil", ".", ":", ":443", ":80", ":0",
        ":65536", "[", "]", "[::1]", "127.0.0.1", "@", "/", "\\", "#", "?", "%2e", "xn--", "*", "-",
    ],
    reaches: &["allowed", "an origin", "none"],
};

/// An origin has one spelling. Origins outside the list authorize nothing (S61).
fn origin(input: &[u8]) -> Word {
    static FRONTENDS: OnceLock<Frontends> = OnceLock::new();
    const LIST: [&str; 2] = ["https://app.example.com", "http://localhost:3000"];
    let text = String::from_utf8_lossy(input);
    let frontends = FRONTENDS.get_or_init(|| {
        let origins = LIST.map(|text| text.parse().unwrap()).to_vec();
        Frontends::new(TokenDelivery::Body, origins, Some("auth.example.com".to_owned()))
    });
    let page = Page { origin: Some(text.clone().into_owned()), is_same_origin: false };
    let is_allowed = frontends.delivery(Some(TokenDelivery::Cookie), true, &page).is_ok();
    assert_eq!(is_allowed, LIST.contains(&text.as_ref()), "{text}");
    let Ok(origin) = text.parse::<Origin>() else {
        assert!(!is_allowed);
        return "none";
    };
    assert_eq!(origin.as_str(), text);
    assert!(
        !origin.host().is_empty() && !origin.host().contains(['/', '@', '\\', '?', '#']) && text.is_ascii(),
        "{text}"
    );
    let scheme = if origin.is_https() { "https://" } else { "http://" };
    let rest = text.strip_prefix(scheme).and_then(|rest| rest.strip_prefix(origin.host())).unwrap();
    assert!(rest.is_empty() || rest.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok()), "{text}");
    // The site of any host can be looked up.
    let _ = Frontends::new(TokenDelivery::Cookie, vec![origin.clone()], Some(origin.host().to_owned()))
        .without_cookies()
        .count();
    if is_allowed { "allowed" } else { "an origin" }
}

#[rustfmt::skip] // Words side by side.
pub(super) const PROXIES: Target = Target {
    name: "proxies", asks_functions: false,
    run: proxies,
    seeds: || {
        texts([
            "10.0.0.0/8\n10.0.0.1\n203.0.113.9, 198.51.100.7, 10.0.0.2",
            "2001:db8::/32,10.0.0.0/8\n2001:db8::1\n::ffff:198.51.100.7",
            "\n192.0.2.1\n198.51.100.7",
            "0.0.0.0/0,::/0\n192.0.2.1\n198.51.100.7\n203.0.113.9",
        ])
    },
    dictionary: &[
        ",", "\n", "/", "/0", "/8", "/32", "/128", "/129", "10.0.0.1", "::1", "::ffff:", "::", "%eth0", ":80", "[",
        "]", "010", "0x", "unknown", "_hidden",
    ],
    reaches: &["the peer", "forwarded", "no list"],
};

/// First line: the trusted proxies, two of them. Second: the peer. Others: `X-Forwarded-For`. Only
/// listed proxies are trusted, and only as many as there are (S65, S159).
fn proxies(input: &[u8]) -> Word {
    let text = String::from_utf8_lossy(input);
    let mut lines = text.split('\n');
    let (list, peer) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let hops = if list.trim().is_empty() { "0" } else { "2" };
    let setting = |name: &str| match name {
        "TRUSTED_PROXIES" => Some(list.to_owned()),
        "TRUSTED_HOPS" => Some(hops.to_owned()),
        _ => None,
    };
    let Ok(proxies) = config::read(setting, Proxies::read) else {
        return "no list";
    };
    let peer: IpAddr = peer.trim().parse().unwrap_or_else(|_| "10.0.0.1".parse().unwrap());
    let headers: Vec<&str> = lines.collect();
    let client = proxies.client(peer, headers.iter().map(|header| header.as_bytes()), None);
    let is_trusted = |address: IpAddr| proxies.networks().any(|network| network.contains(&address.to_canonical()));
    let entries: Vec<&str> = headers.iter().flat_map(|header| header.split(',')).collect();
    // The peer's own entry, and one for each proxy.
    let read = entries.iter().rev().take(3).any(|entry| entry.contains(&client.to_string()) || is_alike(entry, client));
    assert!(client == peer || (is_trusted(peer) && read), "{text}");
    let network = Network::of(client);
    assert!(Network::of(network.reveal()) == network && Network::of(client.to_canonical()) == network, "{client}");
    if client == peer { "the peer" } else { "forwarded" }
}

/// Whether the entry is another spelling of the address, possibly with a port and brackets.
fn is_alike(entry: &str, address: IpAddr) -> bool {
    let entry = entry.trim();
    let bare = entry.trim_start_matches('[').split(']').next().unwrap_or_default();
    bare.parse() == Ok(address) || entry.parse::<SocketAddr>().is_ok_and(|entry| entry.ip() == address)
}
