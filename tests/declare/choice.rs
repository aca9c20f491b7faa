//! Which members are the flag and the payload: what a SPEC declares, in the terse form, and why.

use shm_handoff::declare::{Declared, FlagType, HeaderFile, Payload, Size, Span};

fn declared(spec: &str) -> Declared {
    spec.parse().unwrap_or_else(|error| panic!("{error:?}\n\n{spec}"))
}

/// A SPEC, what it declares, and why.
const CHOSEN: &[(&str, &str, &str)] = &[
    // The tutorial's struct, and texts of other lengths.
    ("text[2048]", "flag=i32@0,text=2048@4,size=2052", "`written`, by its name; `text`, the one char array"),
    ("text[16]", "flag=i32@0,text=16@4,size=20", "`written`, by its name; `text`, the one char array"),
    ("text [ 4 * 2048 ]", "flag=i32@0,text=8192@4,size=8196", "`written`, by its name; `text`, the one char array"),
    (
        "struct { int written; char text[BUFSIZ]; }",
        "flag=i32@0,text=8192@4,size=8196",
        "`written`, by its name; `text`, the one char array",
    ),
    // In a larger segment.
    (
        "struct { int written; char text[2048]; }; ,size>=16384",
        "flag=i32@0,text=2048@4,size>=16384",
        "`written`, by its name; `text`, the one char array",
    ),
    (
        "struct { int written_by_you; char some_text[2048]; },size=4096",
        "flag=i32@0,text=2048@4,size=4096",
        "`written_by_you`, by its name; `some_text`, the one char array",
    ),
    // The flag second, last, or a byte.
    (
        "struct { char text[1024]; int written; }",
        "flag=i32@1024,text=1024@0,size=1028",
        "`written`, by its name; `text`, the one char array",
    ),
    (
        "struct { int len; int flag; char buf[100]; int ready; }",
        "flag=i32@4,text=100@8,size=112",
        "`flag`, by its name; `buf`, the one char array",
    ),
    (
        "struct { char text[7]; bool ready; }",
        "flag=u8@7,text=7@0,size=8",
        "`ready`, by its name; `text`, the one char array",
    ),
    (
        "struct { unsigned char full; char text[7]; }",
        "flag=u8@0,text=7@1,size=8",
        "`full`, by its name; `text`, the one char array",
    ),
    (
        "struct { signed char complete; char text[7]; }",
        "flag=i8@0,text=7@1,size=8",
        "`complete`, by its name; `text`, the one char array",
    ),
    (
        "enum state { EMPTY, FULL }; struct { enum state flag; char text[4]; },full=FULL",
        "flag=u32@0,text=4@4,size=8",
        "`flag`, by its name; `text`, the one char array",
    ),
    (
        "#define STATE_DONE 7\nstruct { unsigned flag; char text[4]; },empty=1<<2,full=STATE_DONE",
        "flag=u32@0,empty=4,full=7,text=4@4,size=8",
        "`flag`, by its name; `text`, the one char array",
    ),
    (
        "struct { int ready; char text[4]; },empty=-1,full=0",
        "flag=i32@0,empty=-1,full=0,text=4@4,size=8",
        "`ready`, by its name; `text`, the one char array",
    ),
    // By the order of the names, and then of the members; one that can't be a flag is passed over.
    (
        "struct { int complete, full, ready, flag, written2, written1; char text[4]; }",
        "flag=i32@16,text=4@24,size=28",
        "`written2`, by its name; `text`, the one char array",
    ),
    (
        "struct { char flag[8]; int ready; double x; }",
        "flag=i32@8,text=8@0,size=24",
        "`ready`, by its name; `flag`, the one char array",
    ),
    (
        "struct { long written; int full; double x; }",
        "flag=i32@8,data=8@0+8@16,size=24",
        "`full`, by its name; all other members, for there is no char array",
    ),
    // Two slots in one segment.
    ("text[2048],size=4104", "flag=i32@0,text=2048@4,size=4104", "`written`, by its name; `text`, the one char array"),
    (
        "text[2048],at=2052",
        "flag=i32@0,text=2048@4,size=4104,at=2052",
        "`written`, by its name; `text`, the one char array",
    ),
    (
        "struct slot { int written; char text[16]; }; struct both { struct slot ask, answer; },flag=answer.written,text=answer.text",
        "flag=i32@20,text=16@24,size=40",
        "`written`, as `flag=` says; as `text=` says",
    ),
    // Numbers in the place of a text.
    (
        "struct { int mat[9]; int flag; }",
        "flag=i32@36,data=36@0,size=40",
        "`flag`, by its name; all other members, for there is no char array",
    ),
    (
        "struct { int flag; char a[4], b[4]; }",
        "flag=i32@0,data=8@4,size=12",
        "`flag`, by its name; all other members, for there are 2 char arrays",
    ),
    (
        "struct { int flag; char grid[8][8]; }",
        "flag=i32@0,data=64@4,size=68",
        "`flag`, by its name; all other members, for there is no char array",
    ),
    (
        "struct { int flag; char only; struct { short x; } in; }",
        "flag=i32@0,data=1@4+2@6,size=8",
        "`flag`, by its name; all other members, for there is no char array",
    ),
    (
        "struct { sem_t full; int flag; double x; pthread_mutex_t lock; }",
        "flag=i32@32,data=8@40,size=88",
        "`flag`, by its name; all other members, for there is no char array; not `full`, `lock`: a lock, the programs' own",
    ),
    // The driving simulator's, at key 4567.
    (
        SIMULATOR,
        "flag=i32@0,data=921608@4+80@921616,size=921696",
        "`written`, by its name; all other members, for there is no char array",
    ),
    // Which commands it writes back, its user knows.
    (
        SIMULATOR_ANSWERS,
        "flag=i32@0,data=921600@4+72@921624,reply=8@921604+8@921616,size=921696",
        "`written`, by its name; all other members, for there is no char array; not `control`, `pause`, `fast`: the answer",
    ),
    // An answer in the place of the question.
    (
        "struct { int written; char text[64]; },reply=text,text=text",
        "flag=i32@0,text=64@4,reply=64@4,size=68",
        "`written`, by its name; as `text=` says",
    ),
    (
        "struct { int written; char question[64], answer[64]; },reply=answer",
        "flag=i32@0,text=64@4,reply=64@68,size=132",
        "`written`, by its name; `question`, the one char array",
    ),
    // By terms alone, and over a struct.
    (
        "flag=u8@2052,data=8@0+4@16,reply=4@24",
        "flag=u8@2052,data=8@0+4@16,reply=4@24,size=2053",
        "as `flag=` says; as `data=` says",
    ),
    (
        "at=64, size >= 4*1024, text=(16+16)@0x8, flag=i32@(4+0)",
        "flag=i32@4,text=32@8,size>=4096,at=64",
        "as `flag=` says; as `text=` says",
    ),
    (
        "struct { int a, b; double x, y; },flag=b,data=y+x",
        "flag=i32@4,data=8@16+8@8,size=24",
        "`b`, as `flag=` says; as `data=` says",
    ),
    (
        "struct { int written; union { int i; float f; } u; },data=4@4",
        "flag=i32@0,data=4@4,size=8",
        "`written`, by its name; as `data=` says",
    ),
    (
        "struct { int written; unsigned char bytes[8]; },text=bytes",
        "flag=i32@0,text=8@4,size=12",
        "`written`, by its name; as `text=` says",
    ),
];

const SIMULATOR: &str = "#define image_width 640\n#define image_height 480\n\
    struct shared_use_st\n{\n    int written;  // a label, if 1: available to read, if 0: available to write\n    uint8_t data[image_width*image_height*3];  // image data field\n\
    int control;\n    int pause;\n    double fast;\n\n    double dist_L;\n    double dist_R;\n    double toMarking_L;\n    double toMarking_M;\n    double toMarking_R;\n\
    double dist_LL;\n    double speed;\n    double angle;\n    double steer;\n};\n";

const SIMULATOR_ANSWERS: &str = "struct shared_use_st { int written; uint8_t data[640*480*3]; int control; int pause; double fast;\n\
    double dist_L, dist_R, toMarking_L, toMarking_M, toMarking_R, dist_LL, speed, angle, steer; },reply=control+pause+fast";

#[test]
fn each_spec_declares_what_it_should() {
    for (spec, terse, why) in CHOSEN {
        let declared = declared(spec);
        assert_eq!(declared.to_string(), *terse, "{spec}");
        assert_eq!(format!("{}; {}", declared.why_flag(), declared.why_payload()), *why, "{spec}");
    }
}

/// Where it has the same layout, a terse form says the same, and has the same hash.
#[test]
fn the_terse_form_declares_the_same() {
    for (spec, terse, _) in CHOSEN {
        let (first, second) = (declared(spec), declared(terse));
        assert_eq!(second.to_string(), *terse, "{spec}");
        assert_eq!(
            (first.hash(), first.flag(), first.payload(), first.reply(), first.size(), first.at()),
            (second.hash(), second.flag(), second.payload(), second.reply(), second.size(), second.at()),
            "{spec}"
        );
    }
}

/// Layouts that differ have another hash, of fifteen bits, which is no accident of one process.
#[test]
fn the_hash_tells_layouts_apart() {
    assert_eq!(declared("text[2048]").hash(), 32353, "two versions of this library would not know each other");
    let mut seen = std::collections::HashMap::new();
    for (spec, terse, _) in CHOSEN {
        let declared = declared(spec);
        let hash = declared.hash();
        assert!((1..1 << 15).contains(&hash), "{hash}");
        // The size is left out: both sides see it.
        let identity = terse.split(',').filter(|term| !term.starts_with("size")).collect::<Vec<_>>().join(",");
        // Nor does the sign matter, but for what the bits mean.
        let identity = identity.replace("=i", "=u");
        let other = seen.insert(hash, identity.clone());
        assert!(other.as_ref().is_none_or(|other| *other == identity), "{other:?} and {identity}: {hash}");
    }
    for changed in [
        "text[2047]",
        "text[2048],at=4",
        "text[2048],full=2",
        "text[2048],empty=2",
        "text[2048],text=2048@4,reply=1@4",
        "flag=i32@0,data=2048@4",
        "flag=u8@0,text=2048@4",
    ] {
        assert_ne!(declared(changed).hash(), declared("text[2048]").hash(), "{changed}");
    }
    assert_eq!(declared("flag=u32@0,text=2048@4").hash(), declared("text[2048],size>=5000").hash(), "the same bits");
}

#[test]
fn what_is_declared_can_be_asked_for() {
    let declared = declared("typedef struct { char text[60]; _Bool ready; } slot_t;,size>=4096,at=128");
    assert_eq!((declared.name(), declared.struct_size(), declared.at()), (Some("slot_t"), 61, 128));
    assert_eq!((declared.size(), declared.size().bytes()), (Size::AtLeast(4096), 4096));
    assert_eq!((declared.flag().of, declared.flag().offset), (FlagType::U8, 60));
    assert_eq!(declared.payload(), &Payload::Text(Span { offset: 0, len: 60 }));
    assert!(declared.reply().is_empty());
}

/// `FILE.h` and `FILE.h:NAME` are names of files; the rest is not.
#[test]
fn a_file_is_told_from_a_declaration() {
    for spec in [
        "text[1024]",
        "struct { int written; }",
        "flag=i32@0,text=4@4",
        "#define N 4\nstruct {}",
        "size>=4",
        "",
        " ",
        ",size=4",
    ] {
        assert_eq!(HeaderFile::of(spec), None, "{spec}");
    }
    for (spec, path, name) in [
        ("shm_com.h", "shm_com.h", None),
        ("shm_com.h:shared_t", "shm_com.h", Some("shared_t")),
        ("../in clude/a-b.hpp,size>=4096", "../in clude/a-b.hpp", None),
        ("C:/x.h:slot,at=4,size=9", "C:/x.h", Some("slot")),
        ("./odd:", "./odd:", None),
    ] {
        let file = HeaderFile::of(spec).unwrap();
        assert_eq!((file.path, file.name), (path, name), "{spec}");
    }
}

#[test]
fn a_name_picks_one_of_several_structs() {
    const HEADER: &str =
        "struct one { int written; char text[8]; };\ntypedef struct two { int written; char text[9]; } two_t;\n";
    for (spec, terse) in [
        ("x.h:one", "flag=i32@0,text=8@4,size=12"),
        ("x.h:two", "flag=i32@0,text=9@4,size=16"),
        ("x.h:two_t,size>=100", "flag=i32@0,text=9@4,size>=100"),
    ] {
        assert_eq!(HeaderFile::of(spec).unwrap().declares(HEADER).unwrap().to_string(), terse);
    }
}
