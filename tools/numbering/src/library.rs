//! Reads libphonenumber's metadata: the patterns for a number's country and cost.

use rlibphonenumber::interfaces::AsOriginal;
use rlibphonenumber::{PHONE_NUMBER_UTIL, Region as Id};

pub(crate) struct CallingCode {
    pub(crate) digits: String,
    /// The main region first, then the others in the library's order.
    pub(crate) regions: Vec<Region>,
    /// The main region's.
    pub(crate) trunk: Option<Trunk>,
}

/// The prefixes of a national number, and how the library replaces them.
pub(crate) struct Trunk {
    pub(crate) pattern: String,
    pub(crate) rule: String,
}

pub(crate) struct Region {
    /// `None` for numbers outside all countries.
    pub(crate) country: Option<String>,
    /// If present, these digits alone decide whether a number belongs to this region.
    pub(crate) leading: Option<String>,
    pub(crate) general: Kind,
    pub(crate) local_lengths: Vec<i32>,
    /// Kinds that come before mobile phones and fixed lines in the library's order.
    pub(crate) special: Vec<Kind>,
    pub(crate) mobile: Kind,
    pub(crate) fixed_line: Kind,
}

/// Numbers of one kind.
pub(crate) struct Kind {
    /// `None` if the kind has no numbers.
    pub(crate) pattern: Option<String>,
    /// If present, numbers of this kind have one of these lengths.
    pub(crate) lengths: Vec<i32>,
}

// Macros, because the library's types are reachable through public functions but have no public names.
macro_rules! text {
    ($pattern:expr) => {
        Some($pattern.original_base().to_owned()).filter(|pattern| !pattern.is_empty())
    };
}
macro_rules! kind {
    ($kind:expr) => {
        Kind { pattern: text!($kind.national_number_pattern()), lengths: $kind.original.possible_length.clone() }
    };
}

/// The version of the crate with the metadata.
pub(crate) fn version() -> &'static str {
    let lock = include_str!("../../../Cargo.lock");
    let (_, entry) = lock.split_once("name = \"rlibphonenumber\"\nversion = \"").expect("an entry of Cargo.lock");
    entry.split('"').next().expect("a version")
}

/// Every calling code, in order.
pub(crate) fn calling_codes() -> Vec<CallingCode> {
    PHONE_NUMBER_UTIL.get_supported_calling_codes().map(calling_code).collect()
}

fn calling_code(code: i32) -> CallingCode {
    let ids = PHONE_NUMBER_UTIL.get_regions_for_country_calling_code(code).into_iter().flatten();
    let regions: Vec<Region> = ids.map(|id| region(code, id)).collect();
    let main = PHONE_NUMBER_UTIL.get_region_for_country_code(code).expect("a main region");
    let metadata = PHONE_NUMBER_UTIL.as_original().get_metadata_for_region_or_calling_code(code, main);
    let main = metadata.expect("the main region's metadata");
    let rule = main.original.national_prefix_transform_rule().to_owned();
    let trunk = text!(main.national_prefix_for_parsing()).map(|pattern| Trunk { pattern, rule });
    CallingCode { digits: code.to_string(), regions, trunk }
}

fn region(code: i32, id: Id) -> Region {
    let metadata = PHONE_NUMBER_UTIL.as_original().get_metadata_for_region_or_calling_code(code, id);
    let region = metadata.expect("a region's metadata");
    Region {
        country: (id != Id::World).then(|| id.to_string()),
        leading: text!(region.leading_digits()),
        general: kind!(region.general_desc),
        local_lengths: region.general_desc.original.possible_length_local_only.clone(),
        special: vec![
            kind!(region.premium_rate),
            kind!(region.toll_free),
            kind!(region.shared_cost),
            kind!(region.voip),
            kind!(region.personal_number),
            kind!(region.pager),
            kind!(region.uan),
            kind!(region.voicemail),
        ],
        mobile: kind!(region.mobile),
        fixed_line: kind!(region.fixed_line),
    }
}
