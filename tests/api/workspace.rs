//! Rules about the repository beyond the compiler's checks.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use local::Routes;
use local_aws::template::{DEFAULT_ROUTE, Template};
use shared::http::{ALIASES, ROUTES, Route};

pub(crate) fn root() -> PathBuf {
    local_aws::template::find_root().unwrap()
}

pub(crate) fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file below `folder` that ends in `ending`, except build output.
pub(crate) fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            match entry.is_dir() {
                true if entry.ends_with("target") => {}
                true => folders.push(entry),
                false if entry.to_string_lossy().ends_with(ending) => found.push(entry),
                false => {}
            }
        }
    }
    found
}

fn functions() -> BTreeSet<String> {
    let folders = fs::read_dir(root().join("functions")).unwrap();
    folders.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// The parameters without a default.
const REQUIRED: [&str; 3] =
    ["Stage=development", "SenderEmail=no-reply@example.com", "AllowedOrigins=https://example.com"];

/// The template as deployed with only the required parameters.
pub(crate) fn template() -> Template {
    with_parameters(&REQUIRED)
}

/// The template with the functions that a parameter turns on.
pub(crate) fn whole_template() -> Template {
    with_parameters(&[&REQUIRED[..], &["SecondFactor=optional"]].concat())
}

fn with_parameters(parameters: &[&str]) -> Template {
    let profile = format!("version = 0.1\n[default.deploy.parameters]\nparameter_overrides = {parameters:?}\n");
    Template::parse(&read("template.yaml"), &profile, "default").unwrap()
}

#[test]
fn functions_depend_on_neither_each_other_nor_aws() {
    for function in functions() {
        for source in files(&format!("functions/{function}/src"), ".rs") {
            let text = fs::read_to_string(&source).unwrap();
            assert!(!text.contains("aws_sdk"), "{} names an AWS SDK", source.display());
            let is_main = source.ends_with("main.rs");
            assert_eq!(text.contains("shared::runtime::lambda"), is_main, "{}", source.display());
            if is_main {
                assert!(text.lines().count() <= 6, "{} does more than start", source.display());
            }
        }
        let manifest: toml::Table = read(format!("functions/{function}/Cargo.toml")).parse().unwrap();
        for dependency in manifest["dependencies"].as_table().unwrap().keys() {
            // The QR codes of authenticator apps.
            let draws = function == "factors" && ["data-encoding", "png", "qrcodegen"].contains(&dependency.as_str());
            let is_known = ["futures-util", "lambda_http", "serde", "serde_json", "shared", "tokio", "tracing"]
                .contains(&dependency.as_str());
            // It reads the settings of all functions before a deployment uses them.
            let reads_all = function == "rotate-keys" && dependency == "catalog";
            assert!(is_known || reads_all || draws, "{function} depends on {dependency}");
        }
    }
}

#[test]
fn every_function_is_deployed_and_tested() {
    let deployed: BTreeSet<_> = whole_template().functions.values().map(|function| function.binary.clone()).collect();
    assert_eq!(deployed, functions());
    for function in functions() {
        let path = format!("functions/{function}/tests/process.rs");
        assert!(root().join(&path).exists(), "{function} has no {path}");
    }
}

/// A deployer names the stage, and each stage has its own stack. An omission cannot give production development's settings.
#[test]
fn no_stage_is_deployed_by_leaving_it_out() {
    let profiles: toml::Table = read("samconfig.toml").parse().unwrap();
    for (name, profile) in profiles.iter().filter(|(name, _)| *name != "version") {
        let deploy = &profile["deploy"]["parameters"];
        if name == "default" {
            assert!(deploy.get("stack_name").is_none(), "`sam deploy` without a profile must not deploy");
            continue;
        }
        assert_eq!(deploy["stack_name"].as_str().unwrap(), format!("latchkey-{name}"));
        let file = format!("stages/{name}.yaml");
        let given = deploy["parameter_overrides"].as_array().unwrap();
        assert_eq!((given.len(), given[0].as_str().unwrap()), (1, format!("file://{file}").as_str()));
        assert!(read(&file).contains(&format!("\nStage: {name}\n")), "{file} names another stage");
    }
    let template = read("template.yaml");
    let stage = template.split_once("\n  Stage:\n").unwrap().1.lines().take_while(|line| line.starts_with("    "));
    assert!(!stage.map(str::trim).any(|line| line.starts_with("Default:")), "Stage has a default");
}

/// Each prefix and method has an exact and a greedy route. Only a greedy route may be alone.
#[test]
fn every_exact_route_has_a_greedy_one_beside_it() {
    let template = whole_template();
    let routes: BTreeSet<_> =
        template.routes.iter().filter(|route| route.path != DEFAULT_ROUTE).map(|route| route.key()).collect();
    for route in &routes {
        assert!(!route.starts_with("ANY "), "{route} names no method");
        let exact = route.strip_suffix("/{proxy+}").unwrap_or(route);
        assert!(!exact.contains('{'), "{route}: its function's greedy route serves ids");
        assert!(routes.contains(&format!("{exact}/{{proxy+}}")), "{route} has no greedy route");
    }
}

/// `openapi.yaml` names the operations, and the template assigns them to functions. The route table and the router follow.
#[test]
fn the_tables_of_routes_are_as_local_prints_them() {
    let routes = Routes::read(&whole_template()).unwrap();
    assert!(read("shared/src/http/routes.rs").contains(&routes.table()), "run `cargo run -p local -- routes`");
    let manifest = read("Cargo.toml");
    let router = manifest.split_once("[workspace.metadata.lambda.watch.router]\n").unwrap().1;
    let router = router.split("\n\n").next().unwrap();
    assert_eq!(format!("{router}\n"), routes.watch_router(), "run `cargo run -p local -- routes`");
    for alias in &ALIASES {
        let is_route = |route: &Route| route.method == alias.method && route.path == alias.stands_for;
        assert!(ROUTES.iter().any(is_route), "{} stands for nothing", alias.path);
    }
}

/// The row of a table in `page` whose first cell is `first`.
pub(crate) fn row<'a>(page: &'a str, first: &str) -> &'a str {
    let start = format!("| `{first}`");
    page.lines().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("no table has a row for `{first}`"))
}

#[test]
fn the_api_page_has_every_route_and_error() {
    let page = read("docs/api.md");
    for Route { method, path, .. } in ROUTES {
        let slash = if path.starts_with("/api") { "/" } else { "" };
        row(&page, &format!("{method} {path}{slash}"));
    }
    let source = read("shared/src/words/error.rs");
    let codes = source.lines().filter_map(|line| line.split_once(" => \"")?.1.strip_suffix("\","));
    let codes: Vec<_> = codes.collect();
    assert!(codes.len() >= 13, "{codes:?}");
    for code in codes {
        row(&page, code);
    }
}

/// The `curl` command in a page, or in the source of what `local` prints, without line breaks and escapes.
fn first_request(text: &str) -> String {
    let start = text.find("curl -s ").expect("no curl command");
    let end = start + text[start..].find("ada@example.com").expect("the command has no address");
    let command = text[start..end].replace("\\n", "").replace("http://127.0.0.1:3000", "{api}");
    command.chars().filter(|char| !char.is_whitespace() && !"\\{}".contains(*char)).collect()
}

#[test]
fn a_visitor_finds_two_commands_and_the_request_that_local_prints() {
    let readme = read("README.md");
    let start: String = readme.lines().take(40).collect::<Vec<_>>().join("\n");
    for command in ["cargo run -p local", "cargo test --workspace"] {
        assert!(start.contains(command), "{command} is not at the start of README.md");
    }
    let printed = first_request(&read("local/src/console.rs"));
    for page in ["README.md", "docs/local.md"] {
        assert_eq!(first_request(&read(page)), printed, "{page} starts with another request than `local` prints");
    }
}

#[test]
fn the_first_pages_stay_short() {
    for (page, longest) in [("README.md", 6 * 1024), ("ARCHITECTURE.md", 12 * 1024)] {
        let length = read(page).len();
        assert!(length <= longest, "{page} has {length} bytes, more than {longest}: move details to docs/");
    }
}

/// The content behind a tag or branch of a foreign action may change, so actions are pinned by commit.
#[test]
fn the_public_ci_runs_every_required_check_with_pinned_actions() {
    let ci = read(".github/workflows/ci.yml");
    for step in ["run: .ci/run", "run: cargo deny ", "permissions:\n  contents: read"] {
        assert!(ci.contains(step), "{step}");
    }
    for action in ci.lines().filter_map(|line| line.split_once("uses: ")?.1.split_once('@')) {
        let commit = action.1.split_whitespace().next().unwrap_or_default();
        let is_commit = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
        assert!(is_commit, "{} is not pinned by its commit", action.0);
    }
}

#[test]
fn the_readme_counts_the_functions() {
    let count = fs::read_dir(root().join("functions")).unwrap().count();
    let words =
        ["Seventeen", "Eighteen", "Nineteen", "Twenty", "Twenty-one", "Twenty-two", "Twenty-three", "Twenty-four"];
    let sentence = format!("{} Rust Lambda functions", words[count - 17]);
    assert!(read("README.md").contains(&sentence), "README.md lacks: {sentence}");
}
