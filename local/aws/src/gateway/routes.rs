//! Selects a route like API Gateway.

use std::collections::BTreeMap;

use crate::template::{DEFAULT_ROUTE, Route};

/// A route with the captured parameters.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Matched<'a> {
    pub(super) route: &'a Route,
    pub(super) parameters: BTreeMap<String, String>,
}

/// How closely a route fits. The greatest value wins.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Fit {
    is_path: bool,
    is_complete: bool,
    literal_segments: usize,
    is_method: bool,
}

/// Finds the route for `method` and `path`. Complete paths win over greedy ones, and `$default` comes last.
///
/// AWS does not document whether `/x/` matches `/x/{proxy+}`. `empty_rest` decides it.
pub(super) fn find<'a>(routes: &'a [Route], method: &str, path: &str, empty_rest: bool) -> Option<Matched<'a>> {
    let fitting = routes.iter().filter_map(|route| {
        let (fit, parameters) = fit(route, method, path, empty_rest)?;
        Some((fit, Matched { route, parameters }))
    });
    fitting.max_by(|(left, _), (right, _)| left.cmp(right)).map(|(_, matched)| matched)
}

fn fit(route: &Route, method: &str, path: &str, empty_rest: bool) -> Option<(Fit, BTreeMap<String, String>)> {
    let is_method = route.method == method;
    if !is_method && route.method != "ANY" {
        return None;
    }
    let mut parameters = BTreeMap::new();
    if route.path == DEFAULT_ROUTE {
        return Some((Fit { is_path: false, is_complete: false, literal_segments: 0, is_method }, parameters));
    }
    let mut literal_segments = 0;
    let mut rest = Some(path.strip_prefix('/')?);
    for pattern in route.path.split('/').skip(1) {
        let here = rest?;
        if let Some(name) = capture(pattern).and_then(|name| name.strip_suffix('+')) {
            parameters.insert(name.to_owned(), here.to_owned());
            let fit = Fit { is_path: true, is_complete: false, literal_segments, is_method };
            return (empty_rest || !here.is_empty()).then_some((fit, parameters));
        }
        let (segment, after) = here.split_once('/').map_or((here, None), |(segment, after)| (segment, Some(after)));
        match capture(pattern) {
            Some(name) if !segment.is_empty() => drop(parameters.insert(name.to_owned(), segment.to_owned())),
            None if segment == pattern => literal_segments += 1,
            Some(_) | None => return None,
        }
        rest = after;
    }
    rest.is_none().then_some((Fit { is_path: true, is_complete: true, literal_segments, is_method }, parameters))
}

/// The route for `method` and `path`, if any. `/x/` matches `/x/{proxy+}`.
pub fn route_for<'a>(routes: &'a [Route], method: &str, path: &str) -> Option<&'a Route> {
    find(routes, method, path, true).map(|matched| matched.route)
}

/// The name in `{name}`.
fn capture(pattern: &str) -> Option<&str> {
    pattern.strip_prefix('{')?.strip_suffix('}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: &str, path: &str) -> Route {
        Route { method: method.to_owned(), path: path.to_owned(), function: "F".to_owned() }
    }

    fn routes() -> Vec<Route> {
        vec![
            route("ANY", "$default"),
            route("POST", "/a/b"),
            route("POST", "/a/b/{proxy+}"),
            route("GET", "/a/{id}"),
            route("ANY", "/a/{id}/c"),
            route("GET", "/a/{id}/c"),
        ]
    }

    fn takes(method: &str, path: &str, key: &str) {
        let routes = routes();
        assert_eq!(find(&routes, method, path, true).unwrap().route.key(), key, "{method} {path}");
    }

    #[test]
    fn the_closest_route_wins() {
        takes("POST", "/a/b", "POST /a/b");
        takes("POST", "/a/b/", "POST /a/b/{proxy+}");
        takes("POST", "/a/b/c/d", "POST /a/b/{proxy+}");
        takes("GET", "/a/b", "GET /a/{id}");
        takes("GET", "/a/x/c", "GET /a/{id}/c");
        takes("PUT", "/a/x/c", "ANY /a/{id}/c");
        takes("GET", "/a/", "$default");
        takes("GET", "/a/b/", "$default");
        takes("PUT", "/a/b", "$default");
        takes("GET", "/", "$default");
        takes("POST", "/A/b", "$default");
        takes("POST", "//a/b", "$default");
    }

    #[test]
    fn an_empty_rest_matches_only_if_it_is_set_to() {
        let routes = routes();
        assert_eq!(find(&routes, "POST", "/a/b/", false).unwrap().route.key(), "$default");
        assert_eq!(find(&routes, "POST", "/a/b/d", false).unwrap().parameters["proxy"], "d");
        assert_eq!(find(&routes, "POST", "/a/b/", true).unwrap().parameters["proxy"], "");
    }

    #[test]
    fn without_a_default_route_a_request_may_match_none() {
        assert_eq!(find(&routes()[1..], "PUT", "/a/b", true), None);
    }
}
