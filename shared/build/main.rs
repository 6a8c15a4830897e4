//! Turns `messages/*.toml` into Rust, and checks these files. The build stops at the first mistake and names it.

#[expect(unreachable_pub, reason = "the crate exports its items")]
#[path = "../src/messages/alphabet.rs"]
mod alphabet;
mod file;
mod rules;
mod rust;

use std::path::Path;
use std::{env, fs};

use file::File;

const FOLDER: &str = "messages";

fn main() {
    println!("cargo:rerun-if-changed={FOLDER}");
    println!("cargo:rerun-if-changed=build");
    println!("cargo:rerun-if-changed=src/messages/alphabet.rs");
    if let Err(problem) = write() {
        println!("cargo::error={problem}");
        std::process::exit(1);
    }
}

fn write() -> Result<(), String> {
    let mut files = Vec::new();
    for entry in fs::read_dir(FOLDER).map_err(|error| format!("shared/{FOLDER}: {error}"))? {
        let path = entry.map_err(|error| error.to_string())?.path();
        let told = |problem: String| format!("shared/{}: {problem}", path.display());
        let text = fs::read_to_string(&path).map_err(|error| told(error.to_string()))?;
        let tag = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        files.push(File::parse(tag.to_owned(), &text).map_err(told)?);
    }
    files.sort_by(|one, other| one.tag.cmp(&other.tag));
    rules::check(&files)?;
    let folder = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?;
    fs::write(Path::new(&folder).join("texts.rs"), rust::of(&files)).map_err(|error| error.to_string())
}
