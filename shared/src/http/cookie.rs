//! Latchkey's three cookies: how they are read and set.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use crate::words::{Error, Result};

/// One of Latchkey's cookies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cookie {
    /// The refresh token.
    Refresh,
    /// The id of the challenge that this browser requested.
    Challenge,
    /// Shows that an identifier was proven in this browser before.
    Device,
}

impl Cookie {
    /// The cookie's name. The prefix `__Host-` keeps other hosts of the same domain, and sites without TLS, from setting it
    /// (V42).
    pub fn name(self) -> &'static str {
        match self {
            Cookie::Refresh => "__Host-refresh",
            Cookie::Challenge => "__Host-challenge",
            Cookie::Device => "__Host-device",
        }
    }

    /// The `Set-Cookie` value that stores `value` for `life` (S60).
    pub fn keep(self, value: &str, life: Duration) -> String {
        let (name, seconds) = (self.name(), life.as_secs());
        format!("{name}={value}; Max-Age={seconds}; Path=/; Secure; HttpOnly; SameSite=Lax")
    }

    /// The `Set-Cookie` value that stores `value` until the browser is closed.
    pub fn keep_until_closed(self, value: &str) -> String {
        format!("{}={value}; Path=/; Secure; HttpOnly; SameSite=Lax", self.name())
    }

    /// The `Set-Cookie` value that removes the cookie.
    pub fn clear(self) -> String {
        self.keep("", Duration::ZERO)
    }
}

/// Latchkey's cookies in a request. All others are ignored.
#[derive(Debug, Default)]
pub struct Cookies(Vec<(Cookie, Option<SecretString>)>);

/// The maximum length of a value, in bytes. Latchkey's own values are shorter.
const LONGEST: usize = 512;

impl Cookies {
    /// Reads the lines of the `Cookie` header.
    pub fn read<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Cookies {
        let pairs = lines.flat_map(|line| line.split(|byte| *byte == b';'));
        Cookies(pairs.filter_map(ours).collect())
    }

    /// The value of a cookie. `None` if it is missing or empty; an empty cookie has been removed.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] if it appears twice, is too long or is not visible ASCII. Two parsers could read such a
    /// cookie differently.
    pub fn get(&self, cookie: Cookie) -> Result<Option<&str>> {
        let mut found = self.0.iter().filter(|(name, _)| *name == cookie).map(|(_, value)| value);
        let (first, second) = (found.next(), found.next());
        match (first, second) {
            (None, _) => Ok(None),
            (Some(Some(value)), None) => Ok(Some(value.expose_secret()).filter(|value| !value.is_empty())),
            (Some(_), _) => Err(Error::invalid(format!(
                "The cookie {} is malformed or was sent twice. Delete it and try again.",
                cookie.name()
            ))),
        }
    }
}

fn ours(pair: &[u8]) -> Option<(Cookie, Option<SecretString>)> {
    let pair = pair.trim_ascii();
    let at = pair.iter().position(|byte| *byte == b'=')?;
    let (name, value) = (pair.get(..at)?, pair.get(at + 1..)?);
    let all = [Cookie::Refresh, Cookie::Challenge, Cookie::Device];
    let cookie = all.into_iter().find(|cookie| cookie.name().as_bytes() == name.trim_ascii())?;
    let is_plain = value.len() <= LONGEST && value.iter().all(u8::is_ascii_graphic);
    let value = std::str::from_utf8(value).ok().filter(|_| is_plain);
    Some((cookie, value.map(SecretString::from)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Cookies {
        Cookies::read(lines.iter().map(|line| line.as_bytes()))
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let cookies = read(&["a=b; __Host-refresh=v1.x=y; b", "__Host-device=d;; =; __host-challenge=no"]);
        assert_eq!(cookies.get(Cookie::Refresh).unwrap(), Some("v1.x=y"));
        assert_eq!(cookies.get(Cookie::Device).unwrap(), Some("d"));
        assert_eq!(cookies.get(Cookie::Challenge).unwrap(), None);
        assert_eq!(read(&["__Host-refresh="]).get(Cookie::Refresh).unwrap(), None);
    }

    #[test]
    fn ambiguous_text_is_refused() {
        let long = format!("__Host-refresh={}", "x".repeat(LONGEST + 1));
        let cases: [&[&str]; 7] = [
            &["__Host-refresh=a; __Host-refresh=a"],
            &["__Host-refresh=a", "__Host-refresh=b"],
            &["__Host-refresh=a; __Host-refresh="],
            &["__Host-refresh =a; __Host-refresh=b"],
            &["__Host-refresh=a b"],
            &["__Host-refresh=\u{e4}"],
            &[&long],
        ];
        for lines in cases {
            assert!(read(lines).get(Cookie::Refresh).is_err(), "{lines:?}");
            assert!(read(lines).get(Cookie::Device).is_ok(), "{lines:?}");
        }
    }

    #[test]
    fn a_cookie_is_set_for_its_own_host_only() {
        let expected = "__Host-refresh=v; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=Lax";
        assert_eq!(Cookie::Refresh.keep("v", Duration::from_secs(60)), expected);
        let expected = "__Host-refresh=v; Path=/; Secure; HttpOnly; SameSite=Lax";
        assert_eq!(Cookie::Refresh.keep_until_closed("v"), expected);
        assert!(Cookie::Device.clear().starts_with("__Host-device=; Max-Age=0; "));
    }

    #[test]
    fn debug_never_prints_a_value() {
        assert!(!format!("{:?}", read(&["__Host-refresh=hush"])).contains("hush"));
    }
}
