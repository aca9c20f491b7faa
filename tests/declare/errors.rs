//! What declares no layout: the message, the place that it points at, and what to do.

use shm_handoff::declare::{Declared, HeaderFile};

/// Behind an empty line a SPEC, on one line; then all that is said of it.
const ERRORS: &str = include_str!("errors.txt");

/// `UPDATE_ERRORS=1` writes the file anew.
#[test]
fn each_error_points_at_its_place() {
    let blocks = ERRORS.trim_end().split("\n\n");
    let said = blocks.map(|block| {
        let (line, _) = block.split_once('\n').unwrap_or((block, ""));
        let spec = line.replace("\\n", "\n").replace("\\t", "\t");
        let error = spec.parse::<Declared>().expect_err(line);
        assert!(!error.to_string().contains('\x1b') && !error.hint().is_empty(), "{line}");
        format!("{line}\n{error:?}\n")
    });
    let said = said.collect::<Vec<_>>().join("\n");
    if std::env::var_os("UPDATE_ERRORS").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/declare/errors.txt"), &said).unwrap();
    } else {
        for (ours, theirs) in said.split("\n\n").zip(ERRORS.split("\n\n")) {
            assert_eq!(ours, theirs);
        }
        assert_eq!(said, ERRORS);
    }
}

/// In a file it is the file's line; in the terms behind its name, the SPEC's.
#[test]
fn a_file_is_named() {
    let said = |spec: &str, text: &str| HeaderFile::of(spec).unwrap().declares(text).unwrap_err().to_string();
    assert_eq!(
        said("shm_com.h,size=4", "struct {\n  int written;\n  char *text;\n};\n"),
        "`text` is a pointer, and an address means nothing in another process\n --> shm_com.h:3:8\n  |\n3 |   char *text;\n  |        ^^^^^"
    );
    assert_eq!(
        said("shm_com.h:slot,size=4", "// one\nstruct slot { int written; char text[LEN]; };\n#define LEN 4\n"),
        "`LEN` is not known here\n --> shm_com.h:2:38\n  |\n2 | struct slot { int written; char text[LEN]; };\n  |                                      ^^^"
    );
    assert_eq!(
        said("shm_com.h:slot,size=4", "struct slot { int written; char text[4]; };\n"),
        "the struct has 8 bytes and begins at 0: it does not end within the segment\n --> SPEC:1:21\n  |\n1 | shm_com.h:slot,size=4\n  |                     ^"
    );
    assert!(
        said("x.h:other", "struct one { int written; };")
            .starts_with("no struct `other` is declared here\n --> x.h:1:1\n")
    );
    assert!(said("x.h", "").starts_with("a SPEC declares a struct"));
    assert!(said("x.h,flag=a", "typedef int x;").starts_with("no struct is declared here\n --> x.h:1:1\n"));
    assert!(said("x.h,", "struct one { int written; char text[4]; };").starts_with("the end where a term is expected"));
}

/// A line that is too long to be shown is cut around the place, and what would change a terminal is not sent to it.
#[test]
fn what_is_shown_can_be_shown() {
    let long = format!("struct {{ int written; /* {} */ char *text; }}", "x".repeat(5000));
    let said = long.parse::<Declared>().unwrap_err().to_string();
    assert!(said.lines().all(|line| line.chars().count() < 200), "{said}");
    assert!(said.contains("char *text; }"), "{said}");
    let said = "struct { int written; \x1b[31m char *text; }".parse::<Declared>().unwrap_err().to_string();
    assert!(!said.contains('\x1b'), "{said:?}");
    for hostile in ["\x03", "\u{202e}", "\u{200d}"] {
        let error = format!("struct {{ int written; {hostile} }}").parse::<Declared>().unwrap_err();
        assert!(!error.message().contains(hostile) && error.to_string().starts_with(error.message()), "{error:?}");
    }
}

/// Whatever a file or its name has: a message is shown on a terminal.
#[test]
fn no_picture_steers_a_terminal() {
    let controls: String = ('\0'..'\u{a0}').filter(|c| c.is_control() && *c != '\n').collect();
    let text = format!("struct {{ int written; /* {controls} */ char *text; }}");
    for name in ["shm.h".to_owned(), format!("shm{controls}.h")] {
        let error = HeaderFile::of(&name).unwrap().declares(&text).unwrap_err().to_string();
        assert!(!error.chars().any(|c| c.is_control() && c != '\n'), "{error:?}");
    }
}
