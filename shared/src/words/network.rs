//! Networks: the unit for limits on the origin of requests.

use std::net::{IpAddr, Ipv6Addr};

use data_encoding::BASE64URL_NOPAD;

use crate::words::masked::masked;

/// One IPv4 address or one IPv6 /64. One subscriber usually controls either (V25).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(IpAddr);

impl Network {
    /// The network of `address`. An IPv4-mapped IPv6 address counts as IPv4.
    pub fn of(address: IpAddr) -> Network {
        match address.to_canonical() {
            IpAddr::V6(address) => {
                let prefix = u128::from(address) & (u128::MAX << 64);
                Network(IpAddr::V6(Ipv6Addr::from(prefix)))
            }
            v4 => Network(v4),
        }
    }

    /// The address, as input for its digest.
    pub fn reveal(self) -> IpAddr {
        self.0
    }

    /// The /48 around an IPv6 /64, and the number of the /64 in it. Providers give a household a /56 and a company a /48, and anybody
    /// can get a /48 for nothing.
    pub(super) fn site(self) -> Option<(Ipv6Addr, u16)> {
        let IpAddr::V6(address) = self.0 else { return None };
        let [first, second, third, subnet, ..] = address.segments();
        Some((Ipv6Addr::new(first, second, third, 0, 0, 0, 0, 0), subnet))
    }
}

masked!(Network);

/// The keyed digest of a [`Network`], 22 characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NetworkDigest {
    digest: String,
    site: Option<Site>,
}

/// The digest of an IPv6 /48, and the names of a /56 and a /64 in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Site {
    digest: String,
    names: [String; 2],
}

impl NetworkDigest {
    pub(crate) fn new(digest: String) -> NetworkDigest {
        NetworkDigest { digest, site: None }
    }

    /// The digest of the /64 number `subnet` in the /48 with this MAC. The end of the MAC hides the number, so that the names
    /// of the /56 and the /64 say nothing about the address, and never collide.
    pub(super) fn in_site(self, mac: &[u8; 32], subnet: u16) -> NetworkDigest {
        let [.., wide_pad, narrow_pad] = *mac;
        let [wide, narrow] = subnet.to_be_bytes();
        let hidden = [wide ^ wide_pad, narrow ^ narrow_pad];
        let names = [BASE64URL_NOPAD.encode(&hidden[..1]), BASE64URL_NOPAD.encode(&hidden)];
        NetworkDigest { site: Some(Site { digest: BASE64URL_NOPAD.encode(&mac[..16]), names }), ..self }
    }

    /// The whole digest, for logs.
    pub fn as_str(&self) -> &str {
        &self.digest
    }

    /// The name of the item that counts the network's actions: its own digest, or that of its IPv6 /48.
    pub fn counted_in(&self) -> &str {
        self.site.as_ref().map_or(&self.digest, |site| &site.digest)
    }

    /// The counters in that item that count an action: the suffix of each name, and how many networks may act there together. A /64
    /// counts as one network, its /56 as two and its /48 as eight (S158).
    pub fn counters(&self) -> Vec<(&str, u32)> {
        match &self.site {
            None => vec![("", 1)],
            Some(Site { names: [wide, narrow], .. }) => vec![("", 8), (wide, 2), (narrow, 1)],
        }
    }

    /// The counters in that item that count its unanswered mails: as in [`NetworkDigest::counters`], but the smallest network is a
    /// /56. So the item has at most 256 names.
    pub fn debtors(&self) -> Vec<(&str, u32)> {
        match &self.site {
            None => vec![("", 1)],
            Some(Site { names: [wide, _], .. }) => vec![("", 8), (wide, 2)],
        }
    }

    /// The first 48 bits. An identifier's item contains several of these and must fit into one write unit.
    pub fn short(&self) -> &str {
        &self.digest[..8]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        Network::of(text.parse().unwrap())
    }

    /// V25: rotation within a /64, other spellings, IPv4-mapped addresses.
    #[test]
    fn one_subscriber_is_one_network() {
        assert_eq!(network("2001:db8:1:2::1"), network("2001:0db8:0001:0002:ffff:ffff:ffff:ffff"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }

    #[test]
    fn an_ipv6_network_is_one_of_a_site() {
        let subnet = |text: &str| network(text).site();
        assert_eq!(subnet("2001:db8:1:a2b3::1"), Some(("2001:db8:1::".parse().unwrap(), 0xa2b3)));
        assert_eq!(subnet("192.0.2.1"), None);
        let in_site = |subnet| NetworkDigest::new("own-digest".to_owned()).in_site(&[7; 32], subnet);
        let (one, near, far) = (in_site(0xa2b3), in_site(0xa2b4), in_site(0xa3b3));
        assert_eq!(one.counted_in(), near.counted_in());
        let names =
            |digest: &NetworkDigest| digest.counters().iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(one.counters().iter().map(|(_, networks)| *networks).collect::<Vec<_>>(), [8, 2, 1]);
        assert_eq!(names(&one)[..2], names(&near)[..2]);
        assert_ne!(names(&one)[2], names(&near)[2]);
        assert!(names(&one)[1] != names(&far)[1] && names(&one)[2] != names(&far)[2]);
        assert_eq!(NetworkDigest::new("own-digest".to_owned()).counters(), [("", 1)]);
    }

    #[test]
    fn debug_never_prints_an_address() {
        let digest = NetworkDigest::new("abcdefghIJKLMNOPQRSTUV".to_owned());
        assert_eq!((digest.as_str(), digest.short()), ("abcdefghIJKLMNOPQRSTUV", "abcdefgh"));
        assert_eq!(format!("{:?}", network("192.0.2.1")), "Network(…)");
    }
}
