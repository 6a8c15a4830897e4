//! Exports of a table, in the layout of DynamoDB's full exports to S3.
//!
//! - `AWSDynamoDB/<id>/manifest-summary.json`: the table, the time and the form.
//! - `AWSDynamoDB/<id>/manifest-files.json`: a line for each data file, with its number of items and its MD5.
//! - `AWSDynamoDB/<id>/data/<name>.json.gz`: a line for each item, in DynamoDB's JSON.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use data_encoding::{BASE64, HEXLOWER};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use shared::words::Timestamp;

use super::tables::{Tables, arn_of};
use crate::ids::new_id;

/// A small table has about as many partitions, and so data files.
const FILES: usize = 4;

/// The bucket of all exports, in their manifests.
const BUCKET: &str = "latchkey-exports";

/// Exports a table to `folder`. Returns the folder of the export.
pub(crate) fn export(tables: &Tables, table: &str, folder: &Path) -> Result<PathBuf, String> {
    let now = tables.now();
    let id = format!("{:014}-{}", now.unix().saturating_mul(1_000), new_id().get(..8).unwrap_or_default());
    let key = format!("AWSDynamoDB/{id}");
    let to = folder.join("AWSDynamoDB").join(&id);
    let items = items(tables, table)?;
    write(&to, &key, (table, &id), &items, now).map_err(|error| format!("{}: {error}", to.display()))?;
    Ok(to)
}

fn items(tables: &Tables, table: &str) -> Result<Vec<Value>, String> {
    let mut scan = json!({ "TableName": table, "ConsistentRead": true });
    let mut items = Vec::new();
    loop {
        let mut page = tables.run("Scan", scan.clone()).map_err(|refusal| refusal.body.to_string())?;
        if let Some(Value::Array(found)) = page.get_mut("Items").map(Value::take) {
            items.extend(found);
        }
        match page.get("LastEvaluatedKey") {
            Some(key) => scan = json!({ "TableName": table, "ConsistentRead": true, "ExclusiveStartKey": key }),
            None => return Ok(items),
        }
    }
}

fn write(to: &Path, key: &str, (table, id): (&str, &str), items: &[Value], now: Timestamp) -> io::Result<()> {
    fs::create_dir_all(to.join("data"))?;
    let mut files = String::new();
    for number in 0..FILES {
        let name = format!("{}.json.gz", new_id().replace('-', ""));
        let (mut lines, mut count) = (GzEncoder::new(Vec::new(), Compression::default()), 0);
        for item in items.iter().skip(number).step_by(FILES) {
            writeln!(lines, "{}", json!({ "Item": item }))?;
            count += 1;
        }
        let bytes = lines.finish()?;
        let md5 = md5::compute(&bytes);
        let file = json!({ "itemCount": count, "md5Checksum": BASE64.encode(&md5.0),
            "etag": format!("{}-1", HEXLOWER.encode(&md5.0)), "dataFileS3Key": format!("{key}/data/{name}") });
        files += &format!("{file}\n");
        fs::write(to.join("data").join(name), bytes)?;
    }
    let arn = arn_of(table);
    let summary = json!({ "version": "2020-06-30", "exportArn": format!("{arn}/export/{id}"), "startTime": now.to_string(),
        "endTime": now.to_string(), "tableArn": arn, "tableId": new_id(), "exportTime": now.to_string(), "s3Bucket": BUCKET,
        "s3Prefix": null, "s3SseAlgorithm": "AES256", "s3SseKmsKeyId": null, "manifestFilesS3Key": format!("{key}/manifest-files.json"),
        "billedSizeBytes": 0, "itemCount": items.len(), "outputFormat": "DYNAMODB_JSON", "exportType": "FULL_EXPORT" });
    for (name, text) in [("manifest-files", files), ("manifest-summary", summary.to_string())] {
        fs::write(to.join(format!("{name}.md5")), BASE64.encode(&md5::compute(&text).0))?;
        fs::write(to.join(format!("{name}.json")), text)?;
    }
    fs::write(to.join("_started"), "")
}
