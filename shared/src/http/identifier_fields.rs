//! The identifier in a request.

use serde::Deserialize;

use crate::words::{Channel, Destination, Email, Error, Identifier, Phone, Result};

/// The identifier in a request, under any of its field names.
#[derive(Deserialize)]
pub struct IdentifierFields {
    identifier: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    phone_number: Option<String>,
    channel: Option<Channel>,
}

impl IdentifierFields {
    /// Reads the identifier, which must be the same in all given fields. The code goes to it by the given channel, or else by the
    /// identifier's usual one.
    ///
    /// # Errors
    /// [`Error::InvalidEmail`] or [`Error::InvalidPhone`] for a malformed one; [`Error::InvalidRequest`] if it is missing, if two
    /// differ, or if the channel does not fit it.
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
