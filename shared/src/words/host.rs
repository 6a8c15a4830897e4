//! Host names.

/// Whether `text` is a valid label of a host name in lower case: 1 to 63 letters, digits and inner hyphens.
pub fn is_host_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}
