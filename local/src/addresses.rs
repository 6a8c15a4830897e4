//! Where a stack listens.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Where a stack listens.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// The API, where it listens.
    pub api: Option<SocketAddr>,
    /// The AWS services.
    pub aws: SocketAddr,
    /// The inbox, where it listens.
    pub inbox: Option<SocketAddr>,
    /// The sign-in page, where it listens.
    pub page: Option<SocketAddr>,
}

/// Where `cargo lambda watch` serves the API of a stack of services only.
const WATCH: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9000);

impl Addresses {
    /// Where frontends find the API, here or under `cargo lambda watch`.
    pub fn api_url(self) -> String {
        format!("http://{}", self.api.unwrap_or(WATCH))
    }
}
