//! Input transformers: the message that a rule makes of an event.

use std::collections::BTreeMap;

use serde_json::Value;

/// Makes a message of an event.
#[derive(Clone, Debug, PartialEq)]
pub struct Transformer {
    /// The members of the event, by the name that stands for each in the template.
    paths: BTreeMap<String, Vec<String>>,
    template: String,
}

impl Transformer {
    /// Reads the value of `InputTransformer`.
    ///
    /// # Errors
    /// It has another form than the ones that the stand-in understands.
    pub(crate) fn read(properties: &Value) -> Result<Transformer, String> {
        let paths = properties.get("InputPathsMap").and_then(Value::as_object).ok_or("expected an InputPathsMap")?;
        let path = |(name, path): (&String, &Value)| {
            let members = path.as_str().and_then(|path| path.strip_prefix("$."));
            let members = members.ok_or_else(|| format!("{name}: expected a path such as $.detail.user"))?;
            Ok((name.clone(), members.split('.').map(str::to_owned).collect()))
        };
        let paths = paths.iter().map(path).collect::<Result<_, String>>()?;
        let template = properties.get("InputTemplate").and_then(Value::as_str).ok_or("expected an InputTemplate")?;
        Ok(Transformer { paths, template: template.to_owned() })
    }

    /// Puts `to` in the place of `from` in the message.
    pub(crate) fn replace(&mut self, from: &str, to: &str) {
        self.template = self.template.replace(from, to);
    }

    /// The message. As in AWS, a text gets quotes, and a missing member is an empty text.
    pub(crate) fn apply(&self, event: &Value) -> String {
        let value = |members: &Vec<String>| members.iter().try_fold(event, |value, member| value.get(member));
        let fill = |message: String, (name, members): (&String, &Vec<String>)| {
            let value = value(members).cloned().unwrap_or_else(|| Value::from(""));
            message.replace(&format!("<{name}>"), &value.to_string())
        };
        self.paths.iter().fold(self.template.clone(), fill)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_message_has_the_named_members_only() {
        let read = json!({ "InputPathsMap": { "user": "$.detail.user", "n": "$.n", "none": "$.detail.none" },
            "InputTemplate": "{\"type\": \"new\", \"user\": <user>, \"n\": <n>, \"none\": <none>}" });
        let transformer = Transformer::read(&read).unwrap();
        let event = json!({ "n": 1, "detail": { "user": "a \"b\"", "secret": "x" } });
        let message: Value = serde_json::from_str(&transformer.apply(&event)).unwrap();
        assert_eq!(message, json!({ "type": "new", "user": "a \"b\"", "n": 1, "none": "" }));
    }

    #[test]
    fn a_transformer_that_is_not_understood_is_refused() {
        for wrong in [
            json!({}),
            json!({ "InputPathsMap": {} }),
            json!({ "InputPathsMap": { "a": "detail" }, "InputTemplate": "" }),
        ] {
            assert!(Transformer::read(&wrong).is_err(), "{wrong}");
        }
    }
}
