//! Prints figures and writes them into `docs/`.

use std::fs;

use tests::costs::Login;

const DOCUMENTS: [&str; 2] = [
    concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/benchmarks.md"),
    concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/security.md"),
];

/// Prints `text`. If `is_kept`, also puts it between the two lines that name `section`.
pub fn show(section: &str, text: &str, is_kept: bool) {
    println!("{text}");
    if !is_kept {
        return;
    }
    let (begin, end) = (format!("<!-- begin {section} -->\n"), format!("<!-- end {section} -->"));
    for path in DOCUMENTS {
        let document = fs::read_to_string(path).unwrap();
        let Some((before, rest)) = document.split_once(&begin) else { continue };
        let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("{path} does not end {section}"));
        return fs::write(path, format!("{before}{begin}\n{text}\n{end}{after}")).unwrap();
    }
    panic!("no document has a place for {section}");
}

/// Writes the units of a login, below the comment, into `docs/login.toml`.
pub fn keep_login(login: &Login) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/login.toml");
    let text = fs::read_to_string(path).unwrap();
    let comment: String =
        text.lines().take_while(|line| line.starts_with('#')).map(|line| format!("{line}\n")).collect();
    fs::write(path, comment + &toml::to_string(login).unwrap()).unwrap();
}
