//! Writes a statement that would allow a refused call, in the template's YAML.

use super::condition::{CALLED_VIA_LAST, FROM, LEADING_KEYS};
use super::need::Need;
use crate::template::expression_of;

/// The statement in YAML. With `by_key` it has a condition on the items' keys, like other statements of the function.
pub(super) fn statement(need: &Need, by_key: bool) -> String {
    let Need { action, resource, context } = need;
    let mut lines = vec!["- Effect: Allow".to_owned(), format!("  Action: {action}")];
    let condition = |operator: &str, key: &str, values: &str| {
        ["  Condition:".to_owned(), format!("    {operator}:"), format!("      {key}: {values}")]
    };
    match (context.get(LEADING_KEYS), context.get(FROM).and_then(|from| from.first())) {
        (Some(keys), _) if by_key => {
            let keys: Vec<String> = keys.iter().map(|key| format!("\"{}\"", kind(key))).collect();
            lines.push(format!("  Resource: {}", expression_of(resource)));
            lines.extend(condition("ForAllValues:StringLike", LEADING_KEYS, &format!("[{}]", keys.join(", "))));
        }
        // A verified recipient is an identity, too. So the condition names the sender instead.
        (_, Some(from)) if resource.contains(":identity/") => {
            let identities = resource.split(":identity/").next().unwrap_or_default();
            lines.push(format!("  Resource: {}", expression_of(&format!("{identities}:identity/*"))));
            lines.extend(condition("StringEquals", FROM, from));
        }
        _ => {
            lines.push(format!("  Resource: {}", expression_of(resource)));
            if let Some(service) = context.get(CALLED_VIA_LAST).and_then(|services| services.first()) {
                lines.extend(condition("StringEquals", CALLED_VIA_LAST, service));
            }
        }
    }
    lines.join("\n")
}

/// A pattern for all keys of the same kind: the words at the start, without digests and times.
fn kind(key: &str) -> String {
    let is_word = |part: &&str| part.len() <= 10 && part.bytes().all(|byte| byte.is_ascii_alphabetic());
    let words: Vec<&str> = key.split('#').take_while(is_word).collect();
    let start = words.join("#");
    match start.len() {
        length if length == key.len() => start,
        0 => "*".to_owned(),
        _ => format!("{start}#*"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_becomes_the_pattern_of_its_kind() {
        for (key, pattern) in [
            ("JWKS", "JWKS"),
            ("S#AAAAAAAAAAAAAAAAAAAAAA", "S#*"),
            ("R#request#Zm9vYmFyZm9vYmFyZm9vYg#1767225600", "R#request#*"),
            ("SMS#1767225600", "SMS#*"),
            ("1767225600", "*"),
        ] {
            assert_eq!(kind(key), pattern);
        }
    }
}
