//! No paragraph of the README is over four lines: details are on the pages behind it.

use crate::root;
use std::fs;

/// A line of the page, in columns.
const WIDTH: usize = 120;
const LINES: usize = 4;

#[test]
fn no_paragraph_of_the_readme_is_over_four_lines() {
    for name in ["README.md", "README.zh-CN.md"] {
        let source = fs::read_to_string(root().join(name)).unwrap();
        let paragraphs = paragraphs(&source);
        assert!(paragraphs.len() > 20, "{name} has only {} paragraphs", paragraphs.len());
        for (line, text) in paragraphs {
            let lines = columns(&shown(&text)).div_ceil(WIDTH);
            assert!(lines <= LINES, "{name}:{line}: this paragraph takes {lines} lines: {text}");
        }
    }
}

/// Each with its first line; an item of a list is one, and code and tables are none.
fn paragraphs(source: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let (mut code, mut open) = (false, false);
    for (number, line) in source.lines().enumerate() {
        let fence = line.starts_with("```");
        code ^= fence;
        if code || fence || line.trim().is_empty() || line.starts_with(['|', '#']) {
            open = false;
            continue;
        }
        match found.last_mut().filter(|_| open && !line.starts_with("* ")) {
            Some((_, text)) => *text = format!("{text} {}", line.trim()),
            None => found.push((number + 1, line.to_owned())),
        }
        open = true;
    }
    found
}

/// Without the targets of links, which a page does not show.
fn shown(text: &str) -> String {
    let mut pieces = text.split("](");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |shown, piece| shown + piece.split_once(')').map_or(piece, |(_, behind)| behind))
}

/// A Chinese character takes two.
fn columns(text: &str) -> usize {
    text.chars().map(|c| if c >= '\u{2e80}' { 2 } else { 1 }).sum()
}

#[test]
fn a_long_paragraph_is_found() {
    let long = "word ".repeat(100);
    let [(1, text), (4, item)] = &paragraphs(&format!("{long}\n\n# Heading\n* item\n```\n{long}\n```\n"))[..] else {
        panic!("two paragraphs are there");
    };
    assert!(columns(text).div_ceil(WIDTH) > LINES);
    assert_eq!((shown("a [b](c) d"), columns("内存"), &item[..]), ("a [b d".to_owned(), 4, "* item"));
}
