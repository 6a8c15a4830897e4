//! The rules for texts.

use std::collections::BTreeSet;

use crate::alphabet::{LONGEST_CODE, LONGEST_HOST, LONGEST_PRODUCT, SmsLength};
use crate::file::{File, placeholders};

/// The longest lives of a code.
const LONGEST_MINUTES: &str = "10";
const LONGEST_SECONDS: &str = "599";

/// The language that all others are compared with.
const MODEL: &str = "en";

pub(crate) fn check(files: &[File]) -> Result<(), String> {
    let model = files.iter().find(|file| file.tag == MODEL);
    let model = model.ok_or_else(|| format!("shared/messages/{MODEL}.toml is missing"))?;
    let mut tags = BTreeSet::new();
    for file in files {
        for tag in std::iter::once(&file.tag).chain(&file.also) {
            if !is_tag(tag) || !tags.insert(tag.to_ascii_lowercase()) {
                return Err(told(file, &format!("{tag} is not a language tag, or another language has it too")));
            }
        }
        if let Some(wrong) = file.except.iter().find(|tag| !is_tag(tag)) {
            return Err(told(file, &format!("{wrong} in `except` is not a language tag")));
        }
        keys(file, model).and_then(|()| direction(file)).and_then(|()| sms(file)).map_err(|text| told(file, &text))?;
    }
    Ok(())
}

fn told(file: &File, problem: &str) -> String {
    format!("shared/messages/{}.toml: {problem}", file.tag)
}

fn is_tag(tag: &str) -> bool {
    let mut subtags = tag.split('-');
    subtags.next().is_some_and(|first| (2..=3).contains(&first.len()))
        && tag
            .split('-')
            .all(|subtag| (1..=8).contains(&subtag.len()) && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Each language has the keys of the model, and each text its placeholders.
fn keys(file: &File, model: &File) -> Result<(), String> {
    for (table, texts) in &file.tables {
        for (key, text) in texts {
            let here = format!("[{table}] {key}");
            let asked = model.tables.get(table).and_then(|texts| texts.get(key));
            let asked = asked.ok_or_else(|| format!("{here} is unknown. {MODEL}.toml has all keys"))?;
            if text.trim() != text
                || text.is_empty()
                || text.chars().any(|char| char.is_control() || "<>".contains(char))
            {
                return Err(format!("{here} must be one line of plain text without spaces at its ends"));
            }
            let found = placeholders(text).ok_or_else(|| format!("{here} has a brace without a placeholder"))?;
            let asked = placeholders(asked).unwrap_or_default();
            if found != asked {
                return Err(format!("{here} must have exactly the placeholders {asked:?}, but has {found:?}"));
            }
        }
    }
    for (table, texts) in &model.tables {
        let has = |key: &String| file.tables.get(table).is_some_and(|texts| texts.contains_key(key));
        if let Some(missing) = texts.keys().find(|key| !has(key)) {
            return Err(format!("[{table}] {missing} is missing"));
        }
    }
    Ok(())
}

/// A language has letters of its direction.
fn direction(file: &File) -> Result<(), String> {
    let heading = file.text("mail", "heading");
    // The blocks of Hebrew, Arabic and their neighbours.
    let has_rtl = heading.chars().any(|char| ('\u{590}'..='\u{8ff}').contains(&char));
    if has_rtl == file.is_rtl { Ok(()) } else { Err("`direction` is not the direction of its letters".to_owned()) }
}

/// The SMS has at most its parts for every product, host and life, and phones recognize it.
fn sms(file: &File) -> Result<(), String> {
    for table in ["sms", "confirm"] {
        sms_text(file, table).map_err(|problem| format!("[{table}] text {problem}"))?;
    }
    Ok(())
}

fn sms_text(file: &File, table: &str) -> Result<(), String> {
    let text = file.text(table, "text");
    let fixed = ["{code}", "{product}", "{life}"].iter().fold(text.to_owned(), |text, name| text.replace(name, ""));
    let word = &file.phone_word;
    if word.is_empty() || !fixed.to_lowercase().contains(&word.to_lowercase()) {
        return Err(format!("must contain {word:?}, by which phones recognize a code"));
    }
    if fixed.contains(['@', '#']) {
        return Err("must not contain @ or #, because browsers read them in the last line".to_owned());
    }
    let life = |key: &str, longest: &str| file.text("life", key).replace("{number}", longest);
    for life in [life("minutes", LONGEST_MINUTES), life("seconds", LONGEST_SECONDS)] {
        let (code, product, host) = ("2".repeat(LONGEST_CODE), "p".repeat(LONGEST_PRODUCT), "h".repeat(LONGEST_HOST));
        let text = text.replace("{code}", &code).replace("{product}", &product).replace("{life}", &life);
        let SmsLength { characters, encoding, parts } = SmsLength::of(&format!("{text}\n\n@{host} #{code}"));
        if parts > file.parts {
            return Err(format!(
                "may take {characters} characters of {} with the longest product and host, and so {parts} parts. \
                 Shorten it, or change `parts`",
                encoding.name()
            ));
        }
    }
    Ok(())
}
