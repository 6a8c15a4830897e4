//! Secrets Manager: secrets by ARN or name, the current version and the one before it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use shared::clock::Clock;

use super::wire::{Asked, Refusal};
use super::{locked, new_id};

/// Staging labels, of the newest version first.
const STAGES: [&str; 2] = ["AWSCURRENT", "AWSPREVIOUS"];

pub(super) struct Secrets {
    /// By ARN; versions newest first.
    held: Mutex<BTreeMap<String, Vec<Version>>>,
    file: Option<PathBuf>,
    clock: Clock,
}

#[derive(Clone, Serialize, Deserialize)]
struct Version {
    id: String,
    text: String,
    created: u64,
}

impl Secrets {
    pub(super) fn open(clock: Clock, data: Option<&Path>) -> Result<Secrets, String> {
        let file = data.map(|folder| folder.join("secrets.json"));
        let held = match file.as_deref().map(|file| (file, fs::read(file))) {
            None => BTreeMap::new(),
            Some((_, Err(error))) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Some((file, Err(error))) => return Err(format!("{}: {error}", file.display())),
            // The parser's own message could quote a key.
            Some((file, Ok(text))) => {
                serde_json::from_slice(&text).map_err(|_| format!("{}: not a file of secrets", file.display()))?
            }
        };
        Ok(Secrets { held: Mutex::new(held), file, clock })
    }

    pub(super) fn put(&self, arn: &str, text: String) -> Result<(), String> {
        let mut held = locked(&self.held);
        let version = Version { id: new_id(), text, created: self.clock.now().unix() };
        let versions = held.entry(arn.to_owned()).or_default();
        versions.insert(0, version);
        versions.truncate(STAGES.len());
        match &self.file {
            None => Ok(()),
            Some(file) => write_private(file, &*held).map_err(|error| format!("{}: {error}", file.display())),
        }
    }

    pub(super) fn current(&self, arn: &str) -> Option<String> {
        locked(&self.held).get(arn)?.first().map(|version| version.text.clone())
    }

    pub(super) fn answer(&self, asked: &Asked) -> Result<Value, Refusal> {
        let operation = asked.operation.as_str();
        if !matches!(operation, "GetSecretValue" | "DescribeSecret") {
            tracing::warn!(operation, "Secrets Manager has this operation nowhere in the local stack");
            return Err(Refusal::unknown(&format!("the local stack's Secrets Manager has no operation {operation}")));
        }
        let missing = |what: &str| {
            let message = format!("Secrets Manager can't find the specified secret{what}.");
            Refusal::bad("ResourceNotFoundException", &message)
        };
        let wanted = asked.text("SecretId").unwrap_or_default();
        let held = locked(&self.held);
        let named = held.iter().find(|(arn, _)| *arn == wanted || without_suffix(arn) == wanted || name(arn) == wanted);
        let (arn, versions) = named.ok_or_else(|| missing(""))?;
        let staged = || versions.iter().zip(STAGES);
        if operation == "DescribeSecret" {
            let stages: Map<_, _> = staged().map(|(version, stage)| (version.id.clone(), json!([stage]))).collect();
            return Ok(json!({ "ARN": arn, "Name": name(arn), "VersionIdsToStages": stages }));
        }
        let (id, label) = (asked.text("VersionId"), asked.text("VersionStage"));
        let label = label.or(id.is_none().then_some("AWSCURRENT"));
        let fits = |(version, stage): &(&Version, &str)| {
            id.is_none_or(|id| id == version.id) && label.is_none_or(|label| label == *stage)
        };
        let (version, stage) = staged().find(fits).ok_or_else(|| match (id, label) {
            (Some(id), _) => missing(&format!(" value for VersionId: {id}")),
            (None, label) => missing(&format!(" value for staging label: {}", label.unwrap_or_default())),
        })?;
        Ok(json!({ "ARN": arn, "Name": name(arn), "SecretString": version.text, "CreatedDate": version.created,
            "VersionId": version.id, "VersionStages": [stage] }))
    }
}

/// An ARN ends in a hyphen and six characters that Secrets Manager adds; it may be asked for without them.
fn without_suffix(arn: &str) -> &str {
    match arn.rsplit_once('-') {
        Some((rest, suffix)) if suffix.len() == 6 && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric()) => rest,
        _ => arn,
    }
}

fn name(arn: &str) -> &str {
    without_suffix(arn).rsplit(':').next().unwrap_or_default()
}

/// Replaces the file as a whole; only its owner can read it at any time.
fn write_private(file: &Path, content: &impl Serialize) -> io::Result<()> {
    let new = file.with_extension("new");
    // The mode is that of a file that is made now: one left behind would keep its own.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut writer = options.open(&new)?;
    writer.write_all(&serde_json::to_vec(content)?)?;
    writer.sync_all()?;
    fs::rename(&new, file)
}
