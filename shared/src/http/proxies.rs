//! The client's address, if proxies stand before API Gateway.

use std::net::{IpAddr, SocketAddr};

use data_encoding::HEXLOWER_PERMISSIVE;
use ipnet::IpNet;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::config::Reader;

/// The proxies in front of API Gateway, and the ways to know a request that came through them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies {
    /// How many there are. 0 turns `X-Forwarded-For` off.
    pub hops: usize,
    networks: Vec<IpNet>,
    secrets: Vec<SecretDigest>,
}

/// The first half of the SHA-256 of a secret that the proxy adds to each request. The secret is random and long, so the digest is
/// public, and 128 bits are enough. Lambda limits the length of all settings together.
type SecretDigest = [u8; 16];

/// The header with the secret.
pub(super) const ORIGIN_SECRET: &str = "x-origin-secret";

impl Proxies {
    /// Reads the settings from their variables. Reports a mistake if no request, or every request, could forward an address.
    pub fn read(read: &mut Reader<'_>) -> Proxies {
        let expected =
            "networks such as 192.0.2.0/24, separated by commas, with a prefix of at most 32 bits (IPv6: 128)";
        let networks: Vec<IpNet> = read.list("TRUSTED_PROXIES", expected, |text| text.parse().ok());
        let hops = read.count("TRUSTED_HOPS", 0, 0..=5) as usize;
        let expected = "the first 32 hexadecimal digits of one or two SHA-256 digests, separated by commas";
        let secrets: Vec<SecretDigest> = read.list("ORIGIN_SECRET_SHA256", expected, digest);
        if secrets.len() > 2 {
            read.expect("ORIGIN_SECRET_SHA256", expected);
        }
        let is_known = ["TRUSTED_PROXIES", "ORIGIN_SECRET_SHA256"].iter().any(|name| read.get(name).is_some());
        if hops == 0 && is_known {
            read.report(
                "TRUSTED_HOPS: expected the number of proxies in front of the API, because TRUSTED_PROXIES or \
                 ORIGIN_SECRET_SHA256 is set"
                    .to_owned(),
            );
        }
        if hops > 0 && !is_known {
            read.report(
                "TRUSTED_HOPS: without ORIGIN_SECRET_SHA256 or TRUSTED_PROXIES, any client could forge its \
                 address. Set one of them"
                    .to_owned(),
            );
        }
        Proxies { hops, networks, secrets }
    }

    /// The networks of the proxies. If empty, their secret is enough.
    pub fn networks(&self) -> impl Iterator<Item = &IpNet> {
        self.networks.iter()
    }

    /// Whether the proxies add a secret.
    pub fn has_secret(&self) -> bool {
        !self.secrets.is_empty()
    }

    /// The client's address: `peer`, or the address that the outermost of the proxies has seen.
    ///
    /// `forwarded` is the header `X-Forwarded-For`. Each proxy adds the address of its own client at the right end, and API Gateway
    /// adds `peer`. So exactly as many addresses count as there are proxies. All others are written by the client (V24, S65), or by
    /// another customer of the same CDN, whose network is trusted, too (S159). It is read as bytes, because a client can write any
    /// bytes there.
    pub fn client<'a>(
        &self,
        peer: IpAddr,
        forwarded: impl DoubleEndedIterator<Item = &'a [u8]>,
        secret: Option<&[u8]>,
    ) -> IpAddr {
        if !self.knows(secret) {
            return peer;
        }
        let mut chain = forwarded.rev().flat_map(|header| header.rsplit(|&byte| byte == b',')).map(address).peekable();
        let _ = chain.next_if(|last| last.is_some_and(|last| last.to_canonical() == peer.to_canonical()));
        let mut client = peer;
        for hop in chain.take(self.hops) {
            // An unreadable entry ends the chain, because nothing to its left can be trusted.
            let (true, Some(next)) = (self.trusts(client), hop) else { break };
            client = next;
        }
        client
    }

    /// Whether the request has the proxies' secret, if they add one. Digests are compared in constant time.
    fn knows(&self, secret: Option<&[u8]>) -> bool {
        if self.secrets.is_empty() {
            return true;
        }
        let shown: [u8; 32] = Sha256::digest(secret.unwrap_or_default()).into();
        let right = self.secrets.iter().map(|known| known.as_slice().ct_eq(&shown[..16]));
        right.fold(Choice::from(0), |any, right| any | right).into()
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.networks.is_empty() || self.networks.iter().any(|network| network.contains(&address.to_canonical()))
    }
}

fn digest(text: &str) -> Option<SecretDigest> {
    HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?.try_into().ok()
}

/// An address, possibly with a port and brackets: `203.0.113.7:443`, `[2001:db8::1]:443`, `[2001:db8::1]`.
fn address(entry: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(entry).ok()?.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0c7f6c1e5b0a4a6b9a0d";

    fn proxies(hops: &str, networks: &str, secrets: &str) -> Result<Proxies, String> {
        let lookup = |name: &str| match name {
            "TRUSTED_HOPS" => Some(hops.to_owned()),
            "TRUSTED_PROXIES" => Some(networks.to_owned()),
            "ORIGIN_SECRET_SHA256" => Some(secrets.to_owned()),
            _ => None,
        };
        crate::config::read(lookup, Proxies::read).map_err(|problems| problems.to_string())
    }

    fn client(hops: &str, networks: &str, peer: &str, forwarded: &[&str]) -> String {
        let forwarded = forwarded.iter().map(|header| header.as_bytes());
        proxies(hops, networks, "").unwrap().client(peer.parse().unwrap(), forwarded, None).to_string()
    }

    /// V24: the header counts only behind a proxy, and only as many addresses at its right end as there are proxies.
    #[test]
    fn a_forwarded_address_is_read_from_the_right() {
        assert_eq!(client("0", "", "192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(client("1", "10.0.0.0/8", "192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(client("1", "10.0.0.0/8", "10.0.0.1", &["203.0.113.9, 198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("1", "10.0.0.0/8", "10.0.0.1", &["203.0.113.9, 198.51.100.7, 10.0.0.1"]), "198.51.100.7");
        assert_eq!(client("2", "10.0.0.0/8", "10.0.0.1", &["203.0.113.9", "198.51.100.7, 10.0.0.2"]), "198.51.100.7");
        assert_eq!(client("1", "10.0.0.0/8", "10.0.0.1", &["198.51.100.7, nonsense"]), "10.0.0.1");
        assert_eq!(client("1", "10.0.0.0/8", "10.0.0.1", &["\u{e9}", "\u{e9}, 198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("1", "10.0.0.0/8", "10.0.0.1", &["198.51.100.7, \u{e9}"]), "10.0.0.1");
        assert_eq!(client("1", "10.0.0.0/8", "::ffff:10.0.0.1", &["198.51.100.7, 10.0.0.1"]), "198.51.100.7");
        assert_eq!(client("1", "10.0.0.0/8", "10.0.0.1", &[]), "10.0.0.1");
    }

    /// S159: another customer's proxies are in the same networks. They come before our proxies, so they are the client.
    #[test]
    fn another_customers_proxy_is_a_client() {
        assert_eq!(client("1", "10.0.0.0/8", "10.0.0.1", &["198.51.100.7, 10.0.0.9"]), "10.0.0.9");
        assert_eq!(client("2", "10.0.0.0/8", "10.0.0.1", &["198.51.100.7, 10.0.0.9, 10.0.0.2"]), "10.0.0.9");
        // Fewer proxies than expected: an address outside their networks is the client.
        assert_eq!(client("2", "10.0.0.0/8", "10.0.0.1", &["203.0.113.9, 198.51.100.7"]), "198.51.100.7");
    }

    /// S159: without the secret the header has no effect. Two secrets are accepted, so that the proxy can change its own.
    #[test]
    fn a_forwarded_address_needs_the_proxys_secret() {
        let digest = |secret: &str| HEXLOWER_PERMISSIVE.encode(&Sha256::digest(secret)[..16]);
        let with = |secrets: &str, shown: Option<&str>| {
            let proxies = proxies("1", "", secrets).unwrap();
            let forwarded = ["203.0.113.9, 198.51.100.7"].iter().map(|header| header.as_bytes());
            proxies.client("192.0.2.1".parse().unwrap(), forwarded, shown.map(str::as_bytes)).to_string()
        };
        for secrets in [digest(SECRET), digest(SECRET).to_uppercase(), format!("{},{}", digest("new"), digest(SECRET))]
        {
            assert_eq!(with(&secrets, Some(SECRET)), "198.51.100.7");
            for shown in [None, Some(""), Some("other"), Some(digest(SECRET).as_str())] {
                assert_eq!(with(&secrets, shown), "192.0.2.1", "{shown:?}");
            }
        }
    }

    #[test]
    fn an_address_may_have_a_port_and_brackets() {
        for (entry, address) in [
            ("198.51.100.7:443", "198.51.100.7"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            (" 2001:db8::1 ", "2001:db8::1"),
            ("[198.51.100.7]", "198.51.100.7"),
        ] {
            assert_eq!(client("1", "10.0.0.0/8", "10.0.0.1", &[entry]), address);
        }
        for entry in
            ["198.51.100.7:", "198.51.100.7:99999", "[2001:db8::1", "2001:db8::1]:443", "unknown", "_hidden", ""]
        {
            assert_eq!(client("1", "10.0.0.0/8", "10.0.0.1", &[entry]), "10.0.0.1", "{entry}");
        }
    }

    #[test]
    fn a_list_of_proxies_is_read_whole_or_not_at_all() {
        assert_eq!(proxies("1", " 10.0.0.0/8 , 2001:db8::/32", "").unwrap().networks.len(), 2);
        assert!(proxies("1", "10.0.0.0/8, here", "").is_err());
        assert!(
            proxies("1", "", "abc")
                .unwrap_err()
                .contains("ORIGIN_SECRET_SHA256: expected the first 32 hexadecimal digits")
        );
    }

    /// A network alone is not trusted: the number of proxies says which address is the client's. A number alone would trust anybody.
    #[test]
    fn proxies_have_a_number_and_a_mark() {
        assert!(proxies("0", "10.0.0.0/8", "").unwrap_err().contains("TRUSTED_HOPS: expected the number of proxies"));
        assert!(proxies("1", "", "").unwrap_err().contains("TRUSTED_HOPS: without ORIGIN_SECRET_SHA256 or"));
        assert_eq!(proxies("", "", ""), Ok(Proxies::default()));
    }
}
