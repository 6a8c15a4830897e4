//! The part of a request that a browser adds: its cookies and the origin of the page.

use super::Request;
use crate::factors::TrustToken;
use crate::http::cookie::Cookie;
use crate::http::frontends::{Frontends, TokenDelivery};
use crate::words::{Error, Result};

/// A value from a field or a cookie, and how tokens travel.
#[derive(Debug)]
pub struct Delivered {
    /// How the answer's tokens travel.
    pub delivery: TokenDelivery,
    /// The value of the field or the cookie.
    pub text: Option<String>,
    /// Whether its client has shown it. A browser that gets cookies shows a value in a cookie only.
    pub is_shown: bool,
    /// Whether only the cookie has it.
    pub is_cookie: bool,
}

impl Request {
    /// Reads the value of the body's `field` or of the browser's `cookie`, and decides how tokens travel. If the request asks for
    /// tokens in the body, cookies are ignored. Otherwise a script could turn a cookie into a token that it can read.
    ///
    /// # Errors
    /// As [`Frontends::delivery`] and [`crate::http::Cookies::get`]; [`Error::InvalidRequest`] if field and cookie differ.
    pub fn delivered(
        &self,
        frontends: &Frontends,
        asked: Option<TokenDelivery>,
        field: Option<String>,
        cookie: Cookie,
    ) -> Result<Delivered> {
        if asked == Some(TokenDelivery::Body) {
            let delivery = frontends.delivery(asked, false, &self.page)?;
            return Ok(Delivered { delivery, text: field, is_shown: true, is_cookie: false });
        }
        let brought = self.cookies.get(cookie)?;
        let delivery = frontends.delivery(asked, brought.is_some(), &self.page)?;
        match (field, brought) {
            (Some(field), Some(brought)) if field != brought => {
                Err(Error::invalid("The body and a cookie have different values. Send only one of them."))
            }
            (field, brought) => {
                let is_shown = delivery == TokenDelivery::Body || brought.is_some();
                let is_cookie = field.is_none() && brought.is_some();
                Ok(Delivered { delivery, text: field.or(brought.map(str::to_owned)), is_shown, is_cookie })
            }
        }
    }

    /// The refresh token from its field or its cookie. It may be missing if tokens travel in cookies, because a browser drops an
    /// expired cookie. Without cookies the field is required.
    ///
    /// # Errors
    /// As [`Request::delivered`]; [`Error::InvalidRequest`] if the field is missing.
    pub fn refresh_token(
        &self,
        frontends: &Frontends,
        asked: Option<TokenDelivery>,
        field: Option<String>,
    ) -> Result<Delivered> {
        let delivered = self.delivered(frontends, asked, field, Cookie::Refresh)?;
        if delivered.delivery == TokenDelivery::Body && delivered.text.is_none() {
            return Err(Error::invalid("The body is invalid: missing field `refresh`."));
        }
        Ok(delivered)
    }

    /// Refuses a request from a page that may not use the API.
    ///
    /// # Errors
    /// As [`Frontends::check_page`].
    pub fn check_page(&self, frontends: &Frontends) -> Result<()> {
        frontends.check_page(&self.page)
    }

    /// The device token: from its cookie if the request's tokens travel in cookies, else from the body's `field`.
    ///
    /// # Errors
    /// As [`Frontends::delivery`] and [`crate::http::Cookies::get`].
    pub fn device_token(
        &self,
        frontends: &Frontends,
        delivery: TokenDelivery,
        field: Option<String>,
    ) -> Result<Option<String>> {
        self.shown(frontends, delivery, field, Cookie::Device)
    }

    /// The token of a trusted device, from the same places. An unusable one is none: the user then needs the second factor.
    pub fn trusted_device(
        &self,
        frontends: &Frontends,
        delivery: TokenDelivery,
        field: Option<String>,
    ) -> Option<TrustToken> {
        let shown = self.shown(frontends, delivery, field, Cookie::Trusted);
        shown.ok().flatten().and_then(|text| TrustToken::from_client(&text))
    }

    fn shown(
        &self,
        frontends: &Frontends,
        delivery: TokenDelivery,
        field: Option<String>,
        cookie: Cookie,
    ) -> Result<Option<String>> {
        if delivery == TokenDelivery::Body {
            return Ok(field);
        }
        let shown = self.cookies.get(cookie)?.map(str::to_owned);
        frontends.delivery(Some(delivery), shown.is_some(), &self.page)?;
        Ok(shown)
    }
}
