//! Sites: finds the registrable domain of a host name, by the public suffix list.
//!
//! The list is a text of 140 KB, and each lookup at start walks through it once. Compiled into code, as in the crate `psl`, it
//! would make every function's zip file 300 KB larger. A test compares the two.

const SUFFIXES: &str = include_str!("../../data/public_suffixes.txt");

/// The registrable domain of a host name in lower-case A-labels. `None` if the name is itself a public suffix.
pub(super) fn registrable(host: &str) -> Option<&str> {
    let labels: Vec<usize> = std::iter::once(0).chain(host.match_indices('.').map(|(dot, _)| dot + 1)).collect();
    let first = labels.len().checked_sub(suffix_labels(host) + 1)?;
    host.get(*labels.get(first)?..).filter(|domain| !domain.starts_with('.') && !domain.ends_with('.'))
}

/// The number of labels in the public suffix of `host`. The longest rule wins. An exception rule beats it, and its suffix is one
/// label shorter than the rule.
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

/// Whether `host` is `name` or a subdomain of it.
fn is_under(host: &str, name: &str) -> bool {
    host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tests rules, names one and two labels below them, and names without a rule.
    #[test]
    fn registrable_domains_are_those_of_the_crate() {
        let mut names: Vec<String> =
            ["com", "example", "localhost", "a.b.c.example", "xn--p1ai", "amazonaws.com"].map(str::to_owned).into();
        let rules = SUFFIXES.lines().filter(|line| !line.starts_with("//"));
        // The whole list takes a minute without optimisation, so the test uses all special rules and each seventh line.
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
