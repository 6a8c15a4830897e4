//! The rules for texts.

use std::collections::BTreeSet;

use crate::file::{File, placeholders};
use crate::sms_size::{LONGEST_CODE, LONGEST_HOST, LONGEST_PRODUCT, is_gsm7, room};

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
    let text = file.text("sms", "text");
    let fixed = ["{code}", "{product}", "{life}"].iter().fold(text.to_owned(), |text, name| text.replace(name, ""));
    let word = &file.phone_word;
    if word.is_empty() || !fixed.to_lowercase().contains(&word.to_lowercase()) {
        return Err(format!("[sms] text must contain {word:?}, by which phones recognize a code"));
    }
    if fixed.contains(['@', '#']) {
        return Err("[sms] text must not contain @ or #, because browsers read them in the last line".to_owned());
    }
    let lives = ["minutes", "seconds"].map(|key| file.text("life", key));
    let is_narrow =
        is_gsm7(&text.replace(['{', '}'], "")) && lives.iter().all(|life| is_gsm7(&life.replace(['{', '}'], "")));
    let life = |text: &str, longest: &str| text.replace("{number}", longest).chars().count();
    let [minutes, seconds] = lives;
    let life = life(minutes, LONGEST_MINUTES).max(life(seconds, LONGEST_SECONDS));
    // An empty line, `@host #code`.
    let last_line = "\n\n@ #".len() + LONGEST_HOST + LONGEST_CODE;
    let length = fixed.chars().count() + LONGEST_CODE + LONGEST_PRODUCT + life + last_line;
    let most = room(file.parts, is_narrow);
    if length <= most {
        return Ok(());
    }
    let alphabet =
        if is_narrow { "the GSM 7-bit alphabet" } else { "UCS-2, because of letters outside the GSM 7-bit alphabet" };
    Err(format!(
        "[sms] text may take {length} characters with the longest product and host, but {} part(s) hold {most} in {alphabet}. \
         Shorten it, or allow two parts with `parts`",
        file.parts
    ))
}
