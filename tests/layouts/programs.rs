//! The programs of `tests/c/layouts`, each with the SPEC that describes its struct.

use crate::support::{Channel, Peer, Run, compile_by, compile_c, eventually, ipc};
use shm_handoff::declare::{Declared, HeaderFile};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::sync::atomic::Ordering;

/// Where the headers are. A SPEC names one as it is called from here.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c/layouts")
}

/// A struct with a text.
pub(crate) struct Shape {
    pub(crate) spec: &'static str,
    /// The same by places, as it should be read.
    pub(crate) terse: &'static str,
    /// The length of the text, its NUL included.
    pub(crate) len: usize,
    shared: &'static str,
    options: &'static [&'static str],
}

pub(crate) const SHAPES: [Shape; 9] = [
    Shape { spec: "text16.h", terse: "flag=i32@0,text=16@4,size=20", len: 16, shared: "struct word", options: &[] },
    Shape {
        spec: "text1024.h",
        terse: "flag=i32@0,text=1024@4,size=1028",
        len: 1024,
        shared: "line_t",
        options: &["-DTEXT=line"],
    },
    Shape {
        spec: "text8192.h",
        terse: "flag=i32@0,text=8192@4,size=8196",
        len: 8192,
        shared: "struct page",
        options: &["-DFLAG=full"],
    },
    Shape {
        spec: "larger.h,size>=SEGMENT_SIZE",
        terse: "flag=i32@0,text=2048@4,size>=16384",
        len: 2048,
        shared: "struct note",
        options: &["-DSEGMENT=SEGMENT_SIZE"],
    },
    Shape {
        spec: "second.h",
        terse: "flag=i32@4,text=512@8,size=520",
        len: 512,
        shared: "struct message",
        options: &["-DFLAG=ready"],
    },
    Shape {
        spec: "last.h",
        terse: "flag=i32@1024,text=1024@0,size=1028",
        len: 1024,
        shared: "struct line",
        options: &["-DFLAG=flag"],
    },
    Shape {
        spec: "bool.h",
        terse: "flag=u8@7,text=7@0,size=8",
        len: 7,
        shared: "struct cell",
        options: &["-DFLAG=ready"],
    },
    Shape {
        spec: "uchar.h:box",
        terse: "flag=u8@0,text=255@1,size=256",
        len: 255,
        shared: "struct box",
        options: &["-DFLAG=full"],
    },
    Shape {
        spec: "turns.h,empty=WRITERS,full=READERS",
        terse: "flag=i32@0,empty=-1,full=7,text=256@4,size=260",
        len: 256,
        shared: "struct turns",
        options: &["-DFLAG=flag", "-DEMPTY=WRITERS", "-DFULL=READERS"],
    },
];

impl Shape {
    /// What its header is called.
    fn name(&self) -> &str {
        self.spec.split_once(".h").expect("a header").0
    }

    pub(crate) fn c_reader(&self, channel: &Channel) -> Run {
        run(&c_program(self.name()), &["read"], channel, &[])
    }

    pub(crate) fn c_writer(&self, channel: &Channel) -> Run {
        run(&c_program(self.name()), &["write"], channel, &[])
    }

    /// Texts of every kind, the longest one among them, a line each.
    pub(crate) fn lines(&self) -> String {
        let longest = "z".repeat(self.len - 2);
        format!("one\n{longest}\n\ntwo\n{longest}\nthree\n")
    }
}

/// A compiled program with `ROLE KEY ARGS`, not started yet.
pub(crate) fn run(program: &Path, before: &[&str], channel: &Channel, args: &[&str]) -> Run {
    let mut command = Command::new(program);
    command.args(before).arg(channel.key().number().to_string()).args(args);
    Run::new(command)
}

/// A C program: of a shape, whose header gives the name, or `pair`, or `mat`.
pub(crate) fn c_program(name: &str) -> PathBuf {
    static COMPILED: LazyLock<PathBuf> = LazyLock::new(|| {
        let out = out();
        for shape in &SHAPES {
            let header = format!("-DHEADER=\"{}.h\"", shape.name());
            let shared = format!("-DSHARED={}", shape.shared);
            let options = [&[&header[..], &shared], shape.options].concat();
            compile_c("layouts/text.c", &options, &out.join(shape.name()));
        }
        compile_c("layouts/pair.c", &[], &out.join("pair"));
        compile_c("layouts/mat.c", &[], &out.join("mat"));
        out
    });
    COMPILED.join(name)
}

/// The simulator in C++; an error: there is no compiler for it.
pub(crate) fn compile_simulator() -> Result<PathBuf, String> {
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    let program = out().join("simulator");
    compile_by(&compiler, "layouts/simulator.cpp", &["-std=c++17"], &program)
        .map(|()| program)
        .map_err(|error| format!("`{compiler}` does not start: {error} (Debian: apt install g++; or name one in CXX)"))
}

/// Where the programs are when they are compiled.
fn out() -> PathBuf {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("layouts");
    std::fs::create_dir_all(&out).expect("the target directory can be written to");
    out
}

/// What a SPEC of this folder declares.
pub(crate) fn declared(spec: &str) -> Declared {
    let file = HeaderFile::of(spec).expect("a header's name");
    let text = std::fs::read_to_string(folder().join(file.path)).unwrap();
    file.declares(&text).unwrap_or_else(|error| panic!("{error}"))
}

/// The value of the flag; `None`: there is no segment.
pub(crate) fn flag(spec: &str, channel: &Channel) -> Option<i64> {
    let declared = declared(spec);
    let at = declared.at() + declared.flag().offset;
    let memory = ipc::Attached::at(channel.key().number())?;
    let word = memory.words()[at / 4].load(Ordering::Acquire);
    Some(match declared.flag().of.bytes() {
        1 => word.to_ne_bytes()[at % 4].into(),
        _ => word.cast_signed().into(),
    })
}

/// Waits until a message lies in the slot.
pub(crate) fn await_full(spec: &str, channel: &Channel) {
    let full = declared(spec).flag().full;
    eventually("a message in the slot", || (flag(spec, channel) == Some(full)).then_some(()));
}

/// Waits until what lay in the slot was released.
pub(crate) fn await_empty(spec: &str, channel: &Channel) {
    let empty = declared(spec).flag().empty;
    eventually("an empty slot", || (flag(spec, channel) == Some(empty)).then_some(()));
}

/// Starts a program of this folder, and waits until it is attached.
pub(crate) fn attached(run: Run) -> Peer {
    let mut peer = run.start();
    peer.until_says("attached\n");
    peer
}

/// What each header declares is what its program relies on.
#[test]
fn the_headers_declare_what_the_programs_use() {
    for Shape { spec, terse, .. } in &SHAPES {
        assert_eq!(declared(spec).to_string(), *terse, "{spec}");
    }
    for (spec, terse) in [
        (crate::conversation::A, "flag=i32@0,text=2048@4,size=4104"),
        (crate::conversation::B, "flag=i32@0,text=2048@4,size=4104,at=2052"),
        (crate::records::SPEC, "flag=i32@0,data=36@4,size=40"),
        (crate::simulator::SPEC, "flag=i32@0,data=921600@4+24@921616,reply=8@921604+24@921640,size=921664"),
    ] {
        assert_eq!(declared(spec).to_string(), terse, "{spec}");
    }
}
