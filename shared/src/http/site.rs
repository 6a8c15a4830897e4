//! Sites: which part of a host name somebody registered, and what lies above it for everybody.
//!
//! The public suffix list as a text of 140 KB that is walked once for each name, at start: compiled into code, as the crate
//! `psl` has it, it would make every function's zip 300 KB larger. A test holds one against the other.

const SUFFIXES: &str = include_str!("../../data/public_suffixes.txt");

/// The registrable domain of a host name in lower-case A-labels; `None` for what is itself a public suffix.
pub(super) fn registrable(host: &str) -> Option<&str> {
    let labels: Vec<usize> = std::iter::once(0).chain(host.match_indices('.').map(|(dot, _)| dot + 1)).collect();
    let first = labels.len().checked_sub(suffix_labels(host) + 1)?;
    host.get(*labels.get(first)?..).filter(|domain| !domain.starts_with('.') && !domain.ends_with('.'))
}

/// How many labels of `host` are a public suffix: those of the longest rule, but of an exception all but its first.
fn suffix_labels(host: &str) -> usize {
    let count = |name: &str| name.split('.').count();
    let mut longest = 1;
    for rule in SUFFIXES.lines() {
        if let Some(exception) = rule.strip_prefix('!') {
            if is_under(host, exception) {
                return count(exception) - 1;
            }
        } else if let Some(parent) = rule.strip_prefix("*.") {
            if is_under(host, parent) && host != parent {
                longest = longest.max(count(parent) + 1);
            }
        } else if is_under(host, rule) {
            longest = longest.max(count(rule));
        }
    }
    longest
}

/// Whether `host` is `name` or ends in a dot and it.
fn is_under(host: &str, name: &str) -> bool {
    host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every rule, what lies one and two labels below it, and names without a rule.
    #[test]
    fn it_says_what_the_crate_says() {
        let mut names: Vec<String> =
            ["com", "example", "localhost", "a.b.c.example", "xn--p1ai", "amazonaws.com"].map(str::to_owned).into();
        let rules = SUFFIXES.lines().filter(|line| !line.starts_with("//"));
        // The whole list takes a minute without optimisation; each seventh rule of all kinds does not.
        for (at, rule) in rules.enumerate() {
            let is_special = rule.starts_with(['!', '*']);
            if is_special || at % 7 == 0 {
                let name = rule.trim_start_matches('!').replace('*', "wild");
                names.extend([format!("b.a.{name}"), format!("a.{name}"), name]);
            }
        }
        assert!(names.len() > 3_000);
        for name in names {
            assert_eq!(registrable(&name), psl::domain_str(&name), "{name}");
        }
    }
}
