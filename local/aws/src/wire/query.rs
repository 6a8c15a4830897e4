//! AWS's query protocol for SNS, with forms as requests and XML as answers.

use std::borrow::Cow;

use serde_json::Value;

use super::refusal::Refusal;

const NAMESPACE: &str = "http://sns.amazonaws.com/doc/2010-03-31/";

/// The operation in a form.
pub(super) fn action(form: &[u8]) -> Option<String> {
    form_urlencoded::parse(form).find(|(name, _)| name == "Action").map(|(_, action)| action.into_owned())
}

/// The answer to `operation`.
pub(super) fn answer(operation: &str, outcome: &Result<Value, Refusal>, request_id: &str) -> String {
    let id = element("RequestId", request_id);
    match outcome {
        Ok(result) => {
            let members = result.as_object().into_iter().flatten();
            let members = members.map(|(name, value)| member(name, value));
            format!(
                "<{operation}Response xmlns=\"{NAMESPACE}\"><{operation}Result>{}</{operation}Result>\
                 <ResponseMetadata>{id}</ResponseMetadata></{operation}Response>",
                members.collect::<String>()
            )
        }
        Err(refusal) => {
            let blamed = if refusal.status.is_server_error() { "Receiver" } else { "Sender" };
            let parts = [("Type", blamed), ("Code", refusal.name()), ("Message", refusal.message())];
            let parts: String = parts.iter().map(|(name, text)| element(name, text)).collect();
            format!("<ErrorResponse xmlns=\"{NAMESPACE}\"><Error>{parts}</Error>{id}</ErrorResponse>")
        }
    }
}

/// A string, a boolean, or a map in this protocol's form.
fn member(name: &str, value: &Value) -> String {
    let Some(entries) = value.as_object() else {
        return element(name, &value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    };
    let entry = |(key, value): (&String, &Value)| {
        format!("<entry>{}{}</entry>", element("key", key), element("value", value.as_str().unwrap_or_default()))
    };
    format!("<{name}>{}</{name}>", entries.iter().map(entry).collect::<String>())
}

fn element(name: &str, text: &str) -> String {
    format!("<{name}>{}</{name}>", text.chars().map(escaped).collect::<String>())
}

/// A refusal repeats parts of the request, which may contain any character.
fn escaped(letter: char) -> Cow<'static, str> {
    match letter {
        '&' => Cow::Borrowed("&amp;"),
        '<' => Cow::Borrowed("&lt;"),
        '>' => Cow::Borrowed("&gt;"),
        '\r' => Cow::Borrowed("&#13;"),
        // XML cannot contain these.
        '\0'..'\t' | '\u{b}'..' ' | '\u{fffe}' | '\u{ffff}' => Cow::Borrowed("\u{fffd}"),
        _ => Cow::Owned(letter.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use serde_json::json;

    use super::*;

    #[test]
    fn answers_are_xml_whatever_they_repeat() {
        let sent = answer("Publish", &Ok(json!({ "MessageId": "m" })), "r");
        let expected = "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult>\
            <MessageId>m</MessageId></PublishResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>\
            </PublishResponse>";
        assert_eq!(sent, expected);
        let refused = answer("Publish", &Err(Refusal::bad("InvalidParameter", "<n>&\u{1}")), "r");
        let expected = "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type>\
            <Code>InvalidParameter</Code><Message>&lt;n&gt;&amp;\u{fffd}</Message></Error><RequestId>r</RequestId>\
            </ErrorResponse>";
        assert_eq!(refused, expected);
        let broken = Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", "");
        assert!(answer("Publish", &Err(broken), "r").contains("<Type>Receiver</Type>"));
    }
}
