//! One-time codes: drawn, read kindly, and kept only as keyed digests.

use data_encoding::BASE32_NOPAD;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use crate::words::{Destination, Entropy, MacKey, Result, Scope, Tenant, masked};

/// How hard a code is to guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// Digits.
    Short,
    /// 64 bits: from [`crate::codes::limits::Lockout::long_from`] failures on.
    Long,
}

/// The secret that a message carries. It has no `Display` and no `Serialize`.
#[derive(Clone, Debug)]
pub enum Code {
    /// 6 to 10 decimal digits.
    Short(SecretString),
    /// 13 base32 characters, 64 bits: what an identifier under attack is sent instead.
    Long(SecretString),
}

/// Digits of a short code, in settings and in messages.
pub const SHORT_LENGTHS: std::ops::RangeInclusive<usize> = 6..=10;
/// Characters of a long code.
pub const LONG_LENGTH: usize = 13;

impl Code {
    /// `length` digits, each number as likely as any other, leading zeros kept (S01).
    ///
    /// # Errors
    /// As [`Entropy::bytes`].
    pub fn short(entropy: &Entropy, length: usize) -> Result<Code> {
        let number = entropy.below(10_u64.pow(length as u32))?;
        Ok(Code::Short(format!("{number:0length$}").into()))
    }

    /// 64 random bits.
    ///
    /// # Errors
    /// As [`Entropy::bytes`].
    pub fn long(entropy: &Entropy) -> Result<Code> {
        Ok(Code::Long(BASE32_NOPAD.encode(&entropy.bytes::<8>()?).into()))
    }

    /// What a person typed or pasted (U19): spaces, dashes and other scripts' decimal digits are understood, capitals do
    /// not matter, and a whole message is read where all the codes in it are one. `None` where that is no code.
    pub fn read(typed: &str) -> Option<Code> {
        let text: String = typed.chars().map(|char| plain_digit(char).unwrap_or(char)).collect();
        let is_between =
            |char: char| char.is_whitespace() || char.general_category() == GeneralCategory::DashPunctuation;
        let joined: String = text.chars().filter(|&char| !is_between(char)).collect();
        Code::of_shape(&joined).or_else(|| Code::in_message(&text))
    }

    /// The one code that a message carries, however often; our own text messages have it twice.
    fn in_message(text: &str) -> Option<Code> {
        // `@app.example.com` and `+14155550123` are words as a whole, and so are no codes.
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

    /// The code, for the message that carries it.
    pub fn reveal(&self) -> &str {
        match self {
            Code::Short(text) | Code::Long(text) => text.expose_secret(),
        }
    }
}

/// Letters that are not all capitals: thirteen of them are a word of the message, "international", before they are a code.
fn is_plain_word(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_alphabetic()) && word.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// The ASCII digit of the same value, where `char` is a decimal digit of any script.
///
/// Unicode keeps the ten digits of a script together and in order, so a digit's value is its distance from
/// where its block of digits begins, modulo ten. The longest block is that of the mathematical digits: 50.
fn plain_digit(char: char) -> Option<char> {
    let is_digit = |number: u32| {
        char::from_u32(number).is_some_and(|char| char.general_category() == GeneralCategory::DecimalNumber)
    };
    let number = u32::from(char);
    if !is_digit(number) {
        return None;
    }
    let distance = (1..=number).take(50).take_while(|back| is_digit(number - back)).count() as u32;
    char::from_digit(distance % 10, 10)
}

/// All that a code is bound to: it proves one identifier, by one channel and for one purpose, to whoever asked for it (S08,
/// V07).
#[derive(Clone, Copy, Debug)]
pub struct Binding<'a> {
    /// Whose user it is about.
    pub tenant: &'a Tenant,
    /// Where the code is sent.
    pub to: &'a Destination,
    /// How the table names the challenge: the digest of its id.
    pub challenge: &'a str,
}

/// What codes are for. Second factors and changes of address will have purposes of their own.
const PURPOSE: &str = "sign-in";

/// What is kept instead of the code.
///
/// A bare hash of six digits falls to a million guesses, so the digest is keyed with a pepper that never
/// enters a table, and bound to one challenge (S09).
#[derive(Clone)]
pub struct CodeDigest([u8; 32]);

impl CodeDigest {
    /// The digest of `code` under `pepper`.
    pub fn of(code: &Code, binding: Binding<'_>, pepper: &MacKey) -> CodeDigest {
        let Binding { tenant, to, challenge } = binding;
        // This is where a challenge remembers its channel. The word for SMS is older than the channel: it was the
        // identifier's kind.
        let channel = match to {
            Destination::Email(_) => "email",
            Destination::Sms(_) => "phone",
        };
        CodeDigest(pepper.digest(
            "code",
            Scope::Tenant(tenant),
            &[
                channel.as_bytes(),
                to.identifier().reveal().as_bytes(),
                PURPOSE.as_bytes(),
                challenge.as_bytes(),
                code.reveal().as_bytes(),
            ],
        ))
    }

    /// What the table held.
    pub fn from_table(bytes: [u8; 32]) -> CodeDigest {
        CodeDigest(bytes)
    }

    /// What the table holds.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether both are of the same code, in a time that does not depend on where they differ (S10).
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
    fn a_code_is_read_kindly() {
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
    fn a_pasted_message_is_read_where_it_says_one_code() {
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

    /// S01: chi-square over 10^6 draws of a digit; 27.9 is the 0.1 % point for nine degrees of freedom, and
    /// 60 is passed once in 10^8 runs.
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

    /// V07: a digest changes with everything that it is bound to.
    #[test]
    fn a_code_is_bound_to_its_challenge_and_identifier() {
        let to = |text: &str| Destination::of(text.parse().unwrap(), None).unwrap();
        let [ada, bob] = ["ada@example.com", "bob@example.com"].map(to);
        let [tenant, acme] = [Tenant::default(), Tenant::named("acme")];
        let digest = |tenant, to, challenge, pepper: [u8; 32]| {
            let code = Code::Short("123456".into());
            CodeDigest::of(&code, Binding { tenant, to, challenge }, &MacKey::new(pepper))
        };
        let kept = digest(&tenant, &ada, "c", [1; 32]);
        assert!(kept.matches(&digest(&tenant, &ada, "c", [1; 32])));
        for other in [
            digest(&acme, &ada, "c", [1; 32]),
            digest(&tenant, &bob, "c", [1; 32]),
            digest(&tenant, &ada, "d", [1; 32]),
            digest(&tenant, &ada, "c", [2; 32]),
        ] {
            assert!(!kept.matches(&other));
        }
    }

    #[test]
    fn debug_never_prints_it() {
        for code in [Code::short(&Entropy, 6).unwrap(), Code::long(&Entropy).unwrap()] {
            assert!(!format!("{code:?}").contains(code.reveal()));
        }
        assert_eq!(format!("{:?}", CodeDigest([0; 32])), "CodeDigest(…)");
    }
}
