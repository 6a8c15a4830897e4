//! Shapes on the wire that more than one function reads or writes.

use serde::{Deserialize, Deserializer, Serialize};

use crate::http::cookie::Cookie;
use crate::http::frontends::{Frontends, TokenDelivery};
use crate::http::{Delivered, Request};
use crate::messages::Channel;
use crate::people::User;
use crate::words::{Email, Error, Identifier, Phone, Result};

/// The identifier of a request, under any of the names that clients use for it.
#[derive(Deserialize)]
pub struct IdentifierFields {
    identifier: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    phone_number: Option<String>,
    channel: Option<ChannelName>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ChannelName {
    Email,
    #[serde(alias = "phone")]
    Sms,
}

impl IdentifierFields {
    /// The one identifier that all given fields agree on. The channel is what the identifier is.
    ///
    /// # Errors
    /// [`Error::InvalidEmail`], [`Error::InvalidPhone`]; [`Error::InvalidRequest`] where there is none, there are two
    /// different ones, or the channel contradicts it.
    pub fn identifier(&self) -> Result<Identifier> {
        let phone = |text: &String| text.parse::<Phone>().map(Identifier::Phone);
        let given = [
            self.identifier.as_ref().map(|text| text.parse::<Identifier>()),
            self.email.as_ref().map(|text| text.parse::<Email>().map(Identifier::Email)),
            self.phone.as_ref().map(phone),
            self.phone_number.as_ref().map(phone),
        ];
        let mut given = given.into_iter().flatten();
        let first = given.next().ok_or_else(|| Error::invalid("The field identifier is missing."))??;
        for other in given {
            if other? != first {
                return Err(Error::invalid("Two different identifiers are given."));
            }
        }
        let agrees = match self.channel {
            None => true,
            Some(ChannelName::Email) => Channel::of(&first) == Channel::Email,
            Some(ChannelName::Sms) => Channel::of(&first) == Channel::Sms,
        };
        if agrees { Ok(first) } else { Err(Error::invalid("The channel does not fit the identifier.")) }
    }
}

/// A field that may be missing, but is no `null`.
///
/// # Errors
/// As `T`'s own.
pub fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(field: D) -> std::result::Result<Option<T>, D::Error> {
    T::deserialize(field).map(Some)
}

/// The refresh token of a request, in its field or its cookie, and how tokens travel. A browser whose cookie has ended
/// shows none, and is to be told so; without cookies the field must be there.
///
/// # Errors
/// As [`Request::delivered`]; [`Error::InvalidRequest`] where the field is missing.
pub fn token_of(
    request: &Request,
    frontends: &Frontends,
    asked: Option<TokenDelivery>,
    field: Option<String>,
) -> Result<(TokenDelivery, Option<String>)> {
    let Delivered { delivery, text } = request.delivered(frontends, asked, field, Cookie::Refresh)?;
    if delivery == TokenDelivery::Body && text.is_none() {
        return Err(Error::invalid("The body does not fit: missing field `refresh`."));
    }
    Ok((delivery, text))
}

/// Where a person came from: an address of at most 2,048 characters.
///
/// # Errors
/// [`Error::InvalidRequest`] for a longer one, or one with control characters.
pub fn source_url(given: Option<&str>) -> Result<Option<&str>> {
    match given.map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) if text.len() > LONGEST_SOURCE_URL || text.chars().any(char::is_control) => {
            Err(Error::invalid("The field source_url is longer than 2,048 bytes or has control characters."))
        }
        given => Ok(given),
    }
}

const LONGEST_SOURCE_URL: usize = 2_048;

/// A user, as verify and profile answer with it.
#[derive(Serialize)]
pub struct UserView<'a> {
    id: String,
    email: Option<&'a str>,
    phone: Option<&'a str>,
    email_verified: bool,
    phone_verified: bool,
    first_name: &'a str,
    last_name: &'a str,
    full_name: String,
    date_joined: String,
    last_login: Option<String>,
    is_new_user: bool,
}

impl<'a> UserView<'a> {
    /// The view of `user`. Whatever address a user has was proved before it was stored.
    pub fn of(user: &'a User, is_new_user: bool) -> UserView<'a> {
        UserView {
            id: user.id.to_string(),
            email: user.email.as_deref(),
            phone: user.phone.as_deref(),
            email_verified: user.email.is_some(),
            phone_verified: user.phone.is_some(),
            first_name: &user.first_name,
            last_name: &user.last_name,
            full_name: format!("{} {}", user.first_name, user.last_name).trim().to_owned(),
            date_joined: user.joined.to_string(),
            last_login: user.last_login.map(|at| at.to_string()),
            is_new_user,
        }
    }
}
