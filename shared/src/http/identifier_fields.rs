//! Whom a request is about.

use serde::Deserialize;

use crate::words::{Channel, Destination, Email, Error, Identifier, Phone, Result};

/// The identifier of a request, under any of the names that clients use for it.
#[derive(Deserialize)]
pub struct IdentifierFields {
    identifier: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    phone_number: Option<String>,
    channel: Option<Channel>,
}

impl IdentifierFields {
    /// The one identifier that all given fields agree on, by the channel that they name, or else by its usual one.
    ///
    /// # Errors
    /// [`Error::InvalidEmail`], [`Error::InvalidPhone`]; [`Error::InvalidRequest`] where there is none, there are two
    /// different ones, or the channel does not reach it.
    pub fn destination(&self) -> Result<Destination> {
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
                return Err(Error::invalid("The body has two different identifiers. Send one."));
            }
        }
        Destination::of(first, self.channel)
    }
}
