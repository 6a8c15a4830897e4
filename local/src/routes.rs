//! The operations of the API in the two places that repeat them: the table in `shared::http` and the router of
//! `cargo lambda watch`. Both follow from `openapi.yaml`, which names the operations, and from the template, which says
//! where each leads.

use std::fmt::Write;

use local_aws::Failure;
use local_aws::gateway::route_for;
use local_aws::template::{DEFAULT_ROUTE, Template};
use serde_json::Value;
use shared::http::ALIASES;

use crate::document;

/// The keys of a path in `openapi.yaml` that are methods of the API.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// Operations in the order of their paths, with the function behind each.
pub struct Routes(Vec<Operation>);

struct Operation {
    method: String,
    /// Without the final slash.
    path: String,
    function: String,
}

impl Routes {
    /// The operations of `openapi.yaml`, and where `template` leads them with and without a final slash.
    ///
    /// # Errors
    /// Names an operation that reaches no function, or one function with its final slash and another without.
    pub fn read(template: &Template) -> Result<Routes, Failure> {
        let document: Value = serde_json::from_str(&document::json()?).map_err(Failure::new)?;
        let paths = document.get("paths").and_then(Value::as_object);
        let paths = paths.ok_or_else(|| Failure::new("openapi.yaml: there are no paths"))?;
        let mut operations = Vec::new();
        for (path, methods) in paths {
            let path = path.strip_suffix('/').unwrap_or(path);
            for method in METHODS.iter().filter(|method| methods.get(method).is_some()) {
                let method = method.to_uppercase();
                let function = leads_to(template, &method, path)?;
                if leads_to(template, &method, &format!("{path}/"))? != function {
                    let problem = format!("{method} {path} leads to another function with its final slash");
                    return Err(Failure::new(problem));
                }
                operations.push(Operation { method, path: path.to_owned(), function });
            }
        }
        Ok(Routes(operations))
    }

    /// The rows of `shared::http::ROUTES`. Aliases have a table of their own, with the shapes of their answers.
    pub fn table(&self) -> String {
        let ours = self.0.iter().filter(|operation| ALIASES.iter().all(|alias| alias.path != operation.path));
        ours.fold(String::new(), |mut text, Operation { method, path, function }| {
            // Writing to a text does not fail.
            let _ = writeln!(text, "    route(\"{method}\", \"{path}\", \"{function}\"),");
            text
        })
    }

    /// The lines of `[workspace.metadata.lambda.watch.router]`, whose paths match exactly.
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
    let problem = || Failure::new(format!("template.yaml: no route for {method} {path} of openapi.yaml"));
    Ok(function.ok_or_else(problem)?.binary.clone())
}
