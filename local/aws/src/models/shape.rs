//! Shapes: what a value may be.

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
    /// Whether it has exactly one of its members.
    #[serde(default)]
    pub(super) union: bool,
    /// Whether it is an error of the service's own.
    #[serde(default)]
    pub(super) fault: bool,
    #[serde(default)]
    pub(super) error: ErrorTrait,
}

/// How an error is written, where that is not by its own name with the status 400, or 500 for a fault.
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
    /// Where it stands, if not in the body.
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

/// Of a number, a length or a count.
#[derive(Deserialize)]
pub(super) struct Bounds {
    pub(super) min: Option<f64>,
    pub(super) max: Option<f64>,
}

/// What the whole of a text must match. AWS reads patterns as Java does: `\d` and `\w` are ASCII.
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
