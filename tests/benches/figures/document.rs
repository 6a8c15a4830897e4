//! Prints figures and writes them into `docs/`.

use std::fs;

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
