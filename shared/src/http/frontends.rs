//! Frontends: the pages that may use cookies, and how tokens travel.

use serde::Deserialize;

use crate::config::{Check, Reader};
use crate::http::origin::{Origin, address, is_host_name};
use crate::http::site;
use crate::words::{Error, Forbidden, Result};

/// How tokens and challenge ids reach a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenDelivery {
    /// In the body, for clients that can keep a secret.
    Body,
    /// In cookies that scripts are unable to read. Only the access token is in the body.
    Cookie,
}

/// The headers in which a browser identifies the page of a request. Scripts are unable to change them.
#[derive(Debug, Default)]
pub struct Page {
    /// The header `Origin`.
    pub origin: Option<String>,
    /// Whether `Sec-Fetch-Site` says that the page has the API's own origin.
    pub is_same_origin: bool,
}

/// The frontends of a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frontends {
    /// The delivery for requests that neither ask for one nor send a cookie.
    pub usual: TokenDelivery,
    /// Whether tokens travel in cookies only.
    pub is_cookie_only: bool,
    /// The API's own domain, if it has one.
    pub domain: Option<String>,
    origins: Vec<(Origin, HoldsCookies)>,
}

type HoldsCookies = bool;

const fn refused(reason: &'static str) -> Error {
    Error::Forbidden(Forbidden::Request(reason))
}

const NOT_ALLOWED: &str = "This origin is not allowed. The operator can add it to ALLOWED_ORIGINS.";

const IS_DOMAIN: Check = (is_host_name, "a domain name in lower case, such as auth.example.com");

impl Frontends {
    /// Reads the settings from their variables. Reports a mistake if `TOKEN_DELIVERY` is `cookie` but some frontends would lose
    /// their cookies.
    pub fn read(read: &mut Reader<'_>) -> Frontends {
        let expected = "origins such as https://app.example.com, without a path or a final slash, separated by commas";
        let (usual, is_cookie_only) =
            match read.choice("TOKEN_DELIVERY", "body", &["body", "cookie", "cookie_only"]).as_str() {
                "cookie" => (TokenDelivery::Cookie, false),
                "cookie_only" => (TokenDelivery::Cookie, true),
                _ => (TokenDelivery::Body, false),
            };
        let origins: Vec<Origin> = read.list("ALLOWED_ORIGINS", expected, |text| text.parse().ok());
        if read.get("ALLOWED_ORIGINS").is_none() {
            read.expect("ALLOWED_ORIGINS", expected);
        }
        if read.get("STAGE").as_deref() == Some("production") {
            let is_open = |origin: &&Origin| !origin.is_https() && !origin.is_loopback();
            let open: Vec<_> = origins.iter().filter(is_open).map(Origin::as_str).collect();
            if !open.is_empty() {
                read.report(format!(
                    "ALLOWED_ORIGINS: without TLS, an attacker in the network can read the tokens of {}. In production, \
                     use https",
                    open.join(", ")
                ));
            }
        }
        if is_cookie_only && read.get("ALIASES").as_deref() != Some("off") {
            read.report("TOKEN_DELIVERY: the paths of replaced systems send tokens in bodies. With cookie_only, set ALIASES to off".to_owned());
        }
        let domain = Frontends::read_domain(read);
        let frontends = Frontends { is_cookie_only, ..Frontends::new(usual, origins, domain) };
        let without: Vec<_> = frontends.without_cookies().collect();
        if usual == TokenDelivery::Cookie && !without.is_empty() {
            read.report(format!(
                "TOKEN_DELIVERY: browsers would not send cookies from {}. Use https origins under the same registrable \
                 domain as DOMAIN_NAME, or set TOKEN_DELIVERY to body",
                without.join(", ")
            ));
        }
        frontends
    }

    /// Reads the API's own domain only.
    pub fn read_domain(read: &mut Reader<'_>) -> Option<String> {
        read.optional("DOMAIN_NAME", IS_DOMAIN)
    }

    /// Frontends at `origins`, for an API at `domain`, if it has its own domain.
    ///
    /// A browser sends `SameSite` cookies within one site only: the same scheme and the same registrable domain. Frontends on
    /// loopback always count as able to use cookies, because the API may be behind the frontend's own server there.
    pub fn new(usual: TokenDelivery, origins: Vec<Origin>, domain: Option<String>) -> Frontends {
        let site = domain.as_deref().and_then(registrable);
        let holds = |origin: &Origin| {
            let is_same_site = origin.is_https() && site.is_some() && registrable(origin.host()) == site;
            origin.is_loopback() || is_same_site
        };
        let origins = origins.iter().map(|origin| (origin.clone(), holds(origin))).collect();
        Frontends { usual, is_cookie_only: false, origins, domain }
    }

    /// All origins.
    pub fn origins(&self) -> impl Iterator<Item = &str> {
        self.origins.iter().map(|(origin, _)| origin.as_str())
    }

    /// The origins of pages that are unable to use cookies.
    pub fn without_cookies(&self) -> impl Iterator<Item = &str> {
        self.origins.iter().filter(|(_, holds)| !holds).map(|(origin, _)| origin.as_str())
    }

    /// Decides how the tokens of a request from `page` travel: as the request asks, or else in cookies if it `brings` one, or
    /// else in the usual way.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] if cookies would be lost; [`Error::Forbidden`] if the page may not use them, if a request
    /// with a cookie has no `Origin` (S61), or if the deployment has cookies only (S156).
    pub fn delivery(&self, asked: Option<TokenDelivery>, brings: bool, page: &Page) -> Result<TokenDelivery> {
        if asked == Some(TokenDelivery::Body) && self.is_cookie_only {
            return Err(refused("This deployment sends tokens in cookies only. Leave out `token_delivery`."));
        }
        let delivery = asked.unwrap_or(if brings { TokenDelivery::Cookie } else { self.usual });
        if delivery == TokenDelivery::Cookie && !page.is_same_origin {
            self.check_origin(page.origin.as_deref(), brings)?;
        }
        Ok(delivery)
    }

    /// Refuses a request from a page that may not use the API (S152). The gateway's CORS only keeps such a page from reading the
    /// answer. A client without an `Origin` is not a page.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for such a page.
    pub fn check_page(&self, page: &Page) -> Result<()> {
        let is_allowed = |shown: &str| self.origins.iter().any(|(origin, _)| origin.as_str() == shown);
        match &page.origin {
            Some(shown) if !page.is_same_origin && !is_allowed(shown) => Err(refused(NOT_ALLOWED)),
            Some(_) | None => Ok(()),
        }
    }

    fn check_origin(&self, origin: Option<&str>, brings: bool) -> Result<()> {
        const CANNOT: &str =
            "Cookies work only if the API and the frontend share a domain. Send `token_delivery: body` instead.";
        if self.origins.iter().all(|(_, holds)| !holds) {
            return Err(Error::invalid(CANNOT));
        }
        match origin {
            None if brings => Err(refused("The Origin header is missing. A request with a cookie needs it.")),
            None => Ok(()),
            Some(shown) => match self.origins.iter().find(|(origin, _)| origin.as_str() == shown) {
                None => Err(refused(NOT_ALLOWED)),
                Some((_, false)) => Err(Error::invalid(CANNOT)),
                Some((_, true)) => Ok(()),
            },
        }
    }
}

/// The part of a host name that its owner registered, by the public suffix list. `None` for an IP address.
fn registrable(host: &str) -> Option<&str> {
    if address(host).is_some() { None } else { site::registrable(host) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frontends(origins: &[&str], domain: Option<&str>) -> Frontends {
        let origins = origins.iter().map(|origin| origin.parse().unwrap()).collect();
        Frontends::new(TokenDelivery::Body, origins, domain.map(str::to_owned))
    }

    #[test]
    fn cookies_are_held_within_one_registrable_domain() {
        for (origin, domain, holds) in [
            ("https://app.example.com", Some("auth.example.com"), true),
            ("https://example.com", Some("auth.example.com"), true),
            ("https://app.example.com:8443", Some("example.com"), true),
            ("https://app.shop.co.uk", Some("auth.shop.co.uk"), true),
            ("http://app.example.com", Some("auth.example.com"), false),
            ("https://app.example.com", None, false),
            ("https://app.example.org", Some("auth.example.com"), false),
            ("https://shop.co.uk", Some("auth.co.uk"), false),
            ("https://mine.github.io", Some("yours.github.io"), false),
            ("https://evilexample.com", Some("auth.example.com"), false),
            ("https://co.uk", Some("co.uk"), false),
            ("https://192.0.2.1", Some("auth.example.com"), false),
            ("http://localhost:3000", None, true),
            ("http://127.0.0.1:3000", Some("auth.example.com"), true),
        ] {
            let frontends = frontends(&[origin], domain);
            assert_eq!(frontends.without_cookies().next().is_none(), holds, "{origin} {domain:?}");
        }
    }

    #[test]
    fn tokens_travel_as_asked_or_in_the_same_way_as_the_request() {
        use TokenDelivery::{Body, Cookie};
        let page = || Page { origin: Some("https://app.example.com".to_owned()), is_same_origin: false };
        let mut frontends = frontends(&["https://app.example.com"], Some("auth.example.com"));
        for (asked, brings, usual, delivery) in [
            (None, false, Body, Body),
            (None, false, Cookie, Cookie),
            (None, true, Body, Cookie),
            (Some(Body), true, Cookie, Body),
            (Some(Cookie), false, Body, Cookie),
        ] {
            frontends.usual = usual;
            assert_eq!(frontends.delivery(asked, brings, &page()).unwrap(), delivery, "{asked:?} {brings} {usual:?}");
        }
    }

    /// S156: an attacker in the network can add a script to a page without TLS. A page on loopback crosses no network.
    #[test]
    fn pages_in_production_have_tls() {
        let read = |stage: &str, origins: &str| {
            let lookup = |name: &str| match name {
                "STAGE" => Some(stage.to_owned()),
                "ALLOWED_ORIGINS" => Some(origins.to_owned()),
                _ => None,
            };
            crate::config::read(lookup, Frontends::read).map_err(|problems| problems.to_string())
        };
        assert!(read("production", "https://app.example.com,http://localhost:3000").is_ok());
        assert!(read("testing", "http://app.example.com").is_ok());
        let problem = read("production", "https://app.example.com,http://app.example.com").unwrap_err();
        assert!(problem.contains("can read the tokens of http://app.example.com. In production"), "{problem}");
    }

    #[test]
    fn only_an_allowed_page_uses_cookies() {
        let frontends = frontends(&["https://app.example.com", "https://app.example.org"], Some("auth.example.com"));
        let answer = |origin: Option<&str>, is_same_origin, brings| {
            let page = Page { origin: origin.map(str::to_owned), is_same_origin };
            frontends.delivery(Some(TokenDelivery::Cookie), brings, &page).map_or_else(|error| error.code(), |_| "ok")
        };
        for brings in [true, false] {
            assert_eq!(answer(Some("https://app.example.com"), false, brings), "ok");
            assert_eq!(answer(Some("https://auth.example.com"), true, brings), "ok");
            assert_eq!(answer(Some("https://evil.example.com"), false, brings), "forbidden");
            assert_eq!(answer(Some("null"), false, brings), "forbidden");
            assert_eq!(answer(Some("https://app.example.org"), false, brings), "invalid_request");
        }
        assert_eq!(answer(None, false, true), "forbidden");
        assert_eq!(answer(None, false, false), "ok");
    }
}
