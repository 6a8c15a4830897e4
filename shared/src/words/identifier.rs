//! Identifiers: an email address or a phone number.
//!
//! Parsing normalizes the text, so two spellings of one address become the same value. Codes go to the normalized
//! address and never to the text of the request (V20).

use std::str::FromStr;

use crate::words::error::Error;
use crate::words::masked::masked;
use crate::words::numbering::{self, Plan};

/// The address that a user signs in with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Identifier {
    /// An email address.
    Email(Email),
    /// A phone number.
    Phone(Phone),
}

/// An email address: ASCII, lower case, with an A-label domain, at most 254 bytes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

/// A phone number in E.164: `+` and 7 to 15 digits. The first digit is 1 to 9.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Phone(String);

/// RFC 5321 limits a path to 256 octets, including its angle brackets.
const LONGEST_EMAIL: usize = 254;
/// RFC 5321 limits a local part to 64 octets.
const LONGEST_LOCAL_PART: usize = 64;

impl Identifier {
    /// The normalized address.
    pub fn reveal(&self) -> &str {
        match self {
            Identifier::Email(email) => email.reveal(),
            Identifier::Phone(phone) => phone.reveal(),
        }
    }

    /// The kind of identifier. It is part of the digest, so an email address and a phone number never share a digest.
    pub fn kind(&self) -> &'static str {
        match self {
            Identifier::Email(_) => "email",
            Identifier::Phone(_) => "phone",
        }
    }
}

/// Text that starts like a phone number and has no `@` is parsed as one. Everything else is parsed as an email address.
impl FromStr for Identifier {
    type Err = Error;

    fn from_str(text: &str) -> Result<Identifier, Error> {
        let is_number_like = |first: char| matches!(first, '+' | '＋' | '(') || first.is_numeric();
        let looks_like_a_number = text.trim().starts_with(is_number_like);
        if looks_like_a_number && !text.contains('@') {
            text.parse().map(Identifier::Phone)
        } else {
            text.parse().map(Identifier::Email)
        }
    }
}

impl Email {
    /// The normalized address.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl FromStr for Email {
    type Err = Error;

    fn from_str(text: &str) -> Result<Email, Error> {
        let (local, domain) = text.trim().rsplit_once('@').ok_or(Error::InvalidEmail)?;
        if !is_local_part(local) {
            return Err(Error::InvalidEmail);
        }
        let domain = idna::domain_to_ascii_strict(domain).map_err(|_| Error::InvalidEmail)?;
        if !is_mail_domain(&domain) {
            return Err(Error::InvalidEmail);
        }
        let canonical = format!("{}@{domain}", local.to_ascii_lowercase());
        if canonical.len() > LONGEST_EMAIL {
            return Err(Error::InvalidEmail);
        }
        Ok(Email(canonical))
    }
}

/// Accepts the dot-atom of RFC 5322. Quoted local parts are valid but unused, and parsers disagree about them.
///
/// `=?` starts an encoded word (RFC 2047). Some mail systems decode it, possibly into another address, so it is refused.
fn is_local_part(local: &str) -> bool {
    let is_atom = |atom: &str| {
        !atom.is_empty()
            && atom.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte))
    };
    local.len() <= LONGEST_LOCAL_PART && !local.contains("=?") && local.split('.').all(is_atom)
}

/// A host name with at least two labels. A last label of digits only would make it an IP address.
fn is_mail_domain(domain: &str) -> bool {
    let Some((rest, last)) = domain.rsplit_once('.') else { return false };
    !rest.is_empty() && last.len() >= 2 && !last.bytes().all(|byte| byte.is_ascii_digit())
}

impl Phone {
    /// The normalized number.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The country and the cost of the number.
    pub fn plan(&self) -> Plan {
        numbering::plan(self.0.trim_start_matches('+'))
    }
}

impl FromStr for Phone {
    type Err = Error;

    /// Removes spaces, dashes, dots and parentheses, and then accepts only E.164 (V23).
    fn from_str(text: &str) -> Result<Phone, Error> {
        // `(0)` is a trunk prefix for calls inside the country. E.164 has none, so the digits would form another number.
        if text.contains("(0)") {
            return Err(Error::InvalidPhone);
        }
        let number: String = text.trim().chars().filter(|char| !matches!(char, ' ' | '-' | '.' | '(' | ')')).collect();
        if is_e164(&number) { Ok(Phone(number)) } else { Err(Error::InvalidPhone) }
    }
}

/// Whether a text is an E.164 number: `^\+[1-9][0-9]{6,14}$`.
pub fn is_e164(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=numbering::LONGEST).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0')
    })
}

masked!(Email);
masked!(Phone);

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(text: &str, canonical: &str) {
        assert_eq!(
            text.parse::<Identifier>().map(|it| it.reveal().to_owned()).ok().as_deref(),
            Some(canonical),
            "{text}"
        );
    }

    fn refuses(text: &str, code: &str) {
        assert_eq!(text.parse::<Identifier>().map_err(|error| error.code()), Err(code), "{text}");
    }

    /// S2-42: three valid and three invalid examples, with spaces, dashes and parentheses.
    #[test]
    fn the_six_examples_of_the_phone_rule() {
        accepts("+1 (555) 123-4567", "+15551234567");
        accepts("+44 20 7946 0958", "+442079460958");
        accepts("+1234567", "+1234567");
        refuses("15551234567", "invalid_phone");
        refuses("+0123456789", "invalid_phone");
        refuses("+1234567890123456", "invalid_phone");
    }

    /// V23: spellings that other systems accept are refused instead of interpreted.
    #[test]
    fn a_number_has_one_spelling() {
        accepts(" +44.20.7946.0958 ", "+442079460958");
        for other in [
            "0044 20 7946 0958",
            "+44 (0)20 7946 0958",
            "+442079460958 x9",
            "+44207946095８",
            "＋442079460958",
            "+442079460958;ext=9",
        ] {
            refuses(other, "invalid_phone");
        }
        refuses("+123456", "invalid_phone");
        refuses("++15551234567", "invalid_phone");
        refuses("+1555123\u{a0}4567", "invalid_phone");
    }

    #[test]
    fn an_address_has_one_spelling() {
        accepts("  Ada@Example.COM ", "ada@example.com");
        accepts("ada+news@example.com", "ada+news@example.com");
        accepts("ada@bücher.example", "ada@xn--bcher-kva.example");
        accepts("ada@BÜCHER.example", "ada@xn--bcher-kva.example");
        accepts("ada@example。com", "ada@example.com");
        accepts("1ada@example.com", "1ada@example.com");
    }

    /// V20: letters that case folding turns into ASCII are refused.
    #[test]
    fn a_local_part_is_ascii() {
        for other in
            ["mıke@example.com", "ﬁ@example.com", "Ｋelvin@example.com", "ada\u{200b}@example.com", "аda@example.com"]
        {
            refuses(other, "invalid_email");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        let long_local = format!("{}@example.com", "a".repeat(65));
        let long_label = format!("ada@{}.com", "a".repeat(64));
        let long_domain = format!("ada@{}com", "abcdefg.".repeat(32));
        for other in [
            "",
            "ada",
            "@",
            "ada@",
            "@example.com",
            "ada@example",
            "ada@.com",
            "ada@example.",
            "ada@exa mple.com",
            "a b@example.com",
            ".ada@example.com",
            "ada.@example.com",
            "a..b@example.com",
            "\"ada\"@example.com",
            "ada@[127.0.0.1]",
            "ada@127.0.0.1",
            "ada@-example.com",
            "ada@example.c",
            "ada@exam_ple.com",
            "ada@bob@example.com",
            "ada@example.com,bob@example.com",
            "ada@example.com\r\nBcc: bob@example.com",
            "Ada <ada@example.com>",
            "=?utf-8?q?ada?=@example.com",
            "a=?da@example.com",
            &long_local,
            &long_label,
            &long_domain,
        ] {
            refuses(other, "invalid_email");
        }
    }

    #[test]
    fn debug_never_prints_it() {
        let (email, phone) = ("ada@example.com".parse::<Identifier>(), "+15551234567".parse::<Identifier>());
        assert_eq!(format!("{email:?} {phone:?}"), "Ok(Email(Email(…))) Ok(Phone(Phone(…)))");
    }
}
