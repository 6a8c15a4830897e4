//! Numbering plans: the canonical form of a phone number, its country, and whether it can be a mobile phone.
//!
//! `tools/numbering` compiles two automata from libphonenumber's metadata. `TYPED` says how the library changes a typed number,
//! such as +44 0 20…. `PLANS` has the library's country and type of a canonical number.

use std::fmt;
use std::str::FromStr;

include!("../../data/numbering.rs");

/// An ISO 3166 country code, or the similar code of a region with its own phone numbers: Ascension (AC), Tristan da
/// Cunha (TA) and Kosovo (XK) are included.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Country(u8);

/// The numbering plan's data about a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The country. `None` if the number belongs to no country, or if its calling code is shared and the number is unassigned.
    pub country: Option<Country>,
    /// Whether it is in a range for mobile phones, possibly together with fixed lines. Only these receive text messages.
    pub is_mobile: bool,
}

/// The text is not the code of a country with phone numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no country with phone numbers has this code")]
pub struct UnknownCountry;

/// E.164 allows at most 15 digits.
pub(super) const LONGEST: usize = 15;
/// The longest number that people type, with a prefix for calls inside the country and the code of a carrier.
const LONGEST_TYPED: usize = 20;

impl Country {
    /// All countries.
    pub fn all() -> impl Iterator<Item = Country> {
        (0..=u8::MAX).map(Country).take_while(|country| !country.code().is_empty())
    }

    /// The two-letter code in upper case.
    pub fn code(self) -> &'static str {
        let from = usize::from(self.0) * 2;
        COUNTRIES.get(from..from + 2).unwrap_or_default()
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Accepts upper and lower case.
impl FromStr for Country {
    type Err = UnknownCountry;

    fn from_str(text: &str) -> Result<Country, UnknownCountry> {
        let mut codes = COUNTRIES.as_bytes().chunks_exact(2);
        let place = codes.position(|code| code.eq_ignore_ascii_case(text.as_bytes())).ok_or(UnknownCountry)?;
        u8::try_from(place).map(Country).map_err(|_| UnknownCountry)
    }
}

/// Looks up a canonical number, given as digits without the plus. Other text gives an empty plan.
pub fn plan(digits: &str) -> Plan {
    let answer = values(digits, LONGEST).and_then(|digits| answer(PLANS, digits)).unwrap_or_default();
    let place = (answer >> COUNTRY).checked_sub(1).and_then(|place| u8::try_from(place).ok());
    Plan { country: place.map(Country), is_mobile: answer & 1 == 1 }
}

/// The canonical form of a typed number, both as digits without the plus. `None` for other text, and for a number whose canonical
/// form the library would change once more, because such a number has two readings.
pub(super) fn canonical(typed: &str) -> Option<String> {
    let once = edited(typed)?;
    edited(&once).filter(|twice| *twice == once)
}

/// Applies the library's change to a typed number.
fn edited(typed: &str) -> Option<String> {
    let place = answer(TYPED, values(typed, LONGEST_TYPED)?).unwrap_or_default();
    // A change has the length of the calling code, the digits to insert after it, and `1` for each digit that stays and `0` for
    // each that goes.
    let Some((code, inserted, mask)) = usize::from(place).checked_sub(1).and_then(|place| EDITS.get(place)) else {
        return Some(typed.to_owned());
    };
    let (code, national) = typed.split_at_checked(*code)?;
    let (prefix, rest) = national.split_at_checked(mask.len())?;
    let kept = prefix.chars().zip(mask.chars()).filter(|(_, stays)| *stays == '1').map(|(digit, _)| digit);
    Some(format!("{code}{inserted}{}{rest}", kept.collect::<String>()))
}

/// The values of a text of at most `longest` ASCII digits.
fn values(digits: &str, longest: usize) -> Option<impl Iterator<Item = u8>> {
    let is_short = digits.len() <= longest && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_short.then(|| digits.bytes().map(|byte| byte - b'0'))
}

/// Walks through an automaton's states, one for each digit.
///
/// A state starts with the answer for a number that ends there. The next word has ten bits, one for each digit. A set
/// bit means that this digit has another transition than the digit before it. The transitions follow in order. A
/// transition is the index of the next state, or the final answer for all numbers with this prefix.
fn answer(table: &[u16], digits: impl Iterator<Item = u8>) -> Option<u16> {
    let mut state = 0;
    for digit in digits {
        let turns = table.get(state + 1)? & ((2 << digit) - 1);
        let way = *table.get(state + 1 + turns.count_ones() as usize)?;
        if way & FINAL != 0 {
            return Some(way & !FINAL);
        }
        state = usize::from(way);
    }
    table.get(state).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(digits: &str, country: &str, is_mobile: bool) {
        let plan = plan(digits);
        assert_eq!((plan.country.map_or("", Country::code), plan.is_mobile), (country, is_mobile), "{digits}");
    }

    /// S151: mobile ranges, and ranges for mobile phones and fixed lines together. Not landlines, personal numbers (070), pagers (076), company
    /// numbers (03), internet telephony (056), freephone, shared cost and premium rate.
    #[test]
    fn a_number_has_its_country_and_may_be_a_mobile_phone() {
        says("447400123456", "GB", true);
        says("12125550123", "US", true);
        says("4915112345678", "DE", true);
        says("33612345678", "FR", true);
        for other in [
            "442079460958",
            "447012345678",
            "447640123456",
            "443001234567",
            "445612345678",
            "448001234567",
            "448431234567",
            "449012345678",
        ] {
            says(other, "GB", false);
        }
        for other in ["18002345678", "15002345678", "19002345678"] {
            says(other, "US", false);
        }
        says("4912345", "DE", false);
    }

    #[test]
    fn countries_that_share_a_calling_code_are_told_apart() {
        says("14165550123", "CA", true);
        says("12423591234", "BS", true);
        says("77012345678", "KZ", true);
        says("441481960194", "GG", false);
        says("3906698123", "VA", false);
        says("15551234567", "", false);
    }

    #[test]
    fn numbers_outside_countries_have_none() {
        for other in ["80012345678", "979123456789", "80812345678", "99912345678"] {
            says(other, "", false);
        }
        assert_eq!(plan("870773111632").country, None);
    }

    /// Numbers that a plan has dropped: eight digits in Ivory Coast and Benin, and a US number without its 1 (which would be Swiss).
    #[test]
    fn a_dead_number_is_no_mobile_phone() {
        for dead in ["22507123456", "22990011234", "551161234567", "4155552671"] {
            assert!(!plan(dead).is_mobile, "{dead}");
        }
    }

    #[test]
    fn a_number_with_two_readings_has_no_form() {
        assert_eq!(canonical("4407400123456").as_deref(), Some("447400123456"));
        assert_eq!(canonical("447400123456").as_deref(), Some("447400123456"));
        for other in ["44 7400", "+44", "44740012345678901234567"] {
            assert_eq!(canonical(other), None, "{other}");
        }
    }

    #[test]
    fn other_text_has_no_plan() {
        for other in ["", "+442079460958", "44 20 7946 0958", "44２０79460958", "1234567890123456", "４４"] {
            assert_eq!(plan(other), Plan::default(), "{other}");
        }
    }

    #[test]
    fn a_country_is_two_letters_that_the_table_knows() {
        assert_eq!("gB".parse::<Country>().map(Country::code), Ok("GB"));
        assert_eq!(format!("{:?}", "de".parse::<Country>()), "Ok(DE)");
        for other in ["", "G", "GBR", "ZZ", "BA D", "1", "00", "001", "ß", "DZECEG"] {
            assert_eq!(other.parse::<Country>(), Err(UnknownCountry), "{other}");
        }
        assert_eq!(plan("442079460958").country, "GB".parse().ok());
    }

    #[test]
    fn a_country_takes_a_byte_and_sorts_by_its_code() {
        let codes: Vec<&str> =
            (0..).map_while(|place| Some(Country(place).code()).filter(|it| !it.is_empty())).collect();
        assert!(codes.is_sorted() && codes.len() > 240, "{codes:?}");
        assert_eq!(size_of::<Country>(), 1);
    }
}
