//! `docs/migration.md` names only existing settings and quotes the real error texts.

use std::collections::BTreeSet;

use shared::words::Error;

use crate::environment::settings;
use crate::workspace::read;

const DOCUMENT: &str = "docs/migration.md";

/// Names of settings between backticks, up to an `=`.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let spans = text.split('`').skip(1).step_by(2);
    let names = spans.map(|span| span.split('=').next().unwrap_or_default());
    names.filter(|name| {
        name.contains('_')
            && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    })
}

/// The cells of a table's row.
fn cells(line: &str) -> Option<Vec<&str>> {
    let row = line.strip_prefix("| ")?.trim_end().strip_suffix('|')?;
    Some(row.split(" | ").map(str::trim).collect())
}

#[test]
fn every_setting_it_names_exists() {
    let document = read(DOCUMENT);
    let ours: BTreeSet<String> = settings().into_keys().collect();
    let rows: Vec<_> = document.lines().filter_map(cells).collect();
    let theirs: BTreeSet<_> = rows.iter().filter_map(|row| row.first()).flat_map(|cell| names(cell)).collect();
    let mut named = 0;
    for name in rows.iter().flat_map(|row| row.iter().skip(1)).flat_map(|cell| names(cell)) {
        named += 1;
        assert!(ours.contains(name), "{DOCUMENT} maps to the unknown setting {name}");
    }
    assert!(named > 50, "{DOCUMENT} has lost its tables");
    // Code blocks are excluded, because they show files of other projects.
    for line in document.split("```").step_by(2).flat_map(str::lines).filter(|line| cells(line).is_none()) {
        for name in names(line) {
            let is_known = ours.contains(name) || theirs.contains(name) || name == "SECRET_KEY";
            assert!(is_known, "{DOCUMENT} names the unknown setting {name}");
        }
    }
}

/// Readers look for these keys, including those without a counterpart.
#[test]
fn every_key_of_simple_jwt_has_its_row() {
    let document = read(DOCUMENT);
    for key in [
        "ACCESS_TOKEN_LIFETIME",
        "REFRESH_TOKEN_LIFETIME",
        "ROTATE_REFRESH_TOKENS",
        "BLACKLIST_AFTER_ROTATION",
        "UPDATE_LAST_LOGIN",
        "ALGORITHM",
        "SIGNING_KEY",
        "VERIFYING_KEY",
        "AUDIENCE",
        "ISSUER",
        "JWK_URL",
        "LEEWAY",
        "AUTH_HEADER_TYPES",
        "AUTH_HEADER_NAME",
        "USER_ID_FIELD",
        "USER_ID_CLAIM",
        "TOKEN_TYPE_CLAIM",
        "JTI_CLAIM",
        "SLIDING_TOKEN_LIFETIME",
        "SLIDING_TOKEN_REFRESH_LIFETIME",
        "SLIDING_TOKEN_REFRESH_EXP_CLAIM",
    ] {
        assert!(document.contains(&format!("\n| `{key}` | ")), "{DOCUMENT} has no row for {key}");
    }
}

#[test]
fn the_quoted_error_texts_exist() {
    let document = read(DOCUMENT);
    let (_, troubles) = document.split_once("\n## Troubleshooting\n").unwrap();
    let retry_after = std::time::Duration::ZERO;
    let answers = [Error::InvalidOtp, Error::InvalidToken, Error::RateLimited { retry_after }].map(|it| it.to_string());
    let binding = read("functions/verify-otp/src/wire.rs");
    let refusals = settings().into_iter().map(|(name, expected)| format!("{name}: expected {expected}"));
    let known: BTreeSet<_> = refusals.chain(answers).collect();
    let quoted = troubles.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`')).map(|(text, _)| text);
    let quoted: Vec<_> = quoted.collect();
    assert!(quoted.len() >= 10, "{quoted:?}");
    for text in quoted {
        assert!(known.contains(text) || binding.contains(&format!("\"{text}\"")), "nothing says: {text}");
    }
}
