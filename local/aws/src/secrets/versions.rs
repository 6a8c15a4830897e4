//! The versions of one secret. A version is immutable, but its labels move.

use serde::{Deserialize, Serialize};

use crate::wire::Refusal;

pub(super) const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";
/// The maximum number of labels on all versions together.
const MOST_LABELS: usize = 20;
/// Above this number of versions, the oldest without labels are dropped.
const MOST_VERSIONS: usize = 100;

/// Newest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Versions(Vec<Version>);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Version {
    pub(super) id: String,
    pub(super) text: String,
    pub(super) created: u64,
    #[serde(default)]
    pub(super) stages: Vec<String>,
}

impl Versions {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Version> {
        self.0.iter()
    }

    /// The newest version with this id, this label, or both.
    pub(super) fn find(&self, id: Option<&str>, label: Option<&str>) -> Option<&Version> {
        let has = |version: &Version, label: &str| version.stages.iter().any(|stage| stage == label);
        self.iter()
            .find(|version| id.is_none_or(|id| id == version.id) && label.is_none_or(|label| has(version, label)))
    }

    /// Adds labels to the versions of an old file without labels, by their age.
    pub(super) fn label_by_age(&mut self) {
        if self.0.iter().all(|version| version.stages.is_empty()) {
            for (version, label) in self.0.iter_mut().zip([CURRENT, PREVIOUS]) {
                version.stages.push(label.to_owned());
            }
        }
    }

    /// Adds a version with these labels. Returns the labels that it has afterwards.
    pub(super) fn put(&mut self, version: Version, labels: &[&str]) -> Result<Vec<String>, Refusal> {
        let id = version.id.clone();
        if let Some(there) = self.find(Some(&id), None) {
            let is_same = there.text == version.text;
            let taken =
                || Refusal::bad("ResourceExistsException", &format!("A version {id} with other content exists."));
            return if is_same { Ok(there.stages.clone()) } else { Err(taken()) };
        }
        let unknown = labels.iter().filter(|label| self.find(None, Some(label)).is_none()).count();
        if self.0.iter().map(|version| version.stages.len()).sum::<usize>() + unknown > MOST_LABELS {
            return Err(Refusal::bad("LimitExceededException", "You've exceeded the limit of staging labels."));
        }
        // The very first version is always current.
        let is_first = self.0.is_empty() && !labels.contains(&CURRENT);
        self.0.insert(0, version);
        for label in labels.iter().copied().chain(is_first.then_some(CURRENT)) {
            self.attach(label, &id);
        }
        let mut left = MOST_VERSIONS;
        self.0.retain(|version| {
            left = left.saturating_sub(1);
            left > 0 || !version.stages.is_empty()
        });
        Ok(self.find(Some(&id), None).map(|version| version.stages.clone()).unwrap_or_default())
    }

    /// Moves a label between versions. The call must name the version that currently has the label.
    pub(super) fn move_stage(&mut self, label: &str, from: Option<&str>, to: Option<&str>) -> Result<(), Refusal> {
        for id in [from, to].into_iter().flatten() {
            if self.find(Some(id), None).is_none() {
                return Err(missing(&format!(" value for VersionId: {id}")));
            }
        }
        let holder = self.find(None, Some(label)).map(|version| version.id.clone());
        let (from, holder) = (from.map(str::to_owned), holder);
        if from.is_some() && from != holder {
            let message = format!("The parameter RemoveFromVersionId can't be a version without the label {label}.");
            return Err(invalid(&message));
        }
        match to {
            Some(to) if from.is_none() && holder.as_deref().is_some_and(|holder| holder != to) => {
                let message = format!(
                    "The staging label {label} is attached to another version: name it in RemoveFromVersionId."
                );
                Err(invalid(&message))
            }
            Some(to) => {
                self.attach(label, to);
                Ok(())
            }
            None if label == CURRENT => Err(invalid("You can't remove AWSCURRENT without moving it.")),
            None => {
                self.detach(label);
                Ok(())
            }
        }
    }

    /// Moves a label. AWSPREVIOUS follows AWSCURRENT.
    fn attach(&mut self, label: &str, id: &str) {
        let holder = self.find(None, Some(label)).map(|version| version.id.clone());
        if holder.as_deref() == Some(id) {
            return;
        }
        self.detach(label);
        if let Some(version) = self.0.iter_mut().find(|version| version.id == id) {
            version.stages.push(label.to_owned());
        }
        if let Some(holder) = holder.filter(|_| label == CURRENT) {
            self.attach(PREVIOUS, &holder);
        }
    }

    fn detach(&mut self, label: &str) {
        self.0.iter_mut().for_each(|version| version.stages.retain(|stage| stage != label));
    }
}

pub(super) fn missing(what: &str) -> Refusal {
    let message = format!("Secrets Manager can't find the specified secret{what}.");
    Refusal::bad("ResourceNotFoundException", &message)
}

pub(super) fn invalid(message: &str) -> Refusal {
    Refusal::bad("InvalidParameterException", message)
}
