//! Texts with values.

/// `text` with values for its placeholders. A value is not searched for placeholders.
pub(super) fn filled(text: &'static str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len().saturating_add(32));
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        filled.push_str(before);
        filled.push_str(values.iter().find(|(of, _)| *of == name).map_or("", |(_, value)| value));
        rest = after;
    }
    filled.push_str(rest);
    filled
}
