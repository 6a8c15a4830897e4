//! Which request a list of routes is for.

use super::Request;
use crate::words::{Error, Result};

/// Whether one of `routes` is for `request`.
///
/// # Errors
/// [`Error::MethodNotAllowed`] where its path has other methods, [`Error::NotFound`] where it has none.
pub fn look(routes: &[(&str, &str)], request: &Request) -> Result<()> {
    let here = routes.iter().filter(|(_, pattern)| fits(pattern, &request.path));
    let methods: Vec<_> = here.map(|(method, _)| *method).collect();
    match methods.as_slice() {
        [] => Err(Error::NotFound),
        _ if methods.contains(&request.method()) => Ok(()),
        _ => Err(Error::MethodNotAllowed { allow: methods.join(", ") }),
    }
}

/// Whether `path` is `pattern`, in which `{id}` stands for one segment of the characters that ids have.
fn fits(pattern: &str, path: &str) -> bool {
    let is_id = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    match pattern.strip_suffix("{id}") {
        Some(start) => path.strip_prefix(start).is_some_and(is_id),
        None => path == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_one_segment_at_the_end() {
        for (path, is_it) in [
            ("/a/x", true),
            ("/a/x-_9", true),
            ("/a", false),
            ("/a/", false),
            ("/a/x/", false),
            ("/a/x/y", false),
            ("/a/x y", false),
            ("/a/..", false),
            ("/a/\r\n", false),
            ("/b/x", false),
            ("/a/{id}", false),
        ] {
            assert_eq!(fits("/a/{id}", path), is_it, "{path}");
        }
        assert!(fits("/a", "/a") && !fits("/a", "/a/x") && !fits("/a", "/ab"));
    }
}
