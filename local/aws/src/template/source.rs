//! Reads a template from the files of a folder.

use std::path::{Path, PathBuf};

use super::evaluate::Scope;
use super::model::Template;
use super::yaml::Node;
use super::{constraints, parts, profile};
use crate::failure::Failure;

impl Template {
    /// Reads `template.yaml`, `samconfig.toml` and the profile's files in the folder `root`.
    ///
    /// # Errors
    /// A file is unreadable, or a part of it is unsupported. The message names the line.
    pub fn read(root: &Path, profile: &str) -> Result<Template, Failure> {
        Template::read_with(root, profile, &[])
    }

    /// Like [`Template::read`], but with other values for some settings. Conditions in the template see them, too.
    ///
    /// # Errors
    /// As [`Template::read`].
    pub fn read_with(root: &Path, profile: &str, settings: &[(String, String)]) -> Result<Template, Failure> {
        let text = |name: &str| {
            let path = root.join(name);
            std::fs::read_to_string(&path).map_err(|error| Failure::new(format!("{}: {error}", path.display())))
        };
        Template::evaluate(&text("template.yaml")?, &text("samconfig.toml")?, &text, profile, settings)
    }

    /// Like [`Template::read`], from texts. The profile cannot name files.
    ///
    /// # Errors
    /// As [`Template::read`].
    pub fn parse(template: &str, samconfig: &str, profile: &str) -> Result<Template, Failure> {
        let no_files = |name: &str| Err(Failure::new(format!("samconfig.toml: {name} is not available here")));
        Template::evaluate(template, samconfig, &no_files, profile, &[])
    }

    fn evaluate(
        template: &str,
        samconfig: &str,
        files: profile::Files<'_>,
        profile: &str,
        settings: &[(String, String)],
    ) -> Result<Template, Failure> {
        let template = Node::read(template)?;
        let parameters = profile::parameters(&template, samconfig, files, profile)?;
        let scope = Scope::new(&template, parameters.clone())?;
        constraints::check(&template, &scope, &parameters)?;
        parts::read(&template, &Scope::new(&template, profile::with_settings(parameters, settings))?)
    }
}

/// The folder of the template: the nearest one at or above the current folder, or else the one in which this program was
/// built.
///
/// # Errors
/// There is no such folder.
pub fn find_root() -> Result<PathBuf, Failure> {
    let current = std::env::current_dir().unwrap_or_default();
    let built = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = current.ancestors().chain(built.ancestors()).find(|folder| folder.join("template.yaml").is_file());
    let found = found.ok_or_else(|| {
        Failure::new("there is no template.yaml in this folder or above it. Run this in the project's folder.")
    })?;
    Ok(found.to_owned())
}

#[cfg(test)]
mod tests;
