//! The client's address, if proxies stand before API Gateway.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::config::Reader;

/// Proxies with a trusted `X-Forwarded-For` header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies(Vec<IpNet>);

impl Proxies {
    /// Reads the setting from its variable.
    pub fn read(read: &mut Reader<'_>) -> Proxies {
        let expected =
            "networks such as 192.0.2.0/24, separated by commas, with a prefix of at most 32 bits (IPv6: 128)";
        Proxies(read.list("TRUSTED_PROXIES", expected, |text| text.parse().ok()))
    }

    /// The networks of the proxies.
    pub fn networks(&self) -> impl Iterator<Item = &IpNet> {
        self.0.iter()
    }

    /// The client's address. Normally this is `peer`. If `peer` is a trusted proxy, it is the last address in the forwarded list
    /// outside the trusted networks. The list is read from the right, because a client can write its left end (V24, S65).
    /// It is read as bytes, because a client can write any bytes there.
    pub fn client<'a>(&self, peer: IpAddr, forwarded: impl DoubleEndedIterator<Item = &'a [u8]>) -> IpAddr {
        let is_trusted = |address: IpAddr| self.0.iter().any(|network| network.contains(&address.to_canonical()));
        let mut client = peer;
        for hop in forwarded.rev().flat_map(|header| header.rsplit(|&byte| byte == b',')) {
            if !is_trusted(client) {
                break;
            }
            // An unreadable entry ends the list, because nothing to its left can be trusted.
            let Some(address) = str::from_utf8(hop).ok().and_then(|hop| hop.trim().parse().ok()) else { break };
            client = address;
        }
        client
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(list: &str) -> Option<Proxies> {
        crate::config::read(|_| Some(list.to_owned()), Proxies::read).ok()
    }

    fn client(trusted: &str, peer: &str, forwarded: &[&str]) -> String {
        proxies(trusted)
            .unwrap()
            .client(peer.parse().unwrap(), forwarded.iter().map(|header| header.as_bytes()))
            .to_string()
    }

    /// V24: the header counts only behind a trusted proxy, and only its right end.
    #[test]
    fn a_forwarded_address_is_read_from_the_right() {
        assert_eq!(client("", "192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(client("10.0.0.0/8", "192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", &["203.0.113.9, 198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", &["203.0.113.9", "198.51.100.7, 10.0.0.2"]), "198.51.100.7");
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", &["198.51.100.7, nonsense"]), "10.0.0.1");
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", &["\u{e9}", "\u{e9}, 198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", &["198.51.100.7, \u{e9}"]), "10.0.0.1");
        assert_eq!(client("10.0.0.0/8", "::ffff:10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("10.0.0.0/8", "10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn a_list_of_proxies_is_read_whole_or_not_at_all() {
        assert_eq!(proxies(" 10.0.0.0/8 , 2001:db8::/32").unwrap().0.len(), 2);
        assert!(proxies("10.0.0.0/8, here").is_none());
    }
}
