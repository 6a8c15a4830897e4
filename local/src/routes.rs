//! Generates the two tables that repeat the API's operations: the one in `shared::http` and the router of `cargo lambda
//! watch`. `openapi.yaml` lists the operations, and the template maps each one to a function.

use std::fmt::Write;

use local_aws::Failure;
use local_aws::gateway::route_for;
use local_aws::template::{DEFAULT_ROUTE, Template};
use serde_json::Value;
use shared::http::ALIASES;

use crate::document;

/// The keys of a path in `openapi.yaml` that are HTTP methods of the API.
const METHODS: [&str; 6] = ["get", "head", "post", "put", "patch", "delete"];

/// The operations in the order of their paths, with the function behind each.
pub struct Routes(Vec<Operation>);

struct Operation {
    method: String,
    /// Without the trailing slash.
    path: String,
    function: String,
}

impl Routes {
    /// Reads the operations of `openapi.yaml`, and looks up the function for each in `template`, with and without a
    /// trailing slash.
    ///
    /// # Errors
    /// An operation has no route, or its path leads to different functions with and without a trailing slash.
    pub fn read(template: &Template) -> Result<Routes, Failure> {
        let document: Value = serde_json::from_str(&document::json()?).map_err(Failure::new)?;
        let paths = document.get("paths").and_then(Value::as_object);
        let paths = paths.ok_or_else(|| Failure::new("openapi.yaml has no paths"))?;
        let mut operations = Vec::new();
        for (path, methods) in paths {
            let path = path.strip_suffix('/').unwrap_or(path);
            for method in METHODS.iter().filter(|method| methods.get(method).is_some()) {
                let method = method.to_uppercase();
                let function = leads_to(template, &method, path)?;
                if leads_to(template, &method, &format!("{path}/"))? != function {
                    let problem = format!(
                        "{method} {path} leads to another function with a trailing slash. Fix its routes in template.yaml."
                    );
                    return Err(Failure::new(problem));
                }
                operations.push(Operation { method, path: path.to_owned(), function });
            }
        }
        Ok(Routes(operations))
    }

    /// The rows of `shared::http::ROUTES`. Aliases are left out: they have their own table, with the shapes of their
    /// answers.
    pub fn table(&self) -> String {
        let ours = self.0.iter().filter(|operation| ALIASES.iter().all(|alias| alias.path != operation.path));
        ours.fold(String::new(), |mut text, Operation { method, path, function }| {
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "    route(\"{method}\", \"{path}\", \"{function}\"),");
            text
        })
    }

    /// The lines of `[workspace.metadata.lambda.watch.router]`. Its paths match exactly, so each path appears with and
    /// without a slash.
    pub fn watch_router(&self) -> String {
        let mut text = String::new();
        let mut lines: Vec<(&str, String)> = Vec::new();
        for Operation { method, path, function } in &self.0 {
            let target = format!("{{ method = \"{method}\", function = \"{function}\" }}");
            match lines.iter_mut().find(|(its, _)| its == path) {
                Some((_, targets)) => *targets += &format!(", {target}"),
                None => lines.push((path, target)),
            }
        }
        for (path, targets) in lines {
            let _ = writeln!(text, "\"{path}\" = [{targets}]\n\"{path}/\" = [{targets}]");
        }
        text
    }
}

fn leads_to(template: &Template, method: &str, path: &str) -> Result<String, Failure> {
    let route = route_for(&template.routes, method, path).filter(|route| route.path != DEFAULT_ROUTE);
    let function = route.and_then(|route| template.functions.get(&route.function));
    let problem =
        || Failure::new(format!("template.yaml has no route for {method} {path}, an operation of openapi.yaml"));
    Ok(function.ok_or_else(problem)?.binary.clone())
}
