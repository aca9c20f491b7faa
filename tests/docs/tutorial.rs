//! The tutorial's programs, docs/hand-over: built, and quoted as they are. The C page's loop is, too.

use crate::{document, root};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

const NAMES: [&str; 2] = ["reader", "writer"];

static PROGRAMS: LazyLock<[PathBuf; 2]> = LazyLock::new(|| {
    // Beside what this test was built with: most of what they need is there.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--package", "hand-over", "--target-dir"]).arg(target).current_dir(root());
    let built = build.output().unwrap();
    assert!(built.status.success(), "{build:?}: {}", String::from_utf8_lossy(&built.stderr));
    NAMES.map(|name| target.join("debug").join(name))
});

pub(crate) fn programs() -> impl Iterator<Item = &'static Path> {
    PROGRAMS.iter().map(PathBuf::as_path)
}

#[test]
fn the_c_page_quotes_its_loop() {
    let source = std::fs::read_to_string(root().join("examples/c/loop.c")).unwrap();
    for path in ["docs/c.md", "docs/c.zh-CN.md"] {
        let document = document(path);
        let quoted = document.blocks.iter().filter(|block| block.info == "c" && block.text.contains("int main("));
        assert_eq!(quoted.map(|block| &block.text).collect::<Vec<_>>(), [&source], "{path}");
    }
}

#[test]
fn the_tutorial_quotes_its_programs() {
    for path in ["docs/tutorial.md", "docs/tutorial.zh-CN.md"] {
        let document = document(path);
        let quoted: Vec<_> =
            document.blocks.iter().filter(|block| block.info == "rust").map(|block| &block.text).collect();
        let sources = NAMES.map(|name| root().join(format!("docs/hand-over/src/bin/{name}.rs")));
        let sources = sources.map(|source| std::fs::read_to_string(source).unwrap());
        assert_eq!(quoted, sources.iter().collect::<Vec<_>>(), "{path}");
    }
}
