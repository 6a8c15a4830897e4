//! CloudWatch: the metrics of log lines in the embedded metric format, summed by UTC day.
//!
//! CloudWatch reads the format from a function's log, so functions make no call for it. Nothing here is served to an SDK.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::lock::locked;

/// A metric of one day.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Place {
    namespace: String,
    name: String,
    dimensions: BTreeMap<String, String>,
    /// In days since the epoch.
    day: u64,
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
struct Added {
    #[serde(flatten)]
    place: Place,
    sum: f64,
}

#[derive(Default)]
pub(crate) struct Metrics(Mutex<Sums>);

#[derive(Default)]
struct Sums {
    sums: BTreeMap<Place, f64>,
    file: Option<File>,
}

const FILE: &str = "metrics.jsonl";

impl Metrics {
    /// Opens the metrics in the folder `data`, or in memory.
    pub(crate) fn open(data: Option<&Path>) -> Result<Metrics, String> {
        let Some(path) = data.map(|folder| folder.join(FILE)) else { return Ok(Metrics::default()) };
        let failed = |error: io::Error| format!("{}: {error}", path.display());
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            read => read.map_err(failed)?,
        };
        let mut sums = BTreeMap::new();
        // A stack that was killed may have left half a line at the end.
        for Added { place, sum } in text.lines().filter_map(|line| serde_json::from_str(line).ok()) {
            *sums.entry(place).or_default() += sum;
        }
        // One line for each sum, so that the file does not grow with each start.
        let lines = sums.iter().map(|(place, sum)| line(place, *sum)).collect::<Result<String, _>>()?;
        fs::write(&path, lines).map_err(failed)?;
        let file = OpenOptions::new().append(true).open(&path).map_err(failed)?;
        Ok(Metrics(Mutex::new(Sums { sums, file: Some(file) })))
    }

    /// Adds the metrics in a log line. Any other line has none.
    pub(crate) fn read(&self, log_line: &str) -> Result<(), String> {
        let added = added(log_line);
        let mut sums = locked(&self.0);
        let mut lines = String::new();
        for (place, value) in added {
            lines += &line(&place, value)?;
            *sums.sums.entry(place).or_default() += value;
        }
        match &mut sums.file {
            Some(file) => file.write_all(lines.as_bytes()).map_err(|error| format!("{FILE}: {error}")),
            None => Ok(()),
        }
    }

    /// The sum of the metric with exactly these dimensions. `None` without data.
    pub(crate) fn sum(
        &self,
        (namespace, name): (&str, &str),
        dimensions: &[(&str, &str)],
        days: &RangeInclusive<u64>,
    ) -> Option<f64> {
        let dimensions: BTreeMap<String, String> =
            dimensions.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let place =
            |day| Place { namespace: namespace.to_owned(), name: name.to_owned(), dimensions: dimensions.clone(), day };
        let sums = locked(&self.0);
        let found = sums.sums.range(place(*days.start())..=place(*days.end()));
        found.map(|(_, sum)| *sum).reduce(|one, other| one + other)
    }
}

fn line(place: &Place, sum: f64) -> Result<String, String> {
    let added = Added { place: place.clone(), sum };
    serde_json::to_string(&added).map(|line| line + "\n").map_err(|error| error.to_string())
}

/// The values in a line. A metric without a value, or without a value for a dimension, is left out.
fn added(line: &str) -> Vec<(Place, f64)> {
    // Most lines have none, and parsing takes time.
    if !line.contains("\"CloudWatchMetrics\"") {
        return Vec::new();
    }
    let line: Value = serde_json::from_str(line).unwrap_or_default();
    let about = line.get("_aws");
    let list = |of: Option<&Value>, name: &str| of.and_then(|of| of.get(name)?.as_array().cloned()).unwrap_or_default();
    let milliseconds = about.and_then(|about| about.get("Timestamp")?.as_u64()).unwrap_or_default();
    let mut added = Vec::new();
    for group in list(about, "CloudWatchMetrics") {
        let namespace = group.get("Namespace").and_then(Value::as_str).unwrap_or_default();
        for names in list(Some(&group), "Dimensions") {
            let names = names.as_array().cloned().unwrap_or_default();
            let dimension =
                |name: &Value| Some((name.as_str()?.to_owned(), line.get(name.as_str()?)?.as_str()?.to_owned()));
            let Some(dimensions) = names.iter().map(dimension).collect::<Option<BTreeMap<_, _>>>() else { continue };
            for metric in list(Some(&group), "Metrics") {
                let name = metric.get("Name").and_then(Value::as_str).unwrap_or_default();
                if let Some(value) = line.get(name).and_then(Value::as_f64) {
                    let place = Place {
                        namespace: namespace.to_owned(),
                        name: name.to_owned(),
                        dimensions: dimensions.clone(),
                        day: milliseconds / 86_400_000,
                    };
                    added.push((place, value));
                }
            }
        }
    }
    added
}
