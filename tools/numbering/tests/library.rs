//! Compares the table of the numbering plans with its source library. The library's parser, regions and types run at test
//! time, and the table uses none of this code.

use std::collections::BTreeSet;

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, PhoneNumberType, Region};
use shared::words::{Phone, Plan, plan};

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

/// The library's view of a number: its form, its country, and whether it may be a mobile phone.
#[derive(Debug, Default, PartialEq)]
struct Said {
    form: String,
    country: String,
    is_mobile: bool,
}

/// The library's canonical form of a typed number, and what it says about it.
fn library(digits: &str) -> Option<Said> {
    let number = PhoneNumber::parse(format!("+{digits}"), None).ok()?;
    let form = number.format_as(PhoneNumberFormat::E164).into_owned();
    let region = number.get_region_code().filter(|region| *region != Region::World);
    let country = region.map(|region| region.to_string()).unwrap_or_default();
    let is_mobile = matches!(number.get_type(), PhoneNumberType::Mobile | PhoneNumberType::FixedLineOrMobile);
    Some(Said { form, country, is_mobile })
}

/// The table's view. `None` if it refuses the number.
fn table(digits: &str) -> Option<Said> {
    let phone: Phone = format!("+{digits}").parse().ok()?;
    let plan = phone.plan();
    let country = plan.country.map(|country| country.code().to_owned()).unwrap_or_default();
    Some(Said { form: phone.reveal().to_owned(), country, is_mobile: plan.is_mobile })
}

/// The table says what the library says. It also refuses numbers that are too short or too long for E.164, and numbers whose form
/// the library would change once more. It never refuses a number to which messages can go.
#[track_caller]
fn agree(digits: &str) {
    match (table(digits), library(digits)) {
        (Some(table), library) => assert_eq!(Some(table), library, "+{digits}"),
        (None, Some(library)) => {
            let digits = library.form.trim_start_matches('+');
            let again = super_form(digits);
            let is_outside = !(7..=LONGEST).contains(&digits.len()) || digits.starts_with('0');
            assert!(is_outside || again.as_deref() != Some(library.form.as_str()), "+{digits} is refused: {library:?}");
        }
        (None, None) => {}
    }
}

/// The library's form of its own form.
fn super_form(digits: &str) -> Option<String> {
    library(digits).map(|said| said.form)
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
            countries.insert(library(&digits).unwrap().country);
            let code = digits.len() - national.len();
            for place in code..digits.len().min(code + 6) {
                for digit in 0..10 {
                    let near = format!("{}{digit}{}", &digits[..place], &digits[place + 1..]);
                    agree(&near);
                    checked += 1;
                }
            }
            agree(&digits[..digits.len() - 1]);
            // Typed with a prefix for calls inside the country: most have 0, the others 1, 8 or a longer one.
            for prefix in ["0", "1", "8", "00", "01", "06", "044", "015"] {
                agree(&format!("{}{prefix}{national}", number.country_code));
            }
            if digits.len() < LONGEST {
                agree(&format!("{digits}5"));
            }
        }
    }
    assert!(countries.len() > 240 && checked > 50_000, "{} countries, {checked} numbers", countries.len());
}

/// Random numbers of each length for each calling code, and more of them in shared codes.
#[test]
fn random_numbers_are_as_the_library_has_them() {
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
fn every_prefix_is_checked_if_one_digit_decides() {
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
fn unknown_calling_codes_have_no_country() {
    let codes = calling_codes();
    for start in 0..1_000 {
        let digits = format!("{start:03}12345678");
        if !codes.iter().any(|code| digits.starts_with(code.as_str())) {
            assert_eq!(plan(&digits), Plan::default(), "+{digits}");
        }
    }
}
