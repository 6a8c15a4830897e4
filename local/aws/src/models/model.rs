//! The models in `models.json`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::LazyLock;

use serde::Deserialize;

use super::shape::{Shape, Structure};

/// The models of all services.
#[derive(Deserialize)]
pub(crate) struct Models {
    pub(crate) dynamodb: Model,
    pub(crate) events: Model,
    pub(crate) secretsmanager: Model,
    pub(crate) sesv2: Model,
    #[serde(rename = "pinpoint-sms-voice-v2")]
    pub(crate) sms_voice: Model,
    pub(crate) sns: Model,
    pub(crate) sqs: Model,
    /// Services outside AWS have no model.
    #[serde(skip)]
    pub(crate) outside: Model,
}

/// AWS's description of one service.
#[derive(Default, Deserialize)]
pub(crate) struct Model {
    pub(super) metadata: Metadata,
    pub(super) operations: BTreeMap<String, Operation>,
    /// Operations of AWS beyond those of the stand-in.
    pub(super) others: BTreeSet<String>,
    pub(super) shapes: HashMap<String, Shape>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    pub(super) api_version: String,
    pub(super) protocol: Protocol,
    target_prefix: Option<String>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Protocol {
    #[default]
    Json,
    RestJson,
    Query,
}

#[derive(Deserialize)]
pub(super) struct Operation {
    pub(super) http: Http,
    pub(super) input: Option<String>,
    pub(super) output: Option<String>,
    pub(super) errors: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Http {
    pub(super) method: String,
    pub(super) request_uri: String,
}

static MODELS: LazyLock<Result<Models, String>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("models.json")).map_err(|error| format!("models.json cannot be read: {error}"))
});

impl Models {
    /// The models, parsed once.
    ///
    /// # Errors
    /// `models.json` cannot be parsed.
    pub(crate) fn get() -> Result<&'static Models, String> {
        MODELS.as_ref().map_err(Clone::clone)
    }
}

impl Model {
    pub(crate) fn serves(&self, operation: &str) -> bool {
        self.operations.contains_key(operation)
    }

    /// All operations of the stand-in.
    #[cfg(test)]
    pub(crate) fn served(&self) -> impl Iterator<Item = &String> {
        self.operations.keys()
    }

    /// The prefix of an operation's name in the `x-amz-target` header.
    pub(crate) fn target_prefix(&self) -> Option<&str> {
        self.metadata.target_prefix.as_deref()
    }

    pub(super) fn structure(&self, name: &str) -> Option<&Structure> {
        match self.shapes.get(name)? {
            Shape::Structure(structure) => Some(structure),
            _ => None,
        }
    }
}
