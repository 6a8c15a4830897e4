//! Identifiers: an email address or a phone number.
//!
//! Parsing normalizes the text, so two spellings of one address become the same value. Codes go to the normalized
//! address and never to the text of the request (V20).

use std::str::FromStr;

use crate::words::error::Error;
use crate::words::masked::masked;
use crate::words::numbering::{self, Plan};
use crate::words::typed::{is_invisible, plain_digit, trimmed};

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
        let is_number_like = |first: char| matches!(first, '+' | '＋' | '(' | '（') || first.is_numeric();
        let looks_like_a_number = without_scheme(trimmed(text)).starts_with(is_number_like);
        if looks_like_a_number && !text.contains('@') {
            text.parse().map(Identifier::Phone)
        } else {
            text.parse().map(Identifier::Email)
        }
    }
}

impl Email {
    /// The part after the `@`.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// The normalized address.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl FromStr for Email {
    type Err = Error;

    fn from_str(text: &str) -> Result<Email, Error> {
        let (local, domain) = trimmed(text).rsplit_once('@').ok_or(Error::InvalidEmail)?;
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

    /// The country of the number, and whether it can be a mobile phone.
    pub fn plan(&self) -> Plan {
        numbering::plan(self.0.trim_start_matches('+'))
    }
}

impl FromStr for Phone {
    type Err = Error;

    /// Reads an international number as people type it, and turns it into its only form, the one that libphonenumber makes (V23):
    /// without punctuation and invisible marks, with ASCII digits, and without a prefix for calls inside the country.
    ///
    /// A national number has no `+`. It belongs to another country for each reader, so it is refused.
    fn from_str(text: &str) -> Result<Phone, Error> {
        let number = without_scheme(trimmed(text)).strip_prefix(['+', '＋']).ok_or(Error::InvalidPhone)?;
        let typed = number.chars().filter(|char| !is_between_digits(*char));
        let digits: String = typed.map(plain_digit).collect::<Option<_>>().ok_or(Error::InvalidPhone)?;
        let number = format!("+{}", numbering::canonical(&digits).ok_or(Error::InvalidPhone)?);
        if is_e164(&number) { Ok(Phone(number)) } else { Err(Error::InvalidPhone) }
    }
}

/// The number in a link such as `tel:+44-7400-123456` (RFC 3966).
fn without_scheme(text: &str) -> &str {
    match text.split_at_checked(4) {
        Some((scheme, number)) if scheme.eq_ignore_ascii_case("tel:") => number,
        Some(_) | None => text,
    }
}

/// The punctuation in a number: blanks within a line, dashes, dots, parentheses and slashes, also in their wide forms.
fn is_between_digits(char: char) -> bool {
    let is_blank = char.is_whitespace() && !char.is_control() && !matches!(char, '\u{2028}' | '\u{2029}');
    is_blank
        || is_invisible(char)
        || matches!(char, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | 'ー' | '－')
        || matches!(char, '.' | '．' | '(' | ')' | '（' | '）' | '/' | '／')
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

    /// V23, S150: what people type for one number is one number.
    #[test]
    fn a_number_has_one_spelling() {
        for typed in [
            "+447400123456",
            " +44.7400.123.456 ",
            "+44 (0)7400 123456",
            "+44 07400 123456",
            "+44\u{a0}7400\u{2011}123\u{2013}456",
            "\u{202a}+44 7400 123456\u{202c}",
            "+44 74\u{200b}00 123456",
            "＋４４ ７４００ １２３４５６",
            "+٤٤ ٧٤٠٠ ١٢٣٤٥٦",
            "tel:+44-7400-123456",
            "TEL:+44(0)7400/123456",
        ] {
            accepts(typed, "+447400123456");
        }
        for other in [
            "07400 123456",
            "0044 7400 123456",
            "447400123456",
            "(0)7400 123456",
            "+447400123456 x9",
            "+447400123456;ext=9",
            "tel:07400123456",
            "tel:+447400123456;phone-context=+44",
            "++447400123456",
            "+44+7400123456",
            "+44 7400\n123456",
            "+123456",
        ] {
            refuses(other, "invalid_phone");
        }
    }

    /// S150: each country's own prefix for calls inside it, and the number without it.
    #[test]
    fn a_trunk_prefix_is_no_part_of_a_number() {
        for (typed, canonical) in [
            ("+61 0412 345 678", "+61412345678"),
            ("+49 0151 23456789", "+4915123456789"),
            ("+972 050-234-5678", "+972502345678"),
            ("+33 06 12 34 56 78", "+33612345678"),
            ("+20 010 01234567", "+201001234567"),
            ("+7 8 912 345-67-89", "+79123456789"),
            ("+1 1 212 555 0123", "+12125550123"),
            ("+55 0 15 11 96123 4567", "+5511961234567"),
            ("+54 0 11 15 2345 6789", "+5491123456789"),
            // In Italy the zero is a part of the number.
            ("+39 06 6982", "+39066982"),
        ] {
            accepts(typed, canonical);
        }
    }

    #[test]
    fn an_address_has_one_spelling() {
        accepts("  Ada@Example.COM ", "ada@example.com");
        accepts("ada+news@example.com", "ada+news@example.com");
        accepts("ada@bücher.example", "ada@xn--bcher-kva.example");
        accepts("ada@BÜCHER.example", "ada@xn--bcher-kva.example");
        accepts("ada@example。com", "ada@example.com");
        accepts("1ada@example.com", "1ada@example.com");
        accepts("\u{feff}\u{2068}ada@example.com\u{2069}\u{a0}", "ada@example.com");
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
