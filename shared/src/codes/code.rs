//! One-time codes: drawn at random, read leniently, and stored only as keyed digests.

use data_encoding::BASE32_NOPAD;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use crate::codes::purpose::Purpose;
use crate::words::{Destination, Entropy, MacKey, Result, Scope, Tenant, is_invisible, masked, plain_digit};

/// How hard a code is to guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// `OTP_LENGTH` digits.
    Short,
    /// Eight digits at least, once the day's attempts with fewer are used up.
    Eight,
    /// 64 bits. The only codes that several requests share.
    Long,
}

/// The secret in a message. It deliberately lacks `Display` and `Serialize`.
#[derive(Clone, Debug)]
pub enum Code {
    /// 6 to 10 decimal digits.
    Short(SecretString),
    /// 13 base32 characters (64 bits), while an identifier has few messages left.
    Long(SecretString),
}

/// The number of digits in a short code.
pub const SHORT_LENGTHS: std::ops::RangeInclusive<usize> = 6..=10;
/// The number of characters in a long code.
pub const LONG_LENGTH: usize = 13;

/// The digits of a code after the day's attempts with fewer are used up.
pub(super) const MORE_DIGITS: usize = 8;

impl Code {
    /// A random code of a strength, where a short one has `length` digits.
    ///
    /// # Errors
    /// As [`Entropy::bytes`].
    pub fn draw(entropy: &Entropy, strength: Strength, length: usize) -> Result<Code> {
        match strength {
            Strength::Short => Code::short(entropy, length),
            Strength::Eight => Code::short(entropy, length.max(MORE_DIGITS)),
            Strength::Long => Code::long(entropy),
        }
    }

    /// Whether this is a long code.
    pub fn is_long(&self) -> bool {
        matches!(self, Code::Long(_))
    }

    /// A random code of `length` digits, uniformly distributed, with its leading zeros (S01).
    ///
    /// # Errors
    /// As [`Entropy::bytes`].
    pub fn short(entropy: &Entropy, length: usize) -> Result<Code> {
        let number = entropy.below(10_u64.pow(length as u32))?;
        Ok(Code::Short(format!("{number:0length$}").into()))
    }

    /// A random code of 64 bits.
    ///
    /// # Errors
    /// As [`Entropy::bytes`].
    pub fn long(entropy: &Entropy) -> Result<Code> {
        Ok(Code::Long(BASE32_NOPAD.encode(&entropy.bytes::<8>()?).into()))
    }

    /// Reads typed or pasted text.
    ///
    /// Spaces, dashes and invisible marks are ignored, decimal digits of any script are accepted, and letters may be lower case. Text
    /// of a whole message is accepted if it contains exactly one distinct code. Other text gives `None`.
    pub fn read(typed: &str) -> Option<Code> {
        let text: String = typed.chars().map(|char| plain_digit(char).unwrap_or(char)).collect();
        let is_dash = |char: char| char.general_category() == GeneralCategory::DashPunctuation;
        let is_between = |char: char| char.is_whitespace() || is_invisible(char) || is_dash(char);
        let joined: String = text.chars().filter(|&char| !is_between(char)).collect();
        Code::of_shape(&joined).or_else(|| Code::in_message(&text))
    }

    /// The only distinct code in a message. Latchkey's own text messages contain it twice.
    fn in_message(text: &str) -> Option<Code> {
        // Treat `@app.example.com` and `+14155550123` as single words, so that no part of them looks like a code.
        let is_in_word = |char: char| char.is_alphanumeric() || "@.+_/-".contains(char);
        let words = text.split(|char| !is_in_word(char)).map(|word| word.trim_matches(['.', '_', '/', '-']));
        let mut codes = words.filter(|word| !is_plain_word(word)).filter_map(Code::of_shape);
        let first = codes.next()?;
        codes.all(|other| other.reveal() == first.reveal()).then_some(first)
    }

    fn of_shape(text: &str) -> Option<Code> {
        if SHORT_LENGTHS.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(Code::Short(text.into()));
        }
        let text = text.to_ascii_uppercase();
        let is_long = text.len() == LONG_LENGTH && text.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7'));
        is_long.then_some(Code::Long(text.into()))
    }

    /// The code as text, for the message.
    pub fn reveal(&self) -> &str {
        match self {
            Code::Short(text) | Code::Long(text) => text.expose_secret(),
        }
    }
}

/// Whether a word is letters only, with a lower-case one. A 13-letter word like "international" has the shape of a long code.
fn is_plain_word(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_alphabetic()) && word.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// Everything that a code is bound to. It proves one identifier by one channel for one purpose, to the client that
/// requested it (S08, V07).
#[derive(Clone, Copy, Debug)]
pub struct Binding<'a> {
    /// The tenant of the user.
    pub tenant: &'a Tenant,
    /// The destination of the code.
    pub to: &'a Destination,
    /// The code's purpose.
    pub purpose: Purpose,
    /// The name of the code's entry in the identifier's item.
    pub challenge: &'a str,
}

/// The stored form of a code.
///
/// A plain hash of six digits falls to a million guesses. The digest is therefore keyed with a pepper, kept outside
/// the tables, and bound to one challenge (S09).
/// 128 bits of the MAC are kept, so that all codes of an identifier fit into one write unit.
#[derive(Clone)]
pub struct CodeDigest([u8; DIGEST_LENGTH]);

/// The length of a code's digest, in bytes.
pub const DIGEST_LENGTH: usize = 16;

impl CodeDigest {
    /// The digest of `code` under `pepper`.
    pub fn of(code: &Code, binding: Binding<'_>, pepper: &MacKey) -> CodeDigest {
        let Binding { tenant, to, purpose, challenge } = binding;
        // The kind of the identifier, and not the channel: a text that its provider refuses may be followed by a call with the same code.
        let kind = match to {
            Destination::Email(_) => "email",
            Destination::Sms(_) | Destination::Voice(_) | Destination::Whatsapp(_) => "phone",
        };
        let [digest @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = pepper.digest(
            "code",
            Scope::Tenant(tenant),
            &[
                kind.as_bytes(),
                // The key: a code is right with any spelling of the mailbox that it was sent to.
                to.identifier().key().as_bytes(),
                purpose.bound().as_bytes(),
                challenge.as_bytes(),
                code.reveal().as_bytes(),
            ],
        );
        CodeDigest(digest)
    }

    /// A digest read from the table.
    pub fn from_table(bytes: [u8; DIGEST_LENGTH]) -> CodeDigest {
        CodeDigest(bytes)
    }

    /// The bytes to store in the table.
    pub fn as_bytes(&self) -> &[u8; DIGEST_LENGTH] {
        &self.0
    }

    /// Compares in constant time, so the time does not reveal the first difference (S10).
    pub fn matches(&self, other: &CodeDigest) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

masked!(CodeDigest);

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(typed: &str, code: Option<&str>) {
        assert_eq!(Code::read(typed).as_ref().map(Code::reveal), code, "{typed}");
    }

    #[test]
    fn a_code_is_read_leniently() {
        for typed in
            ["012345", " 012 345\n", "012-345", "012–345", "０１２３４５", "٠١٢٣٤٥", "०१२३४५", "𝟎𝟏𝟐𝟑𝟒𝟓", "𝟶𝟷𝟸𝟹𝟺𝟻"]
        {
            reads(typed, Some("012345"));
        }
        reads("abcd-efgh-ijk-27", Some("ABCDEFGHIJK27"));
        for typed in ["", "12345", "12345678901", "12345a", "①②③④⑤⑥", "ABCDEFGHIJK2", "ABCDEFGHIJK01"] {
            reads(typed, None);
        }
    }

    #[test]
    fn a_pasted_message_with_one_code_is_read() {
        let ours = "012345 is your Latchkey code. It expires in 5 minutes.\n\n@app.example.com #012345";
        reads(ours, Some("012345"));
        for typed in ["Your code: 012345.", "code:０１２３４５", "012345 012345", "[012345] (international call 2)"]
        {
            reads(typed, Some("012345"));
        }
        let long = "ABCDEFGHIJK27 is your Latchkey code.\n\n@app.example.com #ABCDEFGHIJK27";
        reads(long, Some("ABCDEFGHIJK27"));
        reads(&long.to_lowercase(), Some("ABCDEFGHIJK27"));
        for typed in [
            "012345 is your code, not 012346",
            "012345 or ABCDEFGHIJK27",
            "Call +4420794609 for your code",
            "See 012345.example.com",
            "This is an international call.",
            "On 2026-11-21 you asked for a code.",
        ] {
            reads(typed, None);
        }
    }

    /// S01: a chi-square test over 10^6 digits with nine degrees of freedom. The 0.1 % point is 27.9; a correct
    /// generator exceeds 60 once in 10^8 runs.
    #[test]
    fn codes_are_uniform_and_keep_their_zeros() {
        let mut counts = [0_u32; 10];
        for _ in 0..100_000 {
            let code = Code::short(&Entropy, 10).unwrap();
            assert_eq!(code.reveal().len(), 10);
            code.reveal().bytes().for_each(|digit| counts[usize::from(digit - b'0')] += 1);
        }
        let expected = 100_000.0;
        let chi_square: f64 = counts.iter().map(|&count| (f64::from(count) - expected).powi(2) / expected).sum();
        assert!(chi_square < 60.0, "chi-square {chi_square}: {counts:?}");
    }

    /// V07, S270: the digest depends on everything in the binding.
    #[test]
    fn a_code_is_bound_to_its_challenge_identifier_and_purpose() {
        let to = |text: &str| Destination::of(text.parse().unwrap(), None).unwrap();
        let [ada, bob] = ["ada@example.com", "bob@example.com"].map(to);
        let [tenant, acme] = [Tenant::default(), Tenant::named("acme")];
        let digest = |tenant, to, purpose, challenge, pepper: [u8; 32]| {
            let code = Code::Short("123456".into());
            CodeDigest::of(&code, Binding { tenant, to, purpose, challenge }, &MacKey::new(pepper))
        };
        let [sign_in, step_up, contact] = Purpose::ALL;
        let kept = digest(&tenant, &ada, sign_in, "c", [1; 32]);
        assert!(kept.matches(&digest(&tenant, &ada, sign_in, "c", [1; 32])));
        for other in [
            digest(&acme, &ada, sign_in, "c", [1; 32]),
            digest(&tenant, &bob, sign_in, "c", [1; 32]),
            digest(&tenant, &ada, step_up, "c", [1; 32]),
            digest(&tenant, &ada, contact, "c", [1; 32]),
            digest(&tenant, &ada, sign_in, "d", [1; 32]),
            digest(&tenant, &ada, sign_in, "c", [2; 32]),
        ] {
            assert!(!kept.matches(&other));
        }
    }

    #[test]
    fn debug_never_prints_it() {
        for code in [Code::short(&Entropy, 6).unwrap(), Code::long(&Entropy).unwrap()] {
            assert!(!format!("{code:?}").contains(code.reveal()));
        }
        assert_eq!(format!("{:?}", CodeDigest([0; DIGEST_LENGTH])), "CodeDigest(…)");
    }
}
