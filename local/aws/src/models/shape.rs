//! Shapes: the types of values.

use std::collections::BTreeMap;

use regex::bytes::{Regex, RegexBuilder};
use serde::de::Error;
use serde::{Deserialize, Deserializer};

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum Shape {
    Structure(Structure),
    List {
        member: Ref,
        #[serde(default)]
        flattened: bool,
        #[serde(flatten)]
        size: Bounds,
    },
    Map {
        key: Ref,
        value: Ref,
        #[serde(default)]
        flattened: bool,
        #[serde(flatten)]
        size: Bounds,
    },
    String {
        #[serde(flatten)]
        length: Bounds,
        pattern: Option<Pattern>,
        #[serde(rename = "enum")]
        values: Option<Vec<String>>,
    },
    Blob(Bounds),
    Boolean,
    Integer(Bounds),
    Long(Bounds),
    Float(Bounds),
    Double(Bounds),
    Timestamp,
}

#[derive(Deserialize)]
pub(super) struct Structure {
    pub(super) members: BTreeMap<String, Ref>,
    #[serde(default)]
    pub(super) required: Vec<String>,
    /// Whether exactly one member must be present.
    #[serde(default)]
    pub(super) union: bool,
    /// Whether the service is at fault instead of the caller.
    #[serde(default)]
    pub(super) fault: bool,
    #[serde(default)]
    pub(super) error: ErrorTrait,
}

/// The code and status of an error, if they differ from the defaults: its own name, with 400, or 500 for a fault.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ErrorTrait {
    pub(super) code: Option<String>,
    pub(super) http_status_code: Option<u16>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ref {
    pub(super) shape: String,
    /// Its place in the request, if outside the body.
    pub(super) location: Option<Location>,
    /// Its name in a form.
    pub(super) location_name: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Location {
    Uri,
    QueryString,
}

/// The range of a number, a length or a count.
#[derive(Deserialize)]
pub(super) struct Bounds {
    pub(super) min: Option<f64>,
    pub(super) max: Option<f64>,
}

/// A pattern for the whole text. AWS uses Java's rules, in which `\d` and `\w` match ASCII only.
pub(super) struct Pattern {
    pub(super) source: String,
    pub(super) regex: Regex,
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Pattern, D::Error> {
        let source = String::deserialize(deserializer)?;
        let regex = RegexBuilder::new(&format!("^(?:{source})$")).unicode(false).build().map_err(D::Error::custom)?;
        Ok(Pattern { source, regex })
    }
}
