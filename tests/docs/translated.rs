//! A translation says the same: its headings have the levels of the original's, and its
//! code is the original's, but for what is said in comments and in pictures.

use crate::documents;
use crate::markdown::{Block, Document};
use std::path::PathBuf;

#[test]
fn translations_are_in_step() {
    let translations: Vec<_> = documents().into_iter().filter(Document::is_translation).collect();
    assert!(!translations.is_empty());
    for translation in translations {
        let path = translation.path.display().to_string();
        let original = Document::read(&PathBuf::from(path.replace(".zh-CN.md", ".md")));
        let levels = |document: &Document| document.headings.iter().map(|heading| heading.level).collect::<Vec<_>>();
        assert_eq!(levels(&translation), levels(&original), "the headings of {path}");
        for (there, here) in original.blocks.iter().zip(&translation.blocks) {
            assert_eq!((&here.info, code(here)), (&there.info, code(there)), "{path}:{}", here.line);
        }
        assert_eq!(translation.blocks.len(), original.blocks.len(), "the blocks of {path}");
    }
}

fn code(block: &Block) -> String {
    if block.text.contains('│') {
        return "a picture".to_owned();
    }
    let comment = match block.info.split(',').next().unwrap() {
        "sh" | "python" => "# ",
        "rust" => "// ",
        _ => return block.text.clone(),
    };
    let without = |line: &str| line.find(comment).map_or(line, |at| &line[..at]).trim_end().to_owned() + "\n";
    block.text.lines().map(without).collect()
}
