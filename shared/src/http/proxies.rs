//! Where a request comes from, when proxies stand before the gateway.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::config::Reader;

/// Proxies whose `X-Forwarded-For` is believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies(Vec<IpNet>);

impl Proxies {
    /// Reads its variable.
    pub fn read(read: &mut Reader<'_>) -> Proxies {
        let expected = "networks such as 192.0.2.0/24, separated by commas";
        Proxies(read.list("TRUSTED_PROXIES", expected, |text| text.parse().ok()))
    }

    /// The networks that they are in.
    pub fn networks(&self) -> impl Iterator<Item = &IpNet> {
        self.0.iter()
    }

    /// The address of the client: `peer`, unless that is a trusted proxy; then the last address in the forwarded list
    /// that is not one. The list is read from the right, because a client writes its left end (V24, S65), and in bytes,
    /// because it may write any there.
    pub fn client<'a>(&self, peer: IpAddr, forwarded: impl DoubleEndedIterator<Item = &'a [u8]>) -> IpAddr {
        let is_trusted = |address: IpAddr| self.0.iter().any(|network| network.contains(&address.to_canonical()));
        let mut client = peer;
        for hop in forwarded.rev().flat_map(|header| header.rsplit(|&byte| byte == b',')) {
            if !is_trusted(client) {
                break;
            }
            // Nothing to the left of what cannot be read can be believed.
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

    /// V24: what a client writes into the header is believed only behind a trusted proxy, and only its right end.
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
