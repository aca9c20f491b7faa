//! Tables in Markdown, a line at a time.

/// The heading of a table, with the line below it; `numbers` columns begin behind the first `words`.
pub(crate) fn head(names: &[&str], words: usize, numbers: usize) -> String {
    let is_number = |at: usize| (words..words + numbers).contains(&at);
    let rules: Vec<_> = (0..names.len()).map(|at| if is_number(at) { "---:" } else { "---" }).collect();
    row(names) + &row(&rules)
}

/// One row.
pub(crate) fn row(cells: &[impl AsRef<str>]) -> String {
    let mut line = "|".to_owned();
    for cell in cells {
        if !cell.as_ref().is_empty() {
            line = line + " " + cell.as_ref();
        }
        line += " |";
    }
    line + "\n"
}
