//! Tables as lsipc(1) prints them: columns that can be chosen, with or without headings.

use super::exit::{Exit, Failure};
use super::stdio::HEADING;
use clap::Args;

/// How to print a table.
#[derive(Debug, Args)]
pub(super) struct Choice {
    /// Columns to print, in this order, separated by commas [default: all]
    #[arg(short, long, value_name = "COLUMNS", value_delimiter = ',')]
    output: Vec<String>,

    /// Print no line of headings
    #[arg(long, alias = "noheadings")]
    no_headings: bool,

    /// Print JSON, with all columns
    #[arg(long, conflicts_with_all = ["output", "no_headings"])]
    pub(super) json: bool,
}

impl Choice {
    pub(super) fn has_headings(&self) -> bool {
        !self.no_headings
    }
}

/// A column: its heading, whether it holds numbers, and what it says of a row.
pub(super) struct Column<R> {
    pub(super) name: &'static str,
    pub(super) right: bool,
    pub(super) of: fn(&R) -> String,
}

/// The headings.
pub(super) fn names<R>(columns: &[Column<R>]) -> Vec<&'static str> {
    columns.iter().map(|column| column.name).collect()
}

/// The rows, as chosen.
pub(super) fn table<R>(columns: &[Column<R>], rows: &[R], choice: &Choice) -> Result<String, Failure> {
    let chosen = choose(columns, &choice.output)?;
    let mut lines: Vec<Vec<String>> = Vec::new();
    if !choice.no_headings {
        lines.push(chosen.iter().map(|column| column.name.to_owned()).collect());
    }
    // A cell is never empty, so that a script can split at blanks; the last may have some.
    let cell = |text: String| if text.is_empty() { "-".to_owned() } else { text };
    lines.extend(rows.iter().map(|row| chosen.iter().map(|column| cell((column.of)(row))).collect()));
    let width = |at: usize| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..chosen.len()).map(width).collect();
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        let mut out = String::new();
        for (at, cell) in line.iter().enumerate() {
            let pad = " ".repeat(widths[at] - cell.chars().count());
            out += &if chosen[at].right { pad + cell } else { cell.clone() + &pad };
            out.push(' ');
        }
        let out = out.trim_end();
        let is_heading = number == 0 && !choice.no_headings;
        let line = if is_heading { format!("{HEADING}{out}{HEADING:#}") } else { out.to_owned() };
        text.push_str(&line);
        text.push('\n');
    }
    Ok(text)
}

fn choose<'c, R>(columns: &'c [Column<R>], names: &[String]) -> Result<Vec<&'c Column<R>>, Failure> {
    if names.is_empty() {
        return Ok(columns.iter().collect());
    }
    let find = |name: &String| {
        columns.iter().find(|column| column.name.eq_ignore_ascii_case(name)).ok_or_else(|| {
            let known: Vec<_> = columns.iter().map(|column| column.name).collect();
            Failure::new(Exit::Usage, format!("there is no column {name:?}"))
                .hint(format!("known: {}", known.join(",")))
        })
    };
    names.iter().map(find).collect()
}

/// What to do where a table of all segments can't be had.
pub(super) const WITHOUT_PROC: &str = "mount /proc, or look at one key: shm-handoff stat KEY";

/// With a comma after every third digit.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::exit::Hint;

    const COLUMNS: &[Column<(&str, u32)>] = &[
        Column { name: "NAME", right: false, of: |row| row.0.to_owned() },
        Column { name: "COUNT", right: true, of: |row| row.1.to_string() },
    ];

    fn of(output: &[&str], no_headings: bool) -> Result<String, Failure> {
        let output = output.iter().map(|name| (*name).to_owned()).collect();
        table(COLUMNS, &[("a", 7), ("", 1234)], &Choice { output, no_headings, json: false })
    }

    #[test]
    fn columns_are_as_wide_as_what_is_in_them_and_in_the_order_asked_for() {
        assert_eq!(of(&[], true).unwrap(), "a    7\n- 1234\n");
        assert_eq!(of(&["count", "name"], true).unwrap(), "   7 a\n1234 -\n");
        let heading = format!("{HEADING}NAME COUNT{HEADING:#}\n");
        assert_eq!(of(&[], false).unwrap(), heading + "a        7\n-     1234\n");
    }

    #[test]
    fn a_column_that_is_not_there_is_a_matter_of_usage() {
        let failure = of(&["size"], false).unwrap_err();
        assert_eq!((failure.exit, failure.hint), (Exit::Usage, Some(Hint::Words("known: NAME,COUNT".to_owned()))));
    }

    #[test]
    fn numbers_are_grouped() {
        let grouped = [0, 7, 999, 1_000, 12_345, 1_234_567].map(grouped);
        assert_eq!(grouped, ["0", "7", "999", "1,000", "12,345", "1,234,567"]);
    }
}
