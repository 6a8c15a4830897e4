//! Turns `messages/*.toml` into Rust, and checks these files. The build stops at the first mistake and names it.

mod file;
mod rules;
mod rust;
#[expect(unreachable_pub, reason = "the crate exports its items")]
#[path = "../src/messages/sms_size.rs"]
mod sms_size;

use std::path::Path;
use std::{env, fs};

use file::File;

const FOLDER: &str = "messages";

fn main() {
    println!("cargo:rerun-if-changed={FOLDER}");
    println!("cargo:rerun-if-changed=build");
    if let Err(problem) = write() {
        println!("cargo::error={problem}");
        std::process::exit(1);
    }
}

fn write() -> Result<(), String> {
    let mut files = Vec::new();
    for entry in fs::read_dir(FOLDER).map_err(|error| format!("shared/{FOLDER}: {error}"))? {
        let path = entry.map_err(|error| error.to_string())?.path();
        files.push(File::read(&path)?);
    }
    files.sort_by(|one, other| one.tag.cmp(&other.tag));
    rules::check(&files)?;
    let folder = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?;
    fs::write(Path::new(&folder).join("texts.rs"), rust::of(&files)).map_err(|error| error.to_string())
}
