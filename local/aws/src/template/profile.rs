//! The parameters of a template: the values in `samconfig.toml`, or else the template's defaults.

use std::collections::BTreeMap;

use serde_json::Value;

use super::yaml::{Node, failure};
use crate::failure::Failure;

/// The profile with values for required parameters that another profile lacks.
const DEFAULT: &str = "default";

/// Reads a file by its path from the folder of `samconfig.toml`.
pub(super) type Files<'a> = &'a dyn Fn(&str) -> Result<String, Failure>;

/// The value of every parameter of `template` under `profile`.
pub(super) fn parameters(
    template: &Node,
    samconfig: &str,
    files: Files<'_>,
    profile: &str,
) -> Result<BTreeMap<String, Value>, Failure> {
    let samconfig: toml::Table = samconfig.parse().map_err(|error| Failure::new(format!("samconfig.toml: {error}")))?;
    let declared = template.get("Parameters").map(Node::entries).unwrap_or_default();
    let given = overrides(&samconfig, files, profile)?;
    let lent = overrides(&samconfig, files, DEFAULT)?;
    if let Some(unknown) = given.keys().find(|name| !declared.iter().any(|(declared, _)| declared == *name)) {
        return Err(Failure::new(format!("samconfig.toml: the template has no parameter `{unknown}` ({profile})")));
    }
    let mut values = BTreeMap::new();
    for (name, parameter) in declared {
        let default = parameter.get("Default").and_then(Node::text);
        let value = given.get(name).cloned().or(default).or_else(|| lent.get(name).cloned());
        let value = value.ok_or_else(|| {
            let problem = format!("parameter {name} has no default, and `{profile}` in samconfig.toml does not set it");
            failure(parameter.line, problem)
        })?;
        let is_list = parameter.get("Type").and_then(Node::text).as_deref() == Some("CommaDelimitedList");
        let value = if is_list { list(&value) } else { Value::String(value) };
        values.insert(name.clone(), value);
    }
    Ok(values)
}

/// The same parameters with `settings` on top, e.g. `OTP_LENGTH` for `OtpLength`.
pub(super) fn with_settings(
    mut values: BTreeMap<String, Value>,
    settings: &[(String, String)],
) -> BTreeMap<String, Value> {
    for (name, text) in settings {
        let word = |word: &str| {
            format!("{}{}", word.get(..1).unwrap_or_default(), word.get(1..).unwrap_or_default().to_lowercase())
        };
        let parameter: String = name.split('_').map(word).collect();
        match values.get_mut(&parameter) {
            Some(value @ Value::String(_)) => *value = Value::String(text.clone()),
            Some(value @ Value::Array(_)) => *value = list(text),
            Some(_) | None => {}
        }
    }
    values
}

fn list(text: &str) -> Value {
    text.split(',').map(str::trim).collect()
}

/// `parameter_overrides` of a profile: a list of `Name=Value` and `file://PATH`, or one string of them. A later value wins.
fn overrides(samconfig: &toml::Table, files: Files<'_>, profile: &str) -> Result<BTreeMap<String, String>, Failure> {
    let settings =
        samconfig.get(profile).ok_or_else(|| Failure::new(format!("samconfig.toml has no profile `{profile}`")))?;
    let overrides =
        ["deploy", "parameters", "parameter_overrides"].iter().try_fold(settings, |value, key| value.get(key));
    let pairs: Vec<String> = match overrides {
        None => Vec::new(),
        Some(toml::Value::String(text)) => words(text),
        Some(toml::Value::Array(items)) => items.iter().filter_map(toml::Value::as_str).map(str::to_owned).collect(),
        Some(_) => return Err(Failure::new("samconfig.toml: parameter_overrides must be a string or a list")),
    };
    let read = |pair: &String| {
        let (name, value) = pair.split_once('=')?;
        Some((name.to_owned(), value.trim_matches('"').to_owned()))
    };
    let mut values = BTreeMap::new();
    for pair in &pairs {
        if let Some(path) = pair.strip_prefix("file://") {
            values.extend(in_file(path, &files(path)?)?);
        } else {
            let pair = read(pair).ok_or_else(|| {
                Failure::new(format!("samconfig.toml: expected Name=Value or file://PATH, not `{pair}`"))
            })?;
            values.extend([pair]);
        }
    }
    Ok(values)
}

/// The parameters in a YAML file of `Name: value`.
fn in_file(path: &str, text: &str) -> Result<Vec<(String, String)>, Failure> {
    let file = Node::read(text).map_err(|error| Failure::new(error.to_string().replacen("template.yaml", path, 1)))?;
    let pair = |(name, value): &(String, Node)| {
        let wrong = || Failure::new(format!("{path}:{}: expected a text or number", value.line));
        value.text().map(|text| (name.clone(), text)).ok_or_else(wrong)
    };
    file.entries().iter().map(pair).collect()
}

/// Splits at spaces outside double quotes.
fn words(text: &str) -> Vec<String> {
    let mut is_quoted = false;
    let words = text.split(|char: char| {
        is_quoted ^= char == '"';
        char.is_whitespace() && !is_quoted
    });
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_are_a_list_or_a_text() {
        let samconfig: toml::Table = r#"
            [a.deploy.parameters]
            parameter_overrides = ["One=1", 'Name="two words"']
            [b.deploy.parameters]
            parameter_overrides = 'One=1 Name="two words"'
        "#
        .parse()
        .unwrap();
        let expected =
            BTreeMap::from([("One".to_owned(), "1".to_owned()), ("Name".to_owned(), "two words".to_owned())]);
        let no_files = |path: &str| Err(Failure::new(path));
        assert_eq!(overrides(&samconfig, &no_files, "a").unwrap(), expected);
        assert_eq!(overrides(&samconfig, &no_files, "b").unwrap(), expected);
        assert!(overrides(&samconfig, &no_files, "c").is_err());
    }

    #[test]
    fn overrides_may_be_in_a_file() {
        let samconfig = |overrides: &str| -> toml::Table {
            format!("[a.deploy.parameters]\nparameter_overrides = {overrides}").parse().unwrap()
        };
        let files = |path: &str| match path {
            "a.yaml" => Ok("# A comment.\nOne: 1\nTwo: \"off\"\n".to_owned()),
            "list.yaml" => Ok("One: [1]".to_owned()),
            "broken.yaml" => Ok("One: [".to_owned()),
            other => Err(Failure::new(format!("{other} is missing"))),
        };
        let values = |text: &str| overrides(&samconfig(text), &files, "a").map_err(|failure| failure.to_string());
        let expected =
            |one: &str| [("One", one), ("Two", "off")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(values(r#"["file://a.yaml"]"#), Ok(expected("1").into()));
        assert_eq!(values(r#"["One=2", "file://a.yaml"]"#), Ok(expected("1").into()));
        assert_eq!(values(r#""file://a.yaml One=2""#), Ok(expected("2").into()));
        assert_eq!(values(r#"["file://b.yaml"]"#), Err("b.yaml is missing".to_owned()));
        assert_eq!(values(r#"["file://list.yaml"]"#), Err("list.yaml:1: expected a text or number".to_owned()));
        assert!(values(r#"["file://broken.yaml"]"#).unwrap_err().starts_with("broken.yaml:"));
    }
}
