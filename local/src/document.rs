//! The OpenAPI document of the API, as YAML and as JSON.

use local_aws::Failure;
use local_aws::template::scalar;
use saphyr::{LoadableYamlNode, YamlOwned};
use serde_json::Value;

/// The source of `openapi.yaml`.
pub const YAML: &str = include_str!("../../openapi.yaml");

/// The document as JSON. The members keep their order, because the reference page shows them in that order.
///
/// # Errors
/// The YAML cannot be parsed, or it has tags, aliases or keys other than strings.
pub fn json() -> Result<String, Failure> {
    let documents = YamlOwned::load_from_str(YAML).map_err(Failure::new)?;
    let [document] = documents.as_slice() else { return Err(failure("expected one document")) };
    let mut text = String::new();
    write(document, &mut text)?;
    Ok(text)
}

fn failure(problem: &str) -> Failure {
    Failure::new(format!("openapi.yaml: {problem}"))
}

fn write(node: &YamlOwned, text: &mut String) -> Result<(), Failure> {
    match node {
        YamlOwned::Value(value) => text.push_str(&scalar(value).to_string()),
        YamlOwned::Sequence(items) => {
            between(text, ['[', ']'], items.iter(), write)?;
        }
        YamlOwned::Mapping(entries) => {
            between(text, ['{', '}'], entries.iter(), |(key, value), text| {
                let key = key.as_str().ok_or_else(|| failure("every key must be a string"))?;
                text.push_str(&Value::from(key).to_string());
                text.push(':');
                write(value, text)
            })?;
        }
        YamlOwned::Tagged(..) | YamlOwned::Representation(..) | YamlOwned::Alias(_) | YamlOwned::BadValue => {
            return Err(failure("tags and aliases are not supported"));
        }
    }
    Ok(())
}

/// Writes `parts` between two brackets, separated by commas.
fn between<P>(
    text: &mut String,
    [open, close]: [char; 2],
    parts: impl Iterator<Item = P>,
    mut write: impl FnMut(P, &mut String) -> Result<(), Failure>,
) -> Result<(), Failure> {
    text.push(open);
    for (number, part) in parts.enumerate() {
        if number > 0 {
            text.push(',');
        }
        write(part, text)?;
    }
    text.push(close);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_the_same_in_json_and_in_its_order() {
        let text = json().unwrap();
        let document: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        let at = |name: &str| text.find(&format!("\"{name}\":")).unwrap_or_else(|| panic!("{name} is missing"));
        assert!(at("/api/auth/otp/request/") < at("/api/auth/otp/verify/"));
        assert!(at("/api/auth/otp/verify/") < at("/.well-known/jwks.json"));
    }
}
