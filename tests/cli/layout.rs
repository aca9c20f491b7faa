//! `shm-handoff layout`: where the members of a declared struct lie, and what is wrong with what declares none.

use crate::support::{Ended, Run, SHM_HANDOFF};
use std::path::Path;
use std::process::Command;

fn layout(args: &[&str]) -> Ended {
    let mut command = Command::new(SHM_HANDOFF);
    command.arg("layout").args(args);
    Run::new(command).end()
}

fn header(text: impl AsRef<[u8]>) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shm_com.h");
    std::fs::write(&path, text).unwrap();
    (folder, path.to_str().unwrap().to_owned())
}

#[test]
fn offsets_are_shown_with_the_flag_and_the_payload() {
    let spec = "struct shared { char ready; union { int i; float f; }; struct { short a; double b[2]; } in[2]; char text[3]; int x[2][2]; };,reply=x,full=2";
    layout(&[spec]).code(0).prints(
        "\
struct shared {
    char ready;       /*       0       1  flag: 0 empty, 2 full */
    /* 3 bytes of padding */
    union;            /*       4       4 */
    struct {
        short a;      /*       8       2 */
        /* 6 bytes of padding */
        double b[2];  /*      16      16 */
    } in[2];          /*       8      48 */
    char text[3];     /*      56       3  text */
    /* 1 byte of padding */
    int x[2][2];      /*      60      16  reply */
    /* 4 bytes of padding */
};

segment  80 bytes
flag     `ready`, by its name
text     `text`, the one char array
layout   flag=i8@0,full=2,text=3@56,reply=16@60,size=80
",
    );
    layout(&["flag=i32@16,data=8@0+4@12,size>=64,at=32"]).code(0).prints(
        "\
struct {
    u8 data[8];  /*       0       8  data */
    u8 data[4];  /*      12       4  data */
    i32 flag;    /*      16       4  flag: 0 empty, 1 full */
};

segment  at least 64 bytes, the struct at 32
flag     as `flag=` says
data     as `data=` says
layout   flag=i32@16,data=8@0+4@12,size>=64,at=32
",
    );
}

#[test]
fn as_json() {
    let ended = layout(&["--json", "struct image { int written; struct { uint8_t rgb[3]; } data[4]; },size>=64"]);
    let shown: serde_json::Value = serde_json::from_slice(&ended.code(0).stdout).unwrap();
    let member = |name, of, kind, offset: usize, size: usize, array: &[usize], members: &[serde_json::Value]| serde_json::json!({ "name": name, "type": of, "kind": kind, "offset": offset, "size": size, "array": array, "members": members });
    let rgb = member("rgb", "uint8_t", "unsigned", 0, 3, &[3], &[]);
    assert_eq!(
        shown,
        serde_json::json!({
            "schema": "shm-handoff/layout/1",
            "spec": "flag=i32@0,data=12@4,size>=64",
            "hash": shown["hash"],
            "size": 64, "at_least": true, "at": 0, "name": "image", "struct_size": 16,
            "flag": { "type": "i32", "offset": 0, "empty": 0, "full": 1 },
            "payload": "data", "spans": [{ "offset": 4, "bytes": 12 }], "reply": [],
            "why_flag": "`written`, by its name",
            "why_payload": "all other members, for there is no char array",
            "members": [member("written", "int", "signed", 0, 4, &[], &[]), member("data", "struct", "struct", 4, 12, &[4], &[rgb])],
        })
    );
    assert!(shown["hash"].as_u64().is_some_and(|hash| hash > 0 && hash < 1 << 15), "{shown}");
}

#[test]
fn of_a_file() {
    // A comment in GBK, as many of these files have it.
    let mut text = b"#define LEN 512 // ".to_vec();
    text.extend([0xce, 0xc4, 0xb1, 0x5c, b'\n']);
    text.extend(b"struct slot { int written; char text[LEN]; };\ntypedef struct { int flag; int mat[9]; } mat_t;\n");
    let (_folder, path) = header(&text);
    let printed = |spec: &str| String::from_utf8(layout(&[spec]).code(0).stdout.clone()).unwrap();
    assert!(printed(&format!("{path}:slot")).ends_with("layout   flag=i32@0,text=512@4,size=516\n"));
    assert!(printed(&format!("{path}:mat_t,size>=LEN")).ends_with("layout   flag=i32@0,data=36@4,size>=512\n"));
    let hint = ["more than one struct is declared", &format!("{path}:3:"), "FILE.h:NAME", "slot, mat_t"];
    layout(&[&path]).code(2).says(&hint);
}

#[test]
fn what_declares_no_layout_is_pointed_at() {
    let ended = layout(&["struct {\n  int written;\n  char *text;\n}"]);
    ended.code(2).says(&[
        "shm-handoff layout: `text` is a pointer, and an address means nothing in another process\n --> SPEC:3:8\n",
        "3 |   char *text;\n  |        ^^^^^\n  hint: declare what it points to",
    ]);
    let (folder, path) = header("struct { int flag : 3; };");
    layout(&[&path]).code(2).says(&["a bit-field has no offset of its own", &format!("--> {path}:1:14")]);
    layout(&["text[4],colour=1"]).code(2).says(&["there is no term `colour`", "the terms are flag, "]);
    layout(&[]).code(2).says(&["SPEC"]);
    layout(&[""]).code(2).says(&["a SPEC declares a struct"]);
    // Not a declaration, so a file, and there is none.
    layout(&["text"]).code(1).says(&["text: No such file or directory (ENOENT)", "a SPEC is a file, text[1024]"]);
    layout(&[folder.path().to_str().unwrap()]).code(1).says(&["(EISDIR)"]);
    // It has no end.
    if Path::new("/dev/zero").exists() {
        layout(&["/dev/zero"]).code(2).says(&["more than 262144 bytes"]);
    }
}

#[test]
fn the_name_of_a_file_steers_no_terminal() {
    // (A terminal takes it for the beginning of an escape sequence.)
    let missing = layout(&["missing\u{9b}31m.h"]);
    missing.code(1).says(&[r"missing\u{9b}31m.h: No such file"]);
    let mut command = Command::new(SHM_HANDOFF);
    command.args(["stat", "missing\u{9b}31m:1"]);
    Run::new(command).end().code(1).says(&[r"missing\u{9b}31m: ftok failed"]);
}
