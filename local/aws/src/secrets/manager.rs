//! Secrets by ARN or name, with their versions and labels.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::Serialize;
use serde_json::{Map, Value, json};
use shared::words::Clock;

use super::versions::{CURRENT, Version, Versions, invalid, missing};
use crate::ids::new_id;
use crate::lock::locked;
use crate::wire::{Call, Refusal};

pub(crate) struct Secrets {
    /// By ARN.
    held: Mutex<BTreeMap<String, Versions>>,
    file: Option<PathBuf>,
    clock: Clock,
}

impl Secrets {
    pub(crate) fn open(clock: Clock, data: Option<&Path>) -> Result<Secrets, String> {
        let file = data.map(|folder| folder.join("secrets.json"));
        let mut held: BTreeMap<String, Versions> = match file.as_deref().map(|file| (file, fs::read(file))) {
            None => BTreeMap::new(),
            Some((_, Err(error))) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Some((file, Err(error))) => return Err(format!("{}: {error}", file.display())),
            // The parser's message could quote a key.
            Some((file, Ok(text))) => {
                serde_json::from_slice(&text).map_err(|_| format!("{} is not a valid secrets file", file.display()))?
            }
        };
        held.values_mut().for_each(Versions::label_by_age);
        Ok(Secrets { held: Mutex::new(held), file, clock })
    }

    /// Creates the secret without a version, unless it exists.
    pub(crate) fn create(&self, arn: &str) {
        locked(&self.held).entry(arn.to_owned()).or_default();
    }

    pub(crate) fn put(&self, arn: &str, text: String) -> Result<(), String> {
        let mut held = locked(&self.held);
        let version = self.version(new_id(), text);
        let put = held.entry(arn.to_owned()).or_default().put(version, &[CURRENT]);
        put.map_err(|refusal| refusal.message().to_owned())?;
        self.keep(&held)
    }

    /// Takes all versions of the secret away.
    pub(crate) fn empty(&self, arn: &str) {
        locked(&self.held).insert(arn.to_owned(), Versions::default());
    }

    pub(crate) fn current(&self, arn: &str) -> Option<String> {
        Some(locked(&self.held).get(arn)?.find(None, Some(CURRENT))?.text.clone())
    }

    /// The ARN of a secret. `id` is the ARN, the ARN without its suffix, or the name.
    pub(crate) fn arn(&self, id: &str) -> Option<String> {
        let held = locked(&self.held);
        held.keys().find(|arn| *arn == id || without_suffix(arn) == id || name(arn) == id).cloned()
    }

    pub(crate) fn answer(&self, call: &Call) -> Result<Value, Refusal> {
        if call.operation == "BatchGetSecretValue" {
            return self.batch(call);
        }
        let arn = self.arn(call.text("SecretId").unwrap_or_default()).ok_or_else(|| missing(""))?;
        let mut held = locked(&self.held);
        let versions = held.get_mut(&arn).ok_or_else(|| missing(""))?;
        let mut answer = match call.operation.as_str() {
            "GetSecretValue" => return value(&arn, versions, call),
            "DescribeSecret" => {
                let labelled = versions.iter().filter(|version| !version.stages.is_empty());
                let stages: Map<_, _> = labelled.map(|version| (version.id.clone(), json!(version.stages))).collect();
                return Ok(json!({ "ARN": arn, "Name": name(&arn), "VersionIdsToStages": stages }));
            }
            "PutSecretValue" => self.put_value(versions, call)?,
            _ => {
                let id = |member| call.text(member);
                let label = required(call, "VersionStage")?;
                versions.move_stage(label, id("RemoveFromVersionId"), id("MoveToVersionId"))?;
                json!({})
            }
        };
        self.keep(&held).map_err(|problem| Refusal::internal(&problem))?;
        if let Some(members) = answer.as_object_mut() {
            members.extend([("Name".to_owned(), json!(name(&arn))), ("ARN".to_owned(), json!(arn))]);
        }
        Ok(answer)
    }

    /// The current versions of the listed secrets. Those that are missing are listed as errors.
    fn batch(&self, call: &Call) -> Result<Value, Refusal> {
        if call.body.get("SecretIdList").is_none() {
            return Err(invalid("You must provide a list of secrets."));
        }
        let (mut values, mut errors) = (Vec::new(), Vec::new());
        for id in call.texts("SecretIdList") {
            let arn = self.arn(id);
            let held = locked(&self.held);
            let found = arn.and_then(|arn| Some(shown(&arn, held.get(&arn)?.find(None, Some(CURRENT))?)));
            match found {
                Some(value) => values.push(value),
                None => {
                    let missing = missing("");
                    errors.push(json!({ "SecretId": id, "ErrorCode": missing.name(), "Message": missing.message() }));
                }
            }
        }
        Ok(json!({ "SecretValues": values, "Errors": errors }))
    }

    fn put_value(&self, versions: &mut Versions, call: &Call) -> Result<Value, Refusal> {
        // The token is optional in the model, because every SDK adds one. AWS itself requires it.
        let token = call.text("ClientRequestToken").map(str::to_owned).ok_or_else(|| {
            let message = "You must provide a ClientRequestToken value. We recommend a UUID-type value.";
            Refusal::bad("InvalidRequestException", message)
        })?;
        let given = call.body.get("VersionStages").and_then(Value::as_array);
        let stages: Vec<&str> = given.map_or(vec![CURRENT], |given| given.iter().filter_map(Value::as_str).collect());
        let stages = versions.put(self.version(token.clone(), required(call, "SecretString")?.to_owned()), &stages)?;
        Ok(json!({ "VersionId": token, "VersionStages": stages }))
    }

    fn version(&self, id: String, text: String) -> Version {
        Version { id, text, created: self.clock.now().unix(), stages: Vec::new() }
    }

    fn keep(&self, held: &BTreeMap<String, Versions>) -> Result<(), String> {
        match &self.file {
            None => Ok(()),
            Some(file) => write_private(file, held).map_err(|error| format!("{}: {error}", file.display())),
        }
    }
}

/// Finds a version by its id, its label, or both. Without either it returns the current version.
fn value(arn: &str, versions: &Versions, call: &Call) -> Result<Value, Refusal> {
    let (id, label) = (call.text("VersionId"), call.text("VersionStage"));
    let label = label.or(id.is_none().then_some(CURRENT));
    let version = versions.find(id, label).ok_or_else(|| match (id, label) {
        (Some(id), _) => missing(&format!(" value for VersionId: {id}")),
        (None, label) => missing(&format!(" value for staging label: {}", label.unwrap_or_default())),
    })?;
    Ok(shown(arn, version))
}

fn shown(arn: &str, version: &Version) -> Value {
    json!({ "ARN": arn, "Name": name(arn), "SecretString": version.text, "CreatedDate": version.created,
        "VersionId": version.id, "VersionStages": version.stages })
}

fn required<'a>(call: &'a Call, member: &str) -> Result<&'a str, Refusal> {
    call.text(member).ok_or_else(|| invalid(&format!("You must provide {member}.")))
}

/// Secrets Manager adds a hyphen and six characters to an ARN. Calls may leave them out.
fn without_suffix(arn: &str) -> &str {
    match arn.rsplit_once('-') {
        Some((rest, suffix)) if suffix.len() == 6 && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric()) => rest,
        _ => arn,
    }
}

fn name(arn: &str) -> &str {
    without_suffix(arn).rsplit(':').next().unwrap_or_default()
}

/// Replaces the file atomically. At every moment, only its owner can read it.
fn write_private(file: &Path, content: &impl Serialize) -> io::Result<()> {
    let new = file.with_extension("new");
    // A leftover file would keep its own mode.
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
