//! The settings of a profile, for a person: in words with what is doubtful about them, or raw. Nothing is started.

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

/// Settings as the functions read them.
pub struct Settings {
    profile: String,
    variables: Variables,
    all: All,
}

/// Who a function is, which Lambda tells it: no part of a profile, and secret.
const IDENTITY: [&str; 4] =
    ["AWS_LAMBDA_FUNCTION_NAME", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/// Where the names of settings begin: to the right of most words.
const NAMES_AT: usize = 64;

impl Settings {
    /// The settings that the folder, the profile and the variables of `options` lead to; all else there is a stack's.
    ///
    /// # Errors
    /// What is wrong with the template or the settings, as starting a stack says it.
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

    /// Every setting in words, by what it is about, and then what is doubtful.
    pub fn words(&self) -> String {
        let mut text = format!("Settings of the profile `{}`\n", self.profile);
        for group in words::GROUPS {
            text.push_str(&format!("\n{}\n", group.title));
            for (settings, words) in group.lines {
                let names = settings.join(", ");
                text.push_str(&format!("  {:<NAMES_AT$} {names}\n", words(&self.all)));
            }
        }
        text.push_str("\nDoubtful\n");
        let doubts: Vec<_> = doubts::of(&self.all).collect();
        doubts.iter().for_each(|doubt| text.push_str(&format!("  {doubt}\n")));
        if doubts.is_empty() {
            text.push_str("  nothing\n");
        }
        text
    }

    /// The variables as the functions find them, as a JSON object, without their identities.
    pub fn json(&self) -> String {
        format!("{:#}\n", json!(self.variables))
    }
}

#[cfg(test)]
mod tests;
