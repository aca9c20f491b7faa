//! A document taken apart: its blocks of code, headings, links, and code within lines.

use crate::{not_run, root};
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use std::path::{Path, PathBuf};

pub(crate) struct Document {
    /// From the project's root.
    pub(crate) path: PathBuf,
    pub(crate) blocks: Vec<Block>,
    pub(crate) headings: Vec<Heading>,
    /// Where links and pictures lead, with their lines.
    pub(crate) links: Vec<(usize, String)>,
    /// Code within lines, with their lines.
    pub(crate) spans: Vec<(usize, String)>,
}

pub(crate) struct Block {
    pub(crate) line: usize,
    /// What stands behind the fence.
    pub(crate) info: String,
    pub(crate) text: String,
    /// Nothing stands between it and the block before.
    pub(crate) follows: bool,
}

pub(crate) struct Heading {
    pub(crate) level: u8,
    pub(crate) text: String,
}

impl Document {
    pub(crate) fn read(path: &Path) -> Self {
        let source = std::fs::read_to_string(root().join(path)).unwrap();
        let mut document =
            Self { path: path.to_owned(), blocks: vec![], headings: vec![], links: vec![], spans: vec![] };
        let (mut code, mut heading, mut behind_block) = (None, None, false);
        for (event, range) in Parser::new_ext(&source, Options::ENABLE_TABLES).into_offset_iter() {
            let line = source[..range.start].matches('\n').count() + 1;
            let text = match &event {
                Event::Text(text) | Event::Code(text) => &**text,
                _ => "",
            };
            let pieces = code.as_mut().map(|block: &mut Block| &mut block.text);
            if let Some(piece) = pieces.or(heading.as_mut().map(|heading: &mut Heading| &mut heading.text)) {
                piece.push_str(text);
            }
            match &event {
                Event::Start(Tag::CodeBlock(kind)) => {
                    let info = match kind {
                        CodeBlockKind::Fenced(info) => info.to_string(),
                        CodeBlockKind::Indented => String::new(),
                    };
                    code = Some(Block { line, info, text: String::new(), follows: behind_block });
                }
                Event::End(TagEnd::CodeBlock) => document.blocks.extend(code.take()),
                Event::Start(Tag::Heading { level, .. }) => {
                    heading = Some(Heading { level: *level as u8, text: String::new() });
                }
                Event::End(TagEnd::Heading(_)) => document.headings.extend(heading.take()),
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    document.links.push((line, dest_url.to_string()));
                }
                Event::Code(text) => document.spans.push((line, text.to_string())),
                _ => {}
            }
            behind_block = matches!(event, Event::End(TagEnd::CodeBlock));
        }
        document
    }

    /// `README.zh-CN.md`, beside its original `README.md`.
    pub(crate) fn is_translation(&self) -> bool {
        self.path.to_str().unwrap().ends_with(".zh-CN.md")
    }
}

impl Block {
    pub(crate) fn is_shell(&self) -> bool {
        self.info == "sh"
    }

    /// What the block before prints; but for numbers and blanks, if this is only like it.
    pub(crate) fn is_output(&self) -> bool {
        self.follows && (self.info == "text" || self.is_alike())
    }

    pub(crate) fn is_alike(&self) -> bool {
        self.info == "text,like"
    }

    /// The lines that are run.
    pub(crate) fn commands(&self) -> String {
        self.text.lines().filter(|line| not_run(line).is_none()).map(|line| line.to_owned() + "\n").collect()
    }

    pub(crate) fn has_commands(&self) -> bool {
        self.commands().lines().any(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
    }
}
