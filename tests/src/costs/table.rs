//! Tables for `docs/`.

/// A Markdown table. The first column contains names, the others figures.
pub struct Table(String);

impl Table {
    pub fn new<T: AsRef<str>>(columns: &[T]) -> Table {
        let mut table = Table(String::new());
        table.row(columns);
        let figures = vec!["---:"; columns.len() - 1].join(" | ");
        table.0.push_str(&format!("| --- | {figures} |\n"));
        table
    }

    pub fn row<T: AsRef<str>>(&mut self, cells: &[T]) {
        let cells: Vec<&str> = cells.iter().map(AsRef::as_ref).collect();
        self.0.push_str(&format!("| {} |\n", cells.join(" | ")));
    }

    pub fn text(self) -> String {
        self.0
    }
}
