//! Mailboxes as SES reads them: `a@b.example`, `Name <a@b.example>`, `"Name" <…>`, `=?UTF-8?B?TmFtZQ==?= <…>`.
//!
//! Error messages use SES's words. For rare forms (comments, quoted local parts, a name of several quoted parts), this
//! parser is stricter than SES.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64;

/// RFC 5321.
const LONGEST_LOCAL_PART: usize = 64;
const LONGEST_DOMAIN: usize = 255;

/// An address with an optional display name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mailbox {
    pub(crate) name: Option<String>,
    pub(crate) address: String,
}

impl Mailbox {
    pub(crate) fn domain(&self) -> &str {
        self.address.rsplit('@').next().unwrap_or_default()
    }
}

/// The form in a mail program.
impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} <{}>", self.address),
            None => f.write_str(&self.address),
        }
    }
}

impl FromStr for Mailbox {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Mailbox, &'static str> {
        if text.chars().any(char::is_control) {
            return Err("Local address contains control or whitespace");
        }
        let (name, address) = match text.trim().strip_suffix('>') {
            None => (None, text.trim()),
            Some(rest) => {
                let (name, address) = rest.rsplit_once('<').ok_or("Missing '<'")?;
                (display_name(name.trim())?, address)
            }
        };
        check(address)?;
        Ok(Mailbox { name, address: address.to_owned() })
    }
}

fn check(address: &str) -> Result<(), &'static str> {
    let (local, domain) = address.rsplit_once('@').ok_or("Missing final '@domain'")?;
    if local.is_empty() {
        return Err("Missing local name");
    }
    // SES does not support SMTPUTF8, so only printable ASCII is valid.
    if !local.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("Local address contains control or whitespace");
    }
    if !local.chars().all(|letter| is_atom(letter) || letter == '.') {
        return Err("Local address contains illegal character");
    }
    dots(local, "Local address starts with dot", "Local address ends with dot", "Local address contains dot-dot")?;
    if domain.is_empty() {
        return Err("Missing domain");
    }
    if !domain.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.') {
        return Err("Domain contains illegal character");
    }
    dots(domain, "Domain starts with dot", "Domain ends with dot", "Domain contains dot-dot")?;
    if local.len() > LONGEST_LOCAL_PART || domain.len() > LONGEST_DOMAIN || !domain.contains('.') {
        return Err("Illegal address");
    }
    Ok(())
}

fn dots(text: &str, start: &'static str, end: &'static str, inside: &'static str) -> Result<(), &'static str> {
    match (text.starts_with('.'), text.ends_with('.'), text.contains("..")) {
        (true, _, _) => Err(start),
        (_, true, _) => Err(end),
        (_, _, true) => Err(inside),
        (false, false, false) => Ok(()),
    }
}

/// RFC 5322 `atext`.
fn is_atom(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(letter)
}

/// A quoted name, or words. Letters outside ASCII must be in encoded words.
fn display_name(text: &str) -> Result<Option<String>, &'static str> {
    if !text.is_ascii() {
        return Err("Display name contains non-ASCII characters: use an encoded word");
    }
    if let Some(quoted) = text.strip_prefix('"') {
        return unquoted(quoted).map(Some);
    }
    let mut name = String::new();
    let mut after_encoded = false;
    for word in text.split_whitespace() {
        let encoded = decoded(word);
        if encoded.is_none() && !word.chars().all(|letter| is_atom(letter) || letter == '.') {
            return Err("Illegal address");
        }
        // RFC 2047: mail programs skip the space between two encoded words.
        let is_joined = name.is_empty() || (after_encoded && encoded.is_some());
        if !is_joined {
            name.push(' ');
        }
        after_encoded = encoded.is_some();
        name.push_str(encoded.as_deref().unwrap_or(word));
    }
    Ok(Some(name).filter(|name| !name.is_empty()))
}

/// The text up to the closing quote, which must be the last character.
fn unquoted(text: &str) -> Result<String, &'static str> {
    let mut name = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if letters.as_str().is_empty() => return Ok(name),
            '"' => return Err("Illegal address"),
            '\\' => name.extend(letters.next()),
            _ => name.push(letter),
        }
    }
    Err("Missing '\"'")
}

/// Decodes `=?charset?encoding?text?=`. `None` for any other word.
fn decoded(word: &str) -> Option<String> {
    let inner = word.strip_prefix("=?")?.strip_suffix("?=")?;
    let [charset, encoding, text] = inner.split('?').collect::<Vec<_>>().try_into().ok()?;
    let is_known = ["utf-8", "us-ascii"].iter().any(|known| charset.eq_ignore_ascii_case(known));
    let bytes = match encoding {
        "B" | "b" => BASE64.decode(text.as_bytes()).ok()?,
        "Q" | "q" => quoted_printable(text)?,
        _ => return None,
    };
    is_known.then(|| String::from_utf8(bytes).ok()).flatten()
}

fn quoted_printable(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'_' => b' ',
            b'=' => {
                let digits = [bytes.next()?, bytes.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            other => other,
        });
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(text: &str, shown: &str) {
        assert_eq!(text.parse::<Mailbox>().map(|mailbox| mailbox.to_string()).as_deref(), Ok(shown), "{text}");
    }

    fn refuses(text: &str, reason: &str) {
        assert_eq!(text.parse::<Mailbox>().map_err(|error| error.split(':').next()), Err(Some(reason)), "{text}");
    }

    #[test]
    fn names_and_addresses_are_read() {
        reads("ada@example.com", "ada@example.com");
        reads(" <ada@example.com> ", "ada@example.com");
        reads("a.d+x_y'z@mail.example.co.uk", "a.d+x_y'z@mail.example.co.uk");
        reads("Latchkey <no-reply@example.com>", "Latchkey <no-reply@example.com>");
        reads("Acme Inc. Sign-in <a@example.com>", "Acme Inc. Sign-in <a@example.com>");
        reads(r#""Acme, \"Inc\" <x>" <a@example.com>"#, r#"Acme, "Inc" <x> <a@example.com>"#);
        reads("=?UTF-8?B?SsO8cmdlbg==?= <a@example.com>", "Jürgen <a@example.com>");
        reads("=?utf-8?q?J=C3=BCrgen_?= =?utf-8?q?M?= Ltd <a@example.com>", "Jürgen M Ltd <a@example.com>");
    }

    #[test]
    fn mailboxes_that_ses_refuses_are_refused() {
        refuses("", "Missing final '@domain'");
        refuses("ada", "Missing final '@domain'");
        refuses("=?UTF-8?B?YWRhQGV4YW1wbGUuY29t?=", "Missing final '@domain'");
        refuses("@example.com", "Missing local name");
        refuses("ada@", "Missing domain");
        refuses("äda@example.com", "Local address contains control or whitespace");
        refuses("a da@example.com", "Local address contains control or whitespace");
        refuses("ada@example.com\r\nBcc: eve@example.com", "Local address contains control or whitespace");
        refuses("a,b@example.com", "Local address contains illegal character");
        refuses("a@b@example.com", "Local address contains illegal character");
        refuses(".ada@example.com", "Local address starts with dot");
        refuses("ada.@example.com", "Local address ends with dot");
        refuses("a..da@example.com", "Local address contains dot-dot");
        refuses("ada@exämple.com", "Domain contains illegal character");
        refuses("ada@[127.0.0.1]", "Domain contains illegal character");
        refuses("ada@example..com", "Domain contains dot-dot");
        refuses("ada@localhost", "Illegal address");
        refuses(&format!("{}@example.com", "a".repeat(65)), "Illegal address");
        refuses("Acme, Inc. <a@example.com>", "Illegal address");
        refuses("\"Acme\" Inc <a@example.com>", "Illegal address");
        refuses("\"Acme <a@example.com>", "Missing '\"'");
        refuses("Acme a@example.com>", "Missing '<'");
        refuses("Jürgen <a@example.com>", "Display name contains non-ASCII characters");
    }
}
