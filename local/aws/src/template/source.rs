//! From the files of a folder to a template.

use std::path::{Path, PathBuf};

use super::evaluate::Scope;
use super::model::Template;
use super::yaml::Node;
use super::{constraints, parts, profile};
use crate::failure::Failure;

impl Template {
    /// Reads `template.yaml` and `samconfig.toml` of the folder `root` under a profile.
    ///
    /// # Errors
    /// What cannot be read or is not understood, with its line.
    pub fn read(root: &Path, profile: &str) -> Result<Template, Failure> {
        Template::read_with(root, profile, &[])
    }

    /// The same with other values of some settings, which also count in the template's conditions.
    ///
    /// # Errors
    /// As [`Template::read`].
    pub fn read_with(root: &Path, profile: &str, settings: &[(String, String)]) -> Result<Template, Failure> {
        let text = |name: &str| {
            let path = root.join(name);
            std::fs::read_to_string(&path).map_err(|error| Failure::new(format!("{}: {error}", path.display())))
        };
        Template::evaluate(&text("template.yaml")?, &text("samconfig.toml")?, profile, settings)
    }

    /// The same from texts.
    ///
    /// # Errors
    /// As [`Template::read`].
    pub fn parse(template: &str, samconfig: &str, profile: &str) -> Result<Template, Failure> {
        Template::evaluate(template, samconfig, profile, &[])
    }

    fn evaluate(
        template: &str,
        samconfig: &str,
        profile: &str,
        settings: &[(String, String)],
    ) -> Result<Template, Failure> {
        let template = Node::read(template)?;
        let parameters = profile::parameters(&template, samconfig, profile)?;
        let scope = Scope::new(&template, parameters.clone())?;
        constraints::check(&template, &scope, &parameters)?;
        parts::read(&template, &Scope::new(&template, profile::with_settings(parameters, settings))?)
    }
}

/// The folder of the template: the nearest one above the current folder, or where this program was built.
///
/// # Errors
/// If there is none.
pub fn find_root() -> Result<PathBuf, Failure> {
    let current = std::env::current_dir().unwrap_or_default();
    let built = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = current.ancestors().chain(built.ancestors()).find(|folder| folder.join("template.yaml").is_file());
    let found = found
        .ok_or_else(|| Failure::new("there is no template.yaml here or in a folder above: run this in the project"))?;
    Ok(found.to_owned())
}

#[cfg(test)]
mod tests;
