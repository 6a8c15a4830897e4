//! The addresses of a stack's servers.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The addresses of a stack's servers.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// The API; `None` if it is not served over HTTP.
    pub api: Option<SocketAddr>,
    /// The AWS services.
    pub aws: SocketAddr,
    /// The inbox, if it is served.
    pub inbox: Option<SocketAddr>,
    /// The sign-in page, if it is served.
    pub page: Option<SocketAddr>,
}

/// The address at which `cargo lambda watch` serves the API of a stack without functions.
const WATCH: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9000);

impl Addresses {
    /// The URL of the API for frontends, in this process or under `cargo lambda watch`.
    pub fn api_url(self) -> String {
        format!("http://{}", self.api.unwrap_or(WATCH))
    }
}
