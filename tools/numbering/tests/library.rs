//! Compares the table of the numbering plans with its source library. The library's parser, regions and types run at test
//! time, and the table uses none of this code.

use std::collections::BTreeSet;

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberType, Region};
use shared::words::plan;

/// Every kind of number in the library.
const TYPES: [PhoneNumberType; 10] = [
    PhoneNumberType::FixedLine,
    PhoneNumberType::Mobile,
    PhoneNumberType::TollFree,
    PhoneNumberType::PremiumRate,
    PhoneNumberType::SharedCost,
    PhoneNumberType::VoIP,
    PhoneNumberType::PersonalNumber,
    PhoneNumberType::Pager,
    PhoneNumberType::UAN,
    PhoneNumberType::VoiceMail,
];

/// Calling codes with several countries, in which one digit can decide.
const SHARED: [&str; 12] = ["1", "7", "39", "44", "47", "61", "212", "262", "290", "358", "590", "599"];

/// Country and cost from the library.
fn library(digits: &str) -> (String, bool) {
    let Ok(number) = PhoneNumber::parse(format!("+{digits}"), None) else { return (String::new(), false) };
    let region = number.get_region_code().filter(|region| *region != Region::World);
    let is_costly = matches!(number.get_type(), PhoneNumberType::PremiumRate | PhoneNumberType::SharedCost);
    (region.map(|region| region.to_string()).unwrap_or_default(), is_costly)
}

fn table(digits: &str) -> (String, bool) {
    let plan = plan(digits);
    (plan.country.map(|country| country.code().to_owned()).unwrap_or_default(), plan.is_costly)
}

#[track_caller]
fn agree(digits: &str) {
    assert_eq!(table(digits), library(digits), "+{digits}");
}

/// The maximum number of digits in an E.164 number.
const LONGEST: usize = 15;

fn calling_codes() -> Vec<String> {
    PHONE_NUMBER_UTIL.get_supported_calling_codes().map(|code| code.to_string()).collect()
}

/// Pseudorandom digits, the same in every run (splitmix64).
struct Digits(u64);

impl Digits {
    fn next(&mut self) -> char {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        char::from_digit(((mixed ^ (mixed >> 31)) % 10) as u32, 10).unwrap_or_default()
    }

    fn take(&mut self, count: usize) -> String {
        (0..count).map(|_| self.next()).collect()
    }
}

/// An example of each kind in each country, and its neighbours: every other digit in the first six places, one digit less
/// and one more.
#[test]
fn every_countrys_numbers_are_in_the_table() {
    let (mut countries, mut checked) = (BTreeSet::new(), 0);
    for region in PHONE_NUMBER_UTIL.get_supported_regions() {
        for kind in TYPES {
            let Ok(number) = PHONE_NUMBER_UTIL.get_example_number_for_type_and_region(region, kind) else { continue };
            let national = number.get_national_significant_number();
            let digits = format!("{}{national}", number.country_code);
            agree(&digits);
            countries.insert(table(&digits).0);
            let code = digits.len() - national.len();
            for place in code..digits.len().min(code + 6) {
                for digit in 0..10 {
                    let near = format!("{}{digit}{}", &digits[..place], &digits[place + 1..]);
                    agree(&near);
                    checked += 1;
                }
            }
            agree(&digits[..digits.len() - 1]);
            if digits.len() < LONGEST {
                agree(&format!("{digits}5"));
            }
        }
    }
    assert!(countries.len() > 240 && checked > 50_000, "{} countries, {checked} numbers", countries.len());
}

/// Random numbers of each length for each calling code, and more of them in shared codes.
#[test]
fn numbers_by_chance_are_as_the_library_has_them() {
    let mut chance = Digits(20_261_121);
    for code in calling_codes() {
        let each = if SHARED.contains(&code.as_str()) { 400 } else { 15 };
        for length in 3..=LONGEST - code.len() {
            for _ in 0..each {
                agree(&format!("{code}{}", chance.take(length)));
            }
        }
    }
}

/// Every area code of North America, and the first four digits for Russia, Kazakhstan, Great Britain and its islands.
#[test]
fn where_one_digit_decides_every_prefix_is_checked() {
    for area in 200..1_000 {
        for exchange in ["200", "555", "976"] {
            agree(&format!("1{area}{exchange}1234"));
        }
    }
    for prefix in 0..10_000 {
        agree(&format!("7{prefix:04}123456"));
        agree(&format!("44{prefix:04}123456"));
    }
}

/// Numbers without a valid calling code.
#[test]
fn what_no_country_has_is_in_none() {
    let codes = calling_codes();
    for start in 0..1_000 {
        let digits = format!("{start:03}12345678");
        if !codes.iter().any(|code| digits.starts_with(code.as_str())) {
            assert_eq!(table(&digits), (String::new(), false), "+{digits}");
        }
    }
}
