//! A file of `messages`: one language.

use std::collections::BTreeMap;

/// The texts of a table, by their keys.
pub(crate) type Texts = BTreeMap<String, String>;

/// The texts of one language.
pub(crate) struct File {
    /// The language's tag (BCP 47), which is also the file's name.
    pub(crate) tag: String,
    /// Whether the language is written from right to left.
    pub(crate) is_rtl: bool,
    /// Other tags whose readers get this language.
    pub(crate) also: Vec<String>,
    /// Longer tags whose readers do not get it.
    pub(crate) except: Vec<String>,
    /// The most parts of its SMS.
    pub(crate) parts: usize,
    /// The word by which phones recognize a code.
    pub(crate) phone_word: String,
    /// All texts, by table.
    pub(crate) tables: BTreeMap<String, Texts>,
}

impl File {
    pub(crate) fn parse(tag: String, text: &str) -> Result<File, String> {
        let mut file: toml::Table = text.parse().map_err(|error: toml::de::Error| error.message().to_owned())?;
        let mut take = |name: &str| file.remove(name).ok_or_else(|| format!("`{name}` is missing"));
        let name = take("name")?;
        name.as_str().filter(|name| !name.is_empty()).ok_or("`name` must be the language's own name for itself")?;
        let is_rtl = match take("direction")?.as_str() {
            Some("ltr") => false,
            Some("rtl") => true,
            _ => return Err("`direction` must be \"ltr\" or \"rtl\"".to_owned()),
        };
        let also = list(&take("also")?).ok_or("`also` must be a list of language tags")?;
        let except = list(&take("except")?).ok_or("`except` must be a list of language tags")?;
        let unreviewed = list(&take("unreviewed")?).ok_or("`unreviewed` must be a list of table names")?;
        let sms = file.get_mut("sms").and_then(toml::Value::as_table_mut).ok_or("the table [sms] is missing")?;
        let parts = sms.remove("parts").and_then(|parts| parts.as_integer());
        let parts = parts.and_then(|parts| usize::try_from(parts).ok()).filter(|parts| (1..=2).contains(parts));
        let parts = parts.ok_or("[sms] `parts` must be 1 or 2")?;
        let phone_word = sms.remove("phone_word").and_then(|word| word.as_str().map(str::to_owned));
        let phone_word = phone_word.ok_or("[sms] `phone_word` must be the word by which phones recognize a code")?;
        let mut tables = BTreeMap::new();
        for (table, texts) in file {
            let texts = texts.try_into::<Texts>().map_err(|_| format!("[{table}] must have texts only"))?;
            tables.insert(table, texts);
        }
        if let Some(unknown) = unreviewed.iter().find(|table| !tables.contains_key(*table)) {
            return Err(format!("`unreviewed` names the table {unknown}, which does not exist"));
        }
        Ok(File { tag, is_rtl, also, except, parts, phone_word, tables })
    }

    /// The text of `key` in `table`, empty if it is missing.
    pub(crate) fn text(&self, table: &str, key: &str) -> &str {
        self.tables.get(table).and_then(|texts| texts.get(key)).map_or("", String::as_str)
    }
}

fn list(value: &toml::Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

/// The placeholders of a text, such as `code` for `{code}`, sorted. `None` if a brace has no partner.
pub(crate) fn placeholders(text: &str) -> Option<Vec<&str>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase());
        if before.contains('}') || !is_name {
            return None;
        }
        found.push(name);
        rest = after;
    }
    found.sort_unstable();
    found.dedup();
    (!rest.contains('}')).then_some(found)
}
