//! Forms, as services outside AWS send them.

use percent_encoding::percent_decode_str;

use crate::words::{Error, Result};

/// The fields of a form, decoded, in their order.
pub(super) type Form = Vec<(String, String)>;

/// Reads a form.
///
/// # Errors
/// [`Error::InvalidRequest`] if it is not in UTF-8.
pub(super) fn read(body: &[u8]) -> Result<Form> {
    let decoded = |text: &str| {
        let text = text.replace('+', " ");
        percent_decode_str(&text).decode_utf8().map(|text| text.into_owned()).ok()
    };
    let field = |field: &str| {
        let (name, value) = field.split_once('=').unwrap_or((field, ""));
        Some((decoded(name)?, decoded(value)?))
    };
    let fields = str::from_utf8(body).ok().map(|body| body.split('&').filter(|field| !field.is_empty()).map(field));
    let form = fields.and_then(Iterator::collect::<Option<Form>>);
    form.ok_or_else(|| Error::invalid("The body must be a form in UTF-8."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_decoded() {
        let expected = [("a", "b c+"), ("d", ""), ("", "e"), ("f", "\u{e9}")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(read(b"a=b+c%2B&d&=e&&f=%C3%A9").unwrap(), expected);
        for wrong in [b"a=%ff".as_slice(), b"\xff=b"] {
            assert!(read(wrong).is_err());
        }
    }
}
