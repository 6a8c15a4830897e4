//! The structure of modules: layers, facades, and no cycles.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, ItemUse, Macro, UseTree};

use crate::workspace::{files, read, root};

/// The folders of `shared`, from the lowest layer to the highest.
fn layers() -> Vec<String> {
    let lib = read("shared/src/lib.rs");
    lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).map(str::to_owned).collect()
}

/// The names of modules from the crate's root, or of an item below them.
type Path = Vec<String>;

/// One source file without its tests.
struct Source {
    module: Path,
    is_facade: bool,
    /// The paths in it that lead to modules of its crate.
    uses: BTreeSet<Path>,
    /// Its exports from its child modules: the name, and the child.
    exports: BTreeMap<String, String>,
    defines: Vec<&'static str>,
}

/// Collects what a file uses.
struct Collector {
    module: Path,
    children: BTreeSet<String>,
    uses: BTreeSet<Path>,
    exports: BTreeMap<String, String>,
}

impl Collector {
    fn path(&mut self, names: &[String]) {
        let mut base = match names.first().map(String::as_str) {
            Some("crate") => Path::new(),
            Some("self" | "super") => self.module.clone(),
            Some(name) if self.children.contains(name) => self.module.clone(),
            _ => return,
        };
        let ups = names.iter().take_while(|name| *name == "super").count();
        base.truncate(base.len().saturating_sub(ups));
        base.extend(names.iter().skip_while(|name| ["crate", "self", "super"].contains(&name.as_str())).cloned());
        self.uses.insert(base);
    }

    fn tree(&mut self, before: &[String], tree: &UseTree) {
        match tree {
            UseTree::Path(path) => self.tree(&[before, &[path.ident.to_string()]].concat(), &path.tree),
            UseTree::Name(name) => self.path(&[before, &[name.ident.to_string()]].concat()),
            UseTree::Rename(name) => self.path(&[before, &[name.ident.to_string()]].concat()),
            UseTree::Glob(_) => self.path(before),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(before, tree)),
        }
    }
}

impl<'a> Visit<'a> for Collector {
    fn visit_item(&mut self, item: &'a Item) {
        if !attributes(item).iter().any(is_for_tests) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'a ItemMod) {
        let Some((_, items)) = &item.content else { return };
        self.module.push(item.ident.to_string());
        items.iter().for_each(|item| self.visit_item(item));
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'a ItemUse) {
        let before = std::mem::take(&mut self.uses);
        self.tree(&[], &item.tree);
        let below = self.module.len();
        let exported = self.uses.iter().filter(|path| path.starts_with(&self.module) && path.len() == below + 2);
        let exported = exported.map(|path| (path[below + 1].clone(), path[below].clone()));
        if !matches!(item.vis, syn::Visibility::Inherited) {
            self.exports.extend(exported);
        }
        self.uses.extend(before);
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        let names: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.path(&names);
        visit::visit_path(self, path);
    }

    /// Paths in a macro's arguments are tokens only.
    fn visit_macro(&mut self, invoked: &'a Macro) {
        let text = invoked.tokens.to_string().replace(" :: ", "::");
        for word in text.split(|char: char| !(char.is_alphanumeric() || char == '_' || char == ':')) {
            self.path(&word.split("::").map(str::to_owned).collect::<Vec<_>>());
        }
    }
}

fn is_for_tests(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// The kind of an item that a facade may not have.
fn defined(item: &Item) -> Option<&'static str> {
    match item {
        Item::Fn(_) => Some("fn"),
        Item::Struct(_) => Some("struct"),
        Item::Enum(_) => Some("enum"),
        Item::Impl(_) => Some("impl"),
        Item::Trait(_) => Some("trait"),
        Item::Const(_) => Some("const"),
        Item::Static(_) => Some("static"),
        _ => None,
    }
}

/// The sources of the crate at `top`, such as `shared/src`.
fn sources(top: &str) -> Vec<Source> {
    let mut all = Vec::new();
    for file in files(top, ".rs") {
        let path = file.strip_prefix(root().join(top)).unwrap().with_extension("");
        let mut module: Path = path.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
        if module.iter().any(|name| name == "tests") {
            continue;
        }
        let is_facade = module.pop_if(|last| ["lib", "mod", "main"].contains(&last.as_str())).is_some();
        let parsed = syn::parse_file(&fs::read_to_string(&file).unwrap()).unwrap();
        let items = parsed.items.iter().filter(|item| !attributes(item).iter().any(is_for_tests));
        let children = items.clone().filter_map(|item| match item {
            Item::Mod(item) => Some(item.ident.to_string()),
            _ => None,
        });
        let children = children.collect();
        let mut collector =
            Collector { module: module.clone(), children, uses: BTreeSet::new(), exports: BTreeMap::new() };
        collector.visit_file(&parsed);
        let Collector { uses, exports, .. } = collector;
        all.push(Source { module, is_facade, uses, exports, defines: items.filter_map(defined).collect() });
    }
    all
}

/// Which modules of a folder import which others of it.
fn imports<'a>(sources: &'a [Source], folder: &[String]) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let below = |path: &'a Path| path.strip_prefix(folder).and_then(|rest| rest.first()).map(String::as_str);
    let mut imports: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for source in sources {
        if let Some(module) = below(&source.module) {
            imports.entry(module).or_default();
        }
    }
    let children: BTreeSet<&str> = imports.keys().copied().collect();
    let facade = sources.iter().find(|source| source.module == folder);
    for source in sources {
        let Some(module) = below(&source.module) else { continue };
        for name in source.uses.iter().filter_map(below) {
            let child = children.get(name).copied();
            let child = child.or_else(|| facade?.exports.get(name).map(String::as_str));
            if let Some(child) = child.filter(|child| *child != module && children.contains(child)) {
                imports.entry(module).or_default().insert(child);
            }
        }
    }
    imports
}

/// The crates with ordered modules.
const CRATES: [&str; 3] = ["shared/src", "local/aws/src", "local/src"];

#[test]
fn folders_of_shared_import_downwards_only() {
    let layers = layers();
    let sources = sources("shared/src");
    let imports = imports(&sources, &[]);
    assert_eq!(
        imports.keys().copied().collect::<BTreeSet<_>>(),
        layers.iter().map(String::as_str).collect(),
        "a folder of shared has no layer"
    );
    let layer = |folder: &str| layers.iter().position(|layer| layer == folder);
    assert!(imports.values().map(BTreeSet::len).sum::<usize>() > 30, "{imports:?}");
    for (folder, imported) in imports {
        let upward: Vec<_> = imported.into_iter().filter(|name| layer(name) > layer(folder)).collect();
        assert!(upward.is_empty(), "`{folder}` imports {upward:?}");
    }
}

/// A folder's `mod.rs` only declares modules, so an import through it depends only on the named module.
#[test]
fn the_first_file_of_a_folder_only_declares() {
    for top in CRATES {
        for source in sources(top).iter().filter(|source| source.is_facade) {
            let is_main = top == "local/src" && source.module.is_empty();
            assert!(is_main || source.defines.is_empty(), "{top} {:?} has {:?}", source.module, source.defines);
        }
    }
}

#[test]
fn modules_have_no_cycles() {
    for top in CRATES {
        let sources = sources(top);
        let folders: BTreeSet<&[String]> =
            sources.iter().flat_map(|source| (0..source.module.len()).map(|length| &source.module[..length])).collect();
        for folder in folders {
            let mut imports = imports(&sources, folder);
            // Modules without remaining imports are outside of any cycle.
            while let Some(free) = imports.iter().find(|(_, from)| from.is_empty()).map(|(module, _)| *module) {
                imports.remove(free);
                imports.values_mut().for_each(|from| {
                    from.remove(free);
                });
            }
            assert!(imports.is_empty(), "a cycle in {top}, {folder:?}: {imports:?}");
        }
    }
}

/// The text of a folder's modules without their tests, by the module.
fn modules(folder: &str) -> BTreeMap<String, String> {
    let mut modules = BTreeMap::<String, String>::new();
    let top = root().join("shared/src").join(folder);
    for file in files(&format!("shared/src/{folder}"), ".rs") {
        let path = file.strip_prefix(&top).unwrap().with_extension("");
        let parts: Vec<_> = path.iter().map(|part| part.to_str().unwrap()).collect();
        if !parts.contains(&"tests") {
            let text = fs::read_to_string(&file).unwrap();
            let product = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
            modules.entry(parts[0].to_owned()).or_default().push_str(product);
        }
    }
    modules
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
    for folder in ["words", "config", "keys", "codes", "people", "sessions", "history"] {
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
