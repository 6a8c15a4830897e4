//! The length of an SMS. One message carries 140 bytes: 160 characters of the GSM alphabet (3GPP TS 23.038), or 70 UCS-2
//! characters if any character is outside that alphabet. In a message of several parts, each part loses six bytes to a
//! header.
//!
//! The build script checks the texts of all languages with this file.

/// The maximum length of a product's name, in characters.
pub const LONGEST_PRODUCT: usize = 40;
/// The maximum length of the host in the last line, in characters.
pub const LONGEST_HOST: usize = 47;
/// The length of a long code.
pub(crate) const LONGEST_CODE: usize = 13;

/// The GSM default alphabet, without the escape.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                     ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// The GSM extension table. Each character needs an escape first.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// The encoding of an SMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Seven bits per character. Characters of the extension table count as two.
    Gsm7,
    /// Sixteen bits per character. Characters outside the basic plane, such as emoji, count as two.
    Ucs2,
}

impl Encoding {
    /// Its usual name.
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Gsm7 => "GSM-7",
            Encoding::Ucs2 => "UCS-2",
        }
    }

    /// The capacity of a single message, and of each part of a longer one.
    fn room(self) -> (usize, usize) {
        match self {
            Encoding::Gsm7 => (160, 153),
            Encoding::Ucs2 => (70, 67),
        }
    }
}

/// The length of an SMS as networks count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SmsLength {
    /// Some characters count as two.
    pub characters: usize,
    /// The encoding of the characters.
    pub encoding: Encoding,
    /// How many parts it needs. Each part is paid for.
    pub parts: usize,
}

impl SmsLength {
    /// Measures `text`.
    pub fn of(text: &str) -> SmsLength {
        let septets: Option<Vec<usize>> = text.chars().map(septets).collect();
        let (encoding, widths) = match septets {
            Some(widths) => (Encoding::Gsm7, widths),
            None => (Encoding::Ucs2, text.chars().map(char::len_utf16).collect()),
        };
        let characters = widths.iter().sum();
        let (alone, joined) = encoding.room();
        SmsLength { characters, encoding, parts: if characters <= alone { 1 } else { parts(&widths, joined) } }
    }
}

fn septets(letter: char) -> Option<usize> {
    match letter {
        _ if BASIC.contains(letter) => Some(1),
        _ if EXTENSION.contains(letter) => Some(2),
        _ => None,
    }
}

/// A part never ends in the middle of a character.
fn parts(widths: &[usize], room: usize) -> usize {
    let filled = widths.iter().fold((1, 0), |(parts, used), width| match used + width {
        used if used <= room => (parts, used),
        _ => (parts + 1, *width),
    });
    filled.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(text: &str, characters: usize, encoding: Encoding, parts: usize) {
        assert_eq!(SmsLength::of(text), SmsLength { characters, encoding, parts }, "{text}");
    }

    #[test]
    fn gsm_characters_are_counted_in_septets() {
        assert_eq!(BASIC.chars().count(), 127);
        takes("", 0, Encoding::Gsm7, 1);
        takes("123456 is your code.\n\n@app.example.com #123456", 46, Encoding::Gsm7, 1);
        takes(BASIC, 127, Encoding::Gsm7, 1);
        takes(EXTENSION, 20, Encoding::Gsm7, 1);
        takes(&"a".repeat(160), 160, Encoding::Gsm7, 1);
        takes(&"a".repeat(161), 161, Encoding::Gsm7, 2);
        takes(&"a".repeat(306), 306, Encoding::Gsm7, 2);
        takes(&"a".repeat(307), 307, Encoding::Gsm7, 3);
        takes(&format!("{}€", "a".repeat(158)), 160, Encoding::Gsm7, 1);
        takes(&format!("{}€", "a".repeat(159)), 161, Encoding::Gsm7, 2);
    }

    #[test]
    fn one_other_character_makes_it_ucs_2() {
        takes(&"ж".repeat(70), 70, Encoding::Ucs2, 1);
        takes(&"ж".repeat(71), 71, Encoding::Ucs2, 2);
        takes(&"ж".repeat(134), 134, Encoding::Ucs2, 2);
        takes(&"ж".repeat(135), 135, Encoding::Ucs2, 3);
        takes(&format!("{}🔑", "a".repeat(68)), 70, Encoding::Ucs2, 1);
        takes(&format!("{}🔑", "a".repeat(69)), 71, Encoding::Ucs2, 2);
        takes(&format!("{}€", "ж".repeat(69)), 70, Encoding::Ucs2, 1);
        for near_miss in ["ç", "`", "\t", "’", "–", "\u{a0}"] {
            takes(near_miss, 1, Encoding::Ucs2, 1);
        }
    }

    #[test]
    fn no_part_ends_within_a_character() {
        takes(&format!("{}€{}", "a".repeat(152), "a".repeat(152)), 306, Encoding::Gsm7, 3);
        takes(&format!("{}€{}", "a".repeat(151), "a".repeat(153)), 306, Encoding::Gsm7, 2);
        takes(&format!("{}🔑{}", "ж".repeat(66), "ж".repeat(66)), 134, Encoding::Ucs2, 3);
    }
}
