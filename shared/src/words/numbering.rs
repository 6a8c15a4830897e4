//! Numbering plans: the country of a phone number and whether it is premium-rate.
//!
//! `tools/numbering` compiles the table from libphonenumber's metadata. The table gives the same results as the
//! library's parser for a number with a plus. This includes numbers with a trunk prefix, such as +44 0 20….

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
    /// Whether it is a premium-rate or shared-cost number.
    pub is_costly: bool,
}

/// The text is not the code of a country with phone numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no country with phone numbers has this code")]
pub struct UnknownCountry;

/// E.164 allows at most 15 digits.
pub(super) const LONGEST: usize = 15;

impl Country {
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

/// Looks up an E.164 number, given as digits without the plus. Other text gives an empty plan.
pub fn plan(digits: &str) -> Plan {
    if digits.len() > LONGEST || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Plan::default();
    }
    let answer = answer(digits.bytes().map(|byte| byte - b'0')).unwrap_or_default();
    let place = (answer >> COUNTRY).checked_sub(1).and_then(|place| u8::try_from(place).ok());
    Plan { country: place.map(Country), is_costly: answer & 1 == 1 }
}

/// Walks through the table's states, one for each digit.
///
/// A state starts with the answer for a number that ends there. The next word has ten bits, one for each digit. A set
/// bit means that this digit has another transition than the digit before it. The transitions follow in order. A
/// transition is the index of the next state, or the final answer for all numbers with this prefix.
fn answer(digits: impl Iterator<Item = u8>) -> Option<u16> {
    let mut state = 0;
    for digit in digits {
        let turns = TABLE.get(state + 1)? & ((2 << digit) - 1);
        let way = *TABLE.get(state + 1 + turns.count_ones() as usize)?;
        if way & FINAL != 0 {
            return Some(way & !FINAL);
        }
        state = usize::from(way);
    }
    TABLE.get(state).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(digits: &str, country: &str, is_costly: bool) {
        let plan = plan(digits);
        assert_eq!((plan.country.map_or("", Country::code), plan.is_costly), (country, is_costly), "{digits}");
    }

    #[test]
    fn a_number_has_its_country_and_its_cost() {
        says("442079460958", "GB", false);
        says("447400123456", "GB", false);
        says("449012345678", "GB", true);
        says("448431234567", "GB", true);
        says("12125550123", "US", false);
        says("19002345678", "US", true);
        says("4915112345678", "DE", false);
    }

    #[test]
    fn countries_that_share_a_calling_code_are_told_apart() {
        says("14165550123", "CA", false);
        says("12423591234", "BS", false);
        says("77012345678", "KZ", false);
        says("441481960194", "GG", false);
        says("3906698123", "VA", false);
        says("15551234567", "", false);
    }

    #[test]
    fn what_is_no_country_has_none() {
        says("80012345678", "", false);
        says("870773111632", "", false);
        says("979123456789", "", true);
        says("80812345678", "", true);
        says("99912345678", "", false);
    }

    /// A trunk prefix must not disguise a premium-rate number.
    #[test]
    fn a_trunk_prefix_hides_nothing() {
        says("4409012345678", "GB", true);
        says("119002345678", "US", true);
        says("4902079460958", "DE", false);
    }

    #[test]
    fn anything_else_has_no_plan() {
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
