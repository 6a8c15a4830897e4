//! Networks: the unit for limits on the origin of requests.

use std::net::{IpAddr, Ipv6Addr};

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
}

masked!(Network);

/// The keyed digest of a [`Network`], 22 characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NetworkDigest(String);

impl NetworkDigest {
    pub(crate) fn new(digest: String) -> NetworkDigest {
        NetworkDigest(digest)
    }

    /// The whole digest, for the key of a table's item.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first 48 bits. An identifier's item contains several of these and must fit into one write unit.
    pub fn short(&self) -> &str {
        &self.0[..8]
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
    fn debug_never_prints_an_address() {
        let digest = NetworkDigest::new("abcdefghIJKLMNOPQRSTUV".to_owned());
        assert_eq!((digest.as_str(), digest.short()), ("abcdefghIJKLMNOPQRSTUV", "abcdefgh"));
        assert_eq!(format!("{:?}", network("192.0.2.1")), "Network(…)");
    }
}
