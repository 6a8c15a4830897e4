//! The structure of modules: layers, facades, and no cycles.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use crate::workspace::{files, read, root};

/// The folders of `shared`, from the lowest layer to the highest.
fn layers() -> Vec<String> {
    let lib = read("shared/src/lib.rs");
    lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).map(str::to_owned).collect()
}

/// The modules of a folder of `shared`.
fn modules(folder: &str) -> BTreeMap<String, String> {
    modules_in(&format!("shared/src/{folder}"))
}

/// The non-test part of each source file in `place`, by its module.
fn modules_in(place: &str) -> BTreeMap<String, String> {
    let mut modules = BTreeMap::<String, String>::new();
    let top = root().join(place);
    for file in files(place, ".rs") {
        let path = file.strip_prefix(&top).unwrap().with_extension("");
        let parts: Vec<_> = path.iter().map(|part| part.to_str().unwrap()).collect();
        if parts.contains(&"tests") {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let product = text.split("#[cfg(test)]").next().unwrap_or_default();
        modules.entry(parts[0].to_owned()).or_default().push_str(product);
    }
    modules
}

/// The names that follow `path` in `text`. From `path::{one, two}` it returns both.
fn names_after<'a>(text: &'a str, path: &str) -> BTreeSet<&'a str> {
    let is_name = |char: char| char.is_alphanumeric() || char == '_';
    let mut names = BTreeSet::new();
    for (at, _) in text.match_indices(path) {
        let rest = &text[at + path.len()..];
        let list = rest.strip_prefix('{').and_then(|rest| rest.split('}').next());
        let items = list.unwrap_or_else(|| rest.split(|char| !is_name(char)).next().unwrap_or_default());
        names.extend(items.split(',').filter_map(|item| item.trim().split(|char| !is_name(char)).next()));
    }
    names
}

#[test]
fn folders_of_shared_import_downwards_only() {
    let layers = layers();
    let folders = fs::read_dir(root().join("shared/src")).unwrap().map(|entry| entry.unwrap().path());
    let folders: BTreeSet<_> = folders
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(folders, layers.iter().cloned().collect(), "a folder of shared has no layer");
    for (at, folder) in layers.iter().enumerate() {
        let text: String = modules(folder).into_values().collect();
        let lower: BTreeSet<_> = layers[..=at].iter().map(String::as_str).collect();
        let upward: Vec<_> = names_after(&text, "crate::").difference(&lower).copied().collect();
        assert!(upward.is_empty(), "`{folder}` imports {upward:?}");
    }
}

/// The crates with ordered modules, and every folder in them, with the path of its modules.
fn places() -> Vec<(String, String)> {
    let mut places = Vec::new();
    for top in ["shared/src", "local/aws/src", "local/src"] {
        places.push((top.to_owned(), "crate::".to_owned()));
        for entry in fs::read_dir(root().join(top)).unwrap().map(|entry| entry.unwrap().path()) {
            let name = entry.file_name().unwrap().to_str().unwrap();
            if entry.is_dir() {
                places.push((format!("{top}/{name}"), format!("crate::{name}::")));
            }
        }
    }
    places
}

/// A folder's `mod.rs` only declares modules, so an import through it depends only on the named module.
#[test]
fn the_first_file_of_a_folder_only_declares() {
    for (place, _) in places() {
        let mut modules = modules_in(&place);
        for text in ["mod", "lib"].iter().filter_map(|first| modules.remove(*first)) {
            for word in ["fn", "struct", "enum", "impl", "trait", "const", "static"] {
                let defines = text
                    .lines()
                    .any(|line| line.split_whitespace().any(|token| token == word) && !line.starts_with("//"));
                assert!(!defines, "the first file of {place} has a `{word}`");
            }
        }
    }
}

#[test]
fn modules_have_no_cycles() {
    for (place, path) in places() {
        let mut modules = modules_in(&place);
        let facade = modules.remove("mod").or(modules.remove("lib")).unwrap_or_default();
        // The exports of the facade, each with its module.
        let exported: BTreeMap<&str, &str> = modules
            .keys()
            .flat_map(|module| {
                names_after(&facade, &format!("self::{module}::")).into_iter().map(|name| (name, module.as_str()))
            })
            .collect();
        let mut imports: BTreeMap<&str, BTreeSet<&str>> = modules
            .iter()
            .map(|(module, text)| {
                let mut names = names_after(text, &path);
                if path != "crate::" {
                    names.extend(names_after(text, "super::"));
                }
                let from = names.iter().map(|name| exported.get(name).copied().unwrap_or(name));
                let from = from.filter(|name| name != module && modules.contains_key(*name));
                (module.as_str(), from.collect())
            })
            .collect();
        // Modules without remaining imports are outside of any cycle.
        while let Some(free) = imports.iter().find(|(_, from)| from.is_empty()).map(|(module, _)| *module) {
            imports.remove(free);
            imports.values_mut().for_each(|from| {
                from.remove(free);
            });
        }
        assert!(imports.is_empty(), "a cycle in {place}: {imports:?}");
    }
}

/// The engine behind the tables can be replaced in one file.
#[test]
fn only_one_file_names_the_engine_of_the_tables() {
    let names = |file: &PathBuf| fs::read_to_string(file).unwrap().contains("dynoxide::");
    let naming: Vec<_> = files("local", ".rs").into_iter().filter(names).collect();
    assert_eq!(naming, [root().join("local/aws/src/dynamodb/engine.rs")]);
}

/// Rules are pure: they are free of AWS, HTTP, `async` and clocks.
#[test]
fn rules_touch_nothing_outside() {
    for folder in ["words", "config", "keys", "codes", "people", "sessions"] {
        for (module, text) in modules(folder) {
            for foreign in [
                "aws_sdk",
                "aws_smithy",
                "aws_types",
                "lambda_http",
                "async fn",
                ".await",
                "tokio::",
                "Clock::system()",
            ] {
                let found = text.contains(foreign) && !(module == "clock" && foreign == "Clock::system()");
                assert!(!found, "`{folder}::{module}` names `{foreign}`");
            }
        }
    }
    let imports = |folder: &str| modules(folder).into_values().collect::<String>();
    assert!(!imports("store").contains("crate::messages") && !imports("messages").contains("crate::store"));
}
