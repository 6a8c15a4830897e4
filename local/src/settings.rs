//! The settings of a profile for people: in words with warnings, or as raw variables. Starts nothing.

mod all;
mod doubts;
mod phrases;
mod words;

pub(crate) use self::all::All;

use local_aws::Failure;
use local_aws::template::{self, Template};
use serde_json::json;

use crate::environment::{Environments, Variables};
use crate::functions;
use crate::options::Options;

/// The settings of a deployment, as the functions read them.
pub struct Settings {
    profile: String,
    variables: Variables,
    all: All,
}

/// The identity of a function, set by Lambda. It is secret and not part of a profile.
const IDENTITY: [&str; 4] =
    ["AWS_LAMBDA_FUNCTION_NAME", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/// The column of the settings' names, to the right of most descriptions.
const NAMES_AT: usize = 64;

impl Settings {
    /// Reads the settings from the root folder, profile and variables in `options`, and ignores its other fields.
    ///
    /// # Errors
    /// The template or the settings are wrong. The message is the same as when a stack starts.
    pub fn read(options: &Options) -> Result<Settings, Failure> {
        let root = options.root.clone().map_or_else(template::find_root, Ok)?;
        let template = Template::read(&root, &options.profile)?;
        let environments = Environments::new(&template, None, None, &options.env);
        functions::check(&options.env, &environments)?;
        let all = All::read(&environments)?;
        let mut variables = environments.all();
        variables.retain(|name, _| !IDENTITY.contains(&name.as_str()));
        Ok(Settings { profile: options.profile.clone(), variables, all })
    }

    /// All settings in words, grouped by topic, followed by warnings.
    pub fn words(&self) -> String {
        let mut text = format!("Settings of the profile `{}`\n", self.profile);
        for group in words::GROUPS {
            text.push_str(&format!("\n{}\n", group.title));
            for (settings, words) in group.lines {
                let names = settings.join(", ");
                text.push_str(&format!("  {:<NAMES_AT$} {names}\n", words(&self.all)));
            }
        }
        text.push_str("\nWarnings\n");
        let doubts: Vec<_> = doubts::of(&self.all).collect();
        doubts.iter().for_each(|doubt| text.push_str(&format!("  {doubt}\n")));
        if doubts.is_empty() {
            text.push_str("  none\n");
        }
        text
    }

    /// The environment variables as a JSON object, without the functions' identities.
    pub fn json(&self) -> String {
        format!("{:#}\n", json!(self.variables))
    }
}

#[cfg(test)]
mod tests;
