//! Input typed by users: addresses, numbers and codes. Also the source named by a frontend.

use shared::codes::{Code, LONG_LENGTH, SHORT_LENGTHS};
use shared::history::Source;
use shared::http::source_url;
use shared::words::{Email, Identifier, Phone, plain_digit};

use crate::{Target, Word, texts};

#[rustfmt::skip] // Words side by side.
pub(super) const EMAIL: Target = Target {
    name: "email", asks_functions: false,
    run: email,
    seeds: || {
        texts([
            "ada@example.com",
            "  Ada.Lovelace+news@Example.COM ",
            "ada@bücher.example",
            "ada@xn--bcher-kva.example",
            "ada@example。com",
            "a!#$%&'*+-/=?^_`{|}~b@sub.example.co.uk",
        ])
    },
    dictionary: &[
        "@", ".", "example", ".com", "xn--", "xn--bcher-kva", "ü", "ß", "ﬁ", "ı", "\u{212a}", "。", "\u{200d}",
        "\u{ad}", "\u{301}", "א", "ا", "٣", "\"", "(", ")", "<", ">", "[127.0.0.1]", "\r\nBcc: bob@example.com", ",",
        "-", "--", "_", "A", "Z",
    ],
    reaches: &["accepted", "an A-label", "refused"],
};

/// An address has one normal form, is equal to itself when parsed again, and is safe in a header.
fn email(input: &[u8]) -> Word {
    let text = String::from_utf8_lossy(input);
    let Ok(email) = text.parse::<Email>() else {
        return "refused";
    };
    let canonical = email.reveal();
    assert!(canonical.parse::<Email>().is_ok_and(|again| again == email), "{canonical} is not its own spelling");
    assert!(canonical.parse::<Identifier>().is_ok_and(|it| it.reveal() == canonical || it.kind() == "phone"));
    let is_plain =
        |byte: u8| byte.is_ascii_graphic() && !byte.is_ascii_uppercase() && !b"\"(),:;<>[]\\".contains(&byte);
    assert!(canonical.len() <= 254 && canonical.bytes().all(is_plain), "{canonical}");
    let (local, domain) = canonical.split_once('@').unwrap();
    assert!(!domain.contains('@') && domain.contains('.') && local.len() <= 64 && !local.contains("=?"), "{canonical}");
    if domain.contains("xn--") { "an A-label" } else { "accepted" }
}

#[rustfmt::skip] // Words side by side.
pub(super) const PHONE: Target = Target {
    name: "phone", asks_functions: false,
    run: phone,
    seeds: || {
        texts(["+44 (0)7400 123456", "tel:+44-7400-123456", "+15551234567", "+1 (555) 123-4567", " +44.20.7946.0958 ", "+447400123456", "+1234567", "+882161234567"])
    },
    dictionary: &[
        "+", "00", "(0)", "(", ")", " ", "-", ".", "x9", ";ext=9", "８", "＋", "٣", "\u{a0}", "1", "7", "44", "49",
        "1900", "447", "882",
    ],
    reaches: &["accepted", "refused"],
};

fn phone(input: &[u8]) -> Word {
    let text = String::from_utf8_lossy(input);
    let Ok(phone) = text.parse::<Phone>() else {
        return "refused";
    };
    let canonical = phone.reveal();
    let digits = canonical.strip_prefix('+').unwrap();
    assert!((7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()), "{canonical}");
    assert!(!digits.starts_with('0') && canonical.parse::<Phone>().is_ok_and(|again| again == phone), "{canonical}");
    assert!(canonical.parse::<Identifier>().is_ok_and(|it| it == Identifier::Phone(phone.clone())));
    // Only a prefix for calls inside the country may be removed or replaced, so the number ends as it was typed.
    let typed: String = text.chars().filter_map(plain_digit).collect();
    assert_eq!(typed[typed.len() - 4..], digits[digits.len() - 4..], "other digits than were typed");
    let _ = phone.plan();
    "accepted"
}

#[rustfmt::skip] // Words side by side.
pub(super) const CODE: Target = Target {
    name: "code", asks_functions: false,
    run: code,
    seeds: || {
        texts([
            "012345",
            " 012-345\n",
            "٠١٢٣٤٥",
            "𝟎𝟏𝟐𝟑𝟒𝟓",
            "abcd-efgh-ijk-27",
            "012345 is your Latchkey code. It expires in 5 minutes.\n\n@app.example.com #012345",
        ])
    },
    dictionary: &[
        "0", "9", "012345", "012346", "ABCDEFGHIJK27", "-", "–", " ", "#", "@", "०", "𝟶", "①", "²", "is your",
        "code", ".", ":", "2", "7",
    ],
    reaches: &["short", "long", "none"],
};

/// Six to ten digits or thirteen letters. A parsed code parses again to itself, alone or in a message.
fn code(input: &[u8]) -> Word {
    let text = String::from_utf8_lossy(input);
    let Some(code) = Code::read(&text) else {
        return "none";
    };
    let plain = code.reveal();
    for again in [plain.to_owned(), format!("{plain} is your Latchkey code.\n\n@app.example.com #{plain}")] {
        assert!(Code::read(&again).is_some_and(|read| read.reveal() == plain), "{again}");
    }
    match code {
        Code::Short(_) => {
            assert!(SHORT_LENGTHS.contains(&plain.len()) && plain.bytes().all(|byte| byte.is_ascii_digit()));
            "short"
        }
        Code::Long(_) => {
            let is_base32 = |byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7');
            assert!(plain.len() == LONG_LENGTH && plain.bytes().all(is_base32));
            "long"
        }
    }
}

#[rustfmt::skip] // Words side by side.
pub(super) const SOURCE_URL: Target = Target {
    name: "source-url", asks_functions: false,
    run: source,
    seeds: || texts(["https://example.com/welcome?a=b#c", "https://app.example.co.uk/register?utm_source=fb&utm_campaign=spring", "  ", "", "javascript:alert(1)", "=cmd|' /C calc'!A0"]),
    dictionary: &["https://", "example.com", "/", "?utm_source=", "&utm_campaign=", "ada@example.com", "%40", "%", "ref", "www.", "xn--", "\u{7f}", "\u{85}", "\u{2028}", "aaaaaaaaaaaaaaaa", "\r\n", "\t"],
    reaches: &["a source", "kept", "none"],
};

fn source(input: &[u8]) -> Word {
    let text = String::from_utf8_lossy(input);
    let Some(kept) = source_url(&text) else {
        return "none";
    };
    assert!(text.contains(kept) && kept.len() <= 2_048 && !kept.chars().any(char::is_control), "{text}");
    assert!(kept.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("http")) && source_url(kept) == Some(kept));
    let Some(source) = Source::of(kept) else {
        return "kept";
    };
    assert!(source.url.len() <= 190 && !source.url.contains(['@', '%', '<', '"']), "{source:?}");
    assert_eq!(Source::of(&source.url).as_ref(), Some(&source), "{kept}");
    "a source"
}
