//! The Rust source of all texts: the enum of languages, and a function for each text.

use std::fmt::Write;

use crate::file::{File, placeholders};

pub(crate) fn of(files: &[File]) -> String {
    let mut rust = String::new();
    // Writing to a text cannot fail.
    let _ = write_all(&mut rust, files);
    rust
}

fn write_all(rust: &mut String, files: &[File]) -> std::fmt::Result {
    let variants: Vec<_> = files.iter().map(|file| variant(&file.tag)).collect();
    writeln!(rust, "/// A language that messages are written in.")?;
    writeln!(rust, "#[derive(Clone, Copy, Debug, PartialEq, Eq)]")?;
    writeln!(rust, "pub enum Language {{")?;
    for (file, variant) in files.iter().zip(&variants) {
        writeln!(rust, "/// `{}`.\n{variant},", file.tag)?;
    }
    writeln!(rust, "}}\nimpl Language {{")?;
    let all: Vec<_> = variants.iter().map(|variant| format!("Language::{variant}")).collect();
    writeln!(rust, "/// All languages.\npub const ALL: [Language; {}] = [{}];", all.len(), all.join(", "))?;
    let arms = |of: fn(&File) -> String| {
        let arms =
            files.iter().zip(&variants).map(move |(file, variant)| format!("Language::{variant} => {},", of(file)));
        arms.collect::<Vec<_>>().join("\n")
    };
    writeln!(
        rust,
        "/// Its tag (BCP 47).\npub const fn tag(self) -> &'static str {{ match self {{ {} }} }}",
        arms(|file| format!("{:?}", file.tag))
    )?;
    let also = arms(|file| format!("&{:?}", file.also));
    writeln!(
        rust,
        "/// Other tags whose readers get it.\npub(super) const fn also(self) -> &'static [&'static str] {{ match self {{ {also} }} }}"
    )?;
    let except = arms(|file| format!("&{:?}", file.except));
    writeln!(
        rust,
        "/// Longer tags whose readers do not get it.\npub(super) const fn except(self) -> &'static [&'static str] {{ match self {{ {except} }} }}"
    )?;
    let is_rtl = arms(|file| file.is_rtl.to_string());
    writeln!(
        rust,
        "/// Whether it is written from right to left.\npub const fn is_rtl(self) -> bool {{ match self {{ {is_rtl} }} }}\n}}"
    )?;
    let Some(model) = files.first() else { return Ok(()) };
    for (table, texts) in &model.tables {
        let has_values = texts.values().any(|text| text.contains('{'));
        let filled = if has_values { "use super::filled;" } else { "" };
        writeln!(rust, "/// The texts of the table `{table}`.\npub mod {table} {{\nuse super::Language;{filled}")?;
        for key in texts.keys() {
            let names = placeholders(model.text(table, key)).unwrap_or_default();
            let arms = files
                .iter()
                .zip(&variants)
                .map(|(file, variant)| format!("Language::{variant} => {:?},", file.text(table, key)));
            let chosen = format!("match language {{ {} }}", arms.collect::<Vec<_>>().join("\n"));
            if names.is_empty() {
                writeln!(rust, "/// `{key}`.\npub const fn {key}(language: Language) -> &'static str {{ {chosen} }}")?;
                continue;
            }
            let arguments: String = names.iter().map(|name| format!(", {name}: &str")).collect();
            let values: Vec<_> = names.iter().map(|name| format!("({name:?}, {name})")).collect();
            writeln!(
                rust,
                "/// `{key}`.\npub fn {key}(language: Language{arguments}) -> String {{ filled({chosen}, &[{}]) }}",
                values.join(", ")
            )?;
        }
        writeln!(rust, "}}")?;
    }
    Ok(())
}

/// `PtBr` for `pt-BR`.
fn variant(tag: &str) -> String {
    let capital = |subtag: &str| {
        let (first, rest) = subtag.split_at(1);
        format!("{}{}", first.to_ascii_uppercase(), rest.to_ascii_lowercase())
    };
    tag.split('-').map(capital).collect()
}
