//! Reads the folder of a full export of DynamoDB, and checks that it is whole.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use flate2::read::MultiGzDecoder;
use local_aws::Failure;
use serde::Deserialize;
use serde_json::Value;

/// An export of one table.
pub(crate) struct Export {
    folder: PathBuf,
    summary: Summary,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    table_arn: String,
    export_time: String,
    item_count: u64,
    output_format: String,
    #[serde(default)]
    export_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DataFile {
    item_count: u64,
    md5_checksum: String,
    data_file_s3_key: String,
}

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "Item")]
    item: Value,
}

impl Export {
    /// Opens the folder that has `manifest-summary.json`.
    ///
    /// # Errors
    /// The folder is no full export in DynamoDB's JSON.
    pub(crate) fn open(folder: &Path) -> Result<Export, Failure> {
        let text = read(&folder.join("manifest-summary.json"))?;
        let summary: Summary = serde_json::from_slice(&text).map_err(|error| at(folder, &error.to_string()))?;
        let is_full = summary.export_type.as_deref().is_none_or(|kind| kind == "FULL_EXPORT");
        if summary.output_format != "DYNAMODB_JSON" || !is_full {
            return Err(at(
                folder,
                "this is no full export in DynamoDB JSON. Export with --export-format DYNAMODB_JSON",
            ));
        }
        Ok(Export { folder: folder.to_owned(), summary })
    }

    /// The exported table.
    pub(crate) fn table(&self) -> &str {
        &self.summary.table_arn
    }

    /// The time whose state it has.
    pub(crate) fn time(&self) -> &str {
        &self.summary.export_time
    }

    /// Its id: the name of its folder in S3, and usually here.
    pub(crate) fn id(&self) -> Result<String, Failure> {
        let name = self.folder.canonicalize().map_err(|error| at(&self.folder, &error.to_string()))?;
        let name = name.file_name().map(|name| name.to_string_lossy().into_owned());
        name.ok_or_else(|| at(&self.folder, "the folder has no name"))
    }

    /// Passes each item on.
    ///
    /// # Errors
    /// A file is missing or differs from its checksum, items are missing, or `take` refuses one.
    pub(crate) fn for_each(&self, mut take: impl FnMut(&Value) -> Result<(), Failure>) -> Result<(), Failure> {
        let mut items = 0;
        for line in read(&self.folder.join("manifest-files.json"))?.split(|byte| *byte == b'\n') {
            if line.is_empty() {
                continue;
            }
            let file: DataFile = serde_json::from_slice(line).map_err(|error| at(&self.folder, &error.to_string()))?;
            items += self.read_file(&file, &mut take)?;
        }
        match items == self.summary.item_count {
            true => Ok(()),
            false => Err(at(&self.folder, &format!("it has {items} of {} items", self.summary.item_count))),
        }
    }

    fn read_file(&self, file: &DataFile, take: &mut impl FnMut(&Value) -> Result<(), Failure>) -> Result<u64, Failure> {
        let name = file.data_file_s3_key.rsplit('/').next().unwrap_or_default();
        let path = self.folder.join("data").join(name);
        let bytes = read(&path)?;
        if BASE64.encode(&md5::compute(&bytes).0) != file.md5_checksum {
            return Err(at(&path, "the file differs from its checksum in manifest-files.json"));
        }
        let mut items = 0;
        // A file without items may have no byte, not even gzip's header.
        let lines = (!bytes.is_empty()).then(|| BufReader::new(MultiGzDecoder::new(bytes.as_slice())).lines());
        for line in lines.into_iter().flatten() {
            let line = line.map_err(|error| at(&path, &error.to_string()))?;
            // The message of a parser may contain the item.
            let Line { item } = serde_json::from_str(&line).map_err(|_| at(&path, "a line is no item"))?;
            take(&item)?;
            items += 1;
        }
        match items == file.item_count {
            true => Ok(items),
            false => Err(at(&path, &format!("it has {items} of {} items", file.item_count))),
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| at(path, &error.to_string()))
}

fn at(path: &Path, problem: &str) -> Failure {
    Failure::new(format!("{}: {problem}", path.display()))
}
