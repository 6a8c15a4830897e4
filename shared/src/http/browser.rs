//! What a browser adds to a request: its cookies, and where the page is from.

use super::Request;
use crate::http::cookie::Cookie;
use crate::http::frontends::{Frontends, TokenDelivery};
use crate::words::{Error, Result};

/// How a request's tokens travel, and what it says under a name that may be a field or a cookie.
#[derive(Debug)]
pub struct Delivered {
    /// How the answer's tokens travel.
    pub delivery: TokenDelivery,
    /// The text of the field or the cookie.
    pub text: Option<String>,
}

impl Request {
    /// Reads the text that the body has as `field` and the browser as `cookie`, and decides how tokens travel: as
    /// `asked`. Where that is the body, no cookie is looked at, so that none can be turned into a body's text.
    ///
    /// # Errors
    /// As [`Frontends::delivery`] and [`crate::http::Cookies::get`]; [`Error::InvalidRequest`] where field and cookie differ.
    pub fn delivered(
        &self,
        frontends: &Frontends,
        asked: Option<TokenDelivery>,
        field: Option<String>,
        cookie: Cookie,
    ) -> Result<Delivered> {
        if asked == Some(TokenDelivery::Body) {
            return Ok(Delivered { delivery: TokenDelivery::Body, text: field });
        }
        let brought = self.cookies.get(cookie)?;
        let delivery = frontends.delivery(asked, brought.is_some(), &self.page)?;
        match (field, brought) {
            (Some(field), Some(brought)) if field != brought => {
                Err(Error::invalid("The body and a cookie have different values. Send only one of them."))
            }
            (field, brought) => Ok(Delivered { delivery, text: field.or(brought.map(str::to_owned)) }),
        }
    }

    /// The refresh token, in its field or its cookie. A browser whose cookie has ended shows none, and is to be told so;
    /// without cookies the field must be there.
    ///
    /// # Errors
    /// As [`Request::delivered`]; [`Error::InvalidRequest`] where the field is missing.
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

    /// The device cookie of a request whose tokens travel in cookies.
    ///
    /// # Errors
    /// As [`crate::http::Cookies::get`]; [`Error::Forbidden`] where the page that uses it does not show itself.
    pub fn device_cookie(&self, frontends: &Frontends, delivery: TokenDelivery) -> Result<Option<&str>> {
        let device = match delivery {
            TokenDelivery::Body => None,
            TokenDelivery::Cookie => self.cookies.get(Cookie::Device)?,
        };
        frontends.delivery(Some(delivery), device.is_some(), &self.page)?;
        Ok(device)
    }
}
