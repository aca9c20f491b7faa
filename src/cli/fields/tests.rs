//! Fields of each kind of member, and what is said of lines that are none.

use super::*;

pub(super) fn declared(spec: &str) -> Declared {
    spec.parse().unwrap_or_else(|error| panic!("{spec}: {error}"))
}

pub(super) fn shown(fields: &Fields<'_>, record: &[u8]) -> String {
    serde_json::to_string(&fields.show(record)).unwrap()
}

/// That the record is shown as this, and this is read as the record.
#[track_caller]
fn is_shown(spec: &str, record: &[u8], json: &str) {
    let declared = declared(spec);
    let fields = Fields::of(&declared);
    assert_eq!(shown(&fields, record), json);
    assert_eq!(fields.read(json.as_bytes()).map_err(|error| error.to_string()), Ok(record.to_vec()));
}

/// What is wrong with a line.
fn fault(spec: &str, line: &str) -> String {
    Fields::of(&declared(spec)).read(line.as_bytes()).expect_err(line).to_string()
}

fn bytes<const N: usize>(parts: [&[u8]; N]) -> Vec<u8> {
    parts.concat()
}

#[test]
fn members_by_name_in_their_order() {
    let spec = "enum color { RED, GREEN = 3 };
        struct { int written; unsigned long z; long a; char lone; bool on; enum color color; struct { short s; }; }";
    let record = bytes([
        &u64::MAX.to_ne_bytes(),
        &i64::MIN.to_ne_bytes(),
        b"A\x01",
        &3_u32.to_ne_bytes(),
        &(-2_i16).to_ne_bytes(),
    ]);
    let json = r#"{"z":18446744073709551615,"a":-9223372036854775808,"lone":65,"on":true,"color":3,"s":-2}"#;
    let declared = declared(&format!("{spec},data=z+a+lone+on+color+s"));
    let fields = Fields::of(&declared);
    assert_eq!(shown(&fields, &record), json);
    assert_eq!(fields.read(json.as_bytes()), Ok(record));
}

#[test]
fn spans_are_one_behind_the_other_in_the_order_of_the_term() {
    let spec = "struct { int mat[3]; int flag; double angle; },data=angle+mat";
    let ints = [7_i32, -1, 2].map(i32::to_ne_bytes).concat();
    is_shown(spec, &[&0.25_f64.to_ne_bytes(), &ints[..]].concat(), r#"{"mat":[7,-1,2],"angle":0.25}"#);
}

#[test]
fn floats_keep_their_bits() {
    let spec = "struct { int written; float f[2]; double d[9]; }";
    let doubles = [0.1, -0.0, 5e-324, f64::MAX, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, -f64::NAN];
    let odd = f64::from_bits(0x7ff0_0000_0000_0001);
    let doubles = [&doubles[..], &[odd]].concat();
    let record = [
        [0.1_f32, f32::from_bits(0x7fc0_0001)].map(f32::to_ne_bytes).concat(),
        doubles.iter().flat_map(|number| number.to_ne_bytes()).collect(),
    ];
    // (The doubles are aligned to 8 bytes behind 12.)
    let record = [&record[0][..], &[0; 4], &record[1]].concat();
    let declared = declared(&format!("{spec},data=84@4"));
    let fields = Fields::of(&declared);
    let json = shown(&fields, &record);
    assert_eq!(
        json,
        r#"{"f":[0.1,"NaN(0x7fc00001)"],"d":[0.1,-0.0,5e-324,1.7976931348623157e+308,"inf","-inf","NaN","-NaN","NaN(0x7ff0000000000001)"]}"#
    );
    assert_eq!(fields.read(json.as_bytes()), Ok(record));
}

#[test]
fn a_float_is_rounded_once() {
    // Just above the middle of two floats: by way of a double it would be the middle, and go down to the even one.
    let line = r#"{"f":[1.00000005960464477539062500000000000001]}"#;
    let declared = declared("struct { int written; float f[1]; }");
    let read = Fields::of(&declared).read(line.as_bytes()).unwrap();
    assert_eq!(read, f32::from_bits(0x3f80_0001).to_ne_bytes());
}

#[test]
fn bits_that_are_called_a_nan_are_one() {
    let spec = "struct { int written; float f; double d; },data=f+d";
    for (f, d, path) in [
        ("NaN(0x7f800000)", "NaN", "f"),
        ("NaN(0x7ff8000000000000)", "NaN", "f"),
        ("NaN", "NaN(0x7ff0000000000000)", "d"),
        ("NaN", "NaN(0x7fc00000)", "d"),
        ("NaN", "nan", "d"),
    ] {
        let error = fault(spec, &format!(r#"{{"f":"{f}","d":"{d}"}}"#));
        assert!(error.starts_with(&format!("{path}: expected a number within a ")), "{error}");
    }
}

#[test]
fn arrays_of_char_are_texts_if_nothing_is_hidden() {
    let spec = "struct { int written; char name[2][4]; char x; },data=name+x";
    is_shown(spec, b"abc\0\0\0\0\0\x07", r#"{"name":["abc",""],"x":7}"#);
    is_shown(spec, b"abcda\0b\0\0", r#"{"name":[{"base64":"YWJjZA=="},{"base64":"YQBiAA=="}],"x":0}"#);
    is_shown(spec, b"\xff\0\0\0\xc3\xa9\0\0\0", r#"{"name":[{"base64":"/wAAAA=="},"é"],"x":0}"#);
}

#[test]
fn long_arrays_of_bytes_are_base64() {
    let short = format!(r#"{{"image":[{}]}}"#, ["9"; 64].join(","));
    is_shown("struct { int written; uint8_t image[64]; }", &[9; 64], &short);
    let long = format!(r#"{{"image":{{"base64":"{}CQ=="}}}}"#, "CQkJ".repeat(21) + "CQkJ".repeat(10).as_str());
    is_shown("struct { int written; unsigned char image[47][2]; }", &[9; 94], &long);
}

#[test]
fn structs_are_objects() {
    let spec = "struct { int written; struct { short x, y; } pos[2]; struct { struct { char c; } in; } out; }";
    let shorts = [1_i16, 2, 3, 4].map(i16::to_ne_bytes).concat();
    let json = r#"{"pos":[{"x":1,"y":2},{"x":3,"y":4}],"out":{"in":{"c":-1}}}"#;
    if c_char::MIN != 0 {
        is_shown(spec, &[&shorts[..], b"\xff"].concat(), json);
    }
    // One member of a struct alone, out of its order.
    is_shown(
        &format!("{spec},data=out.in.c+pos"),
        &[b"\x05", &shorts[..]].concat(),
        r#"{"pos":[{"x":1,"y":2},{"x":3,"y":4}],"out":{"in":{"c":5}}}"#,
    );
}

#[test]
fn a_bool_that_is_none_keeps_its_byte() {
    is_shown("struct { int written; bool on[3]; }", &[0, 1, 9], r#"{"on":[false,true,9]}"#);
}

#[test]
fn flags_locks_replies_and_padding_are_left_out() {
    let spec = "struct { int written; sem_t lock; char c; int a; int left; },reply=left";
    let declared = declared(spec);
    let record = [&[3], &7_i32.to_ne_bytes()[..]].concat();
    assert_eq!(shown(&Fields::of(&declared), &record), r#"{"c":3,"a":7}"#);
    let reply = Fields::of_reply(&declared);
    assert_eq!(shown(&reply, &9_i32.to_ne_bytes()), r#"{"left":9}"#);
    assert_eq!(reply.read(br#"{"left":9}"#), Ok(9_i32.to_ne_bytes().to_vec()));
}

#[test]
fn padding_within_the_payload_becomes_zero() {
    let declared = declared("struct { int written; struct { char c; short s; } in; }");
    let fields = Fields::of(&declared);
    let json = shown(&fields, &[1, 0xaa, 0, 0]);
    assert_eq!(json, r#"{"in":{"c":1,"s":0}}"#);
    assert_eq!(fields.read(json.as_bytes()), Ok(vec![1, 0, 0, 0]));
}

#[test]
fn a_payload_without_members_is_one_object() {
    is_shown("flag=i32@0,text=8@4", b"hello\n\0\0", r#"{"text":"hello\n"}"#);
    is_shown("flag=i32@0,text=8@4", b"12345678", r#"{"base64":"MTIzNDU2Nzg="}"#);
    is_shown("flag=i32@0,data=2@4+1@8", b"a\0b", r#"{"base64":"YQBi"}"#);
    // A member cut in two; bytes beyond the struct; an anonymous union; two members as one text.
    is_shown("struct { int written; int a[2]; },data=3@4", b"abc", r#"{"base64":"YWJj"}"#);
    is_shown("struct { int written; short s; },data=3@8,size>=16", b"abc", r#"{"base64":"YWJj"}"#);
    is_shown("struct { int written; union { int i; float f; }; },data=4@4", b"abcd", r#"{"base64":"YWJjZA=="}"#);
    is_shown("struct { int written; char a[2], b[2]; },text=4@4", b"abc\0", r#"{"text":"abc"}"#);
    // A text's own length is less than its room, and base64 may be, too.
    let short = declared("flag=i32@0,text=8@4");
    assert_eq!(shown(&Fields::of(&short), b"abc"), r#"{"text":"abc"}"#);
    assert_eq!(Fields::of(&short).read(br#"{"base64":"/w=="}"#), Ok(b"\xff\0\0\0\0\0\0\0".to_vec()));
}

#[test]
fn a_text_has_the_name_of_its_member() {
    is_shown("struct { int written; char line[8]; }", b"hello\n\0\0", r#"{"line":"hello\n"}"#);
    is_shown(
        "struct { int written; uint8_t line[80]; },text=line",
        &[b"hi", &[0; 78][..]].concat(),
        r#"{"line":"hi"}"#,
    );
}

#[test]
fn other_types_are_base64() {
    let spec = "struct { int written; char tag; union { int i; float f; } u; },data=4@8+tag";
    is_shown(spec, b"abcd\x05", r#"{"tag":5,"u":{"base64":"YWJjZA=="}}"#);
}

#[test]
fn what_shmread_prints_is_read_again() {
    let spec = "struct { int written; short s; }";
    let of = |spec: &str, line: &str| Fields::of(&declared(spec)).read(line.as_bytes()).map_err(|e| e.to_string());
    let two = Ok(2_i16.to_ne_bytes().to_vec());
    assert_eq!(of(spec, r#"{"seq":1,"bytes":2,"end":false,"fields":{"s":2}}"#), two);
    assert_eq!(of("struct { int written; short fields; }", r#"{"fields":2}"#), two, "a member of that name");
    assert_eq!(of("data=2@4,flag=i32@0", r#"{"seq":1,"bytes":2,"end":false,"base64":"YWI="}"#), Ok(b"ab".to_vec()));
    assert_eq!(of("data=2@4,flag=i32@0", r#"{"seq":1,"fields":{"base64":"YWI="}}"#), Ok(b"ab".to_vec()));
    assert_eq!(
        fault(spec, r#"{"fields":{"s":40000}}"#),
        "fields.s: expected an integer from -32768 to 32767, found 40000"
    );
    assert_eq!(fault(spec, r#"{"fields":{"s":4},"s":3}"#), "s: expected no field but fields, found 3");
}

#[test]
fn an_error_names_the_field() {
    let spec =
        "struct { int written; struct { float x; bool on; } pos[2]; uint8_t n; char name[2][4]; uint8_t raw[65]; }
        ,data=pos+n+name+raw";
    let (pos, name) = (r#"[{"x":1,"on":true},{"x":2,"on":false}]"#, r#"["abc","d"]"#);
    let raw = format!(r#"{{"base64":"{}AAA="}}"#, "AAAA".repeat(21));
    let line =
        |pos: &str, n: &str, name: &str, raw: &str| format!(r#"{{"pos":{pos},"n":{n},"name":{name},"raw":{raw}}}"#);
    Fields::of(&declared(spec)).read(line(pos, "7", name, &raw).as_bytes()).expect("nothing is wrong with it");
    let integer = "expected an integer from 0 to 255";
    let cases = [
        (line(pos, "256", name, &raw), format!("n: {integer}, found 256")),
        (line(pos, "-1", name, &raw), format!("n: {integer}, found -1")),
        (line(pos, "1.5", name, &raw), format!("n: {integer}, found 1.5")),
        (line(pos, "true", name, &raw), format!("n: {integer}, found true")),
        (line(pos, r#""7""#, name, &raw), format!(r#"n: {integer}, found "7""#)),
        (line(pos, &"9".repeat(99), name, &raw), format!("n: {integer}, found {}…", "9".repeat(60))),
        (line(pos, r#"7,"n":8"#, name, &raw), "n: expected one value, found a second one".into()),
        (
            line(pos, r#"7,"m\u001b":[8]"#, name, &raw),
            "m\\u{1b}: expected no field but pos, n, name, raw, found [8]".into(),
        ),
        (r"{}".into(), "pos: expected an array of 2, found nothing".into()),
        (line("[]", "7", name, &raw), "pos: expected an array of 2, found 0 elements".into()),
        (line("[1,2,3]", "7", name, &raw), "pos: expected an array of 2, found 3 elements".into()),
        (line("{}", "7", name, &raw), "pos: expected an array of 2, found {}".into()),
        (line(r#"[{"x":1,"on":true},3]"#, "7", name, &raw), "pos[1]: expected an object, found 3".into()),
        (
            line(r#"[{"x":1e39,"on":true},3]"#, "7", name, &raw),
            r#"pos[0].x: expected a number within a float's range, or "NaN", "inf", found 1e39"#.into(),
        ),
        (
            line(r#"[{"x":"NaN(0x1)","on":true},3]"#, "7", name, &raw),
            r#"pos[0].x: expected a number within a float's range, or "NaN", "inf", found "NaN(0x1)""#.into(),
        ),
        (line(r#"[{"x":1,"on":null},3]"#, "7", name, &raw), "pos[0].on: expected true or false, found null".into()),
        (
            line(pos, "7", r#"["","abcd"]"#, &raw),
            "name[1]: expected a string of at most 3 bytes, or base64 of 4, found one of 4".into(),
        ),
        (
            line(pos, "7", r#"["a\u0000b",""]"#, &raw),
            r#"name[0]: expected a text without NUL (in a record, base64 carries one), found "a\u0000b""#.into(),
        ),
        (
            line(pos, "7", r#"[{"base64":"YWJjZGU="},""]"#, &raw),
            "name[0].base64: expected a string: base64 of at most 4 bytes, found base64 of 5".into(),
        ),
        (line(pos, "7", name, "[1]"), r#"raw: expected {"base64":…} of 65 bytes, found [1]"#.into()),
        (
            line(pos, "7", name, r#"{"base64":"AA=="}"#),
            "raw.base64: expected a string: base64 of 65 bytes, found base64 of 1".into(),
        ),
        ("[1]".into(), "the line: expected an object of JSON, found [1]".into()),
    ];
    for (line, error) in cases {
        assert_eq!(fault(spec, &line), error, "{line}");
    }
    for line in ["", "{", "{} {}", r#"{"n":01}"#, "nonsense"] {
        assert!(fault(spec, line).starts_with("the line: expected an object of JSON, found no JSON: "), "{line}");
    }
    let error = Fields::of(&declared(spec)).read(b"{\"\xff\"}").unwrap_err().to_string();
    assert!(error.contains("no UTF-8"), "{error}");
}

#[test]
fn the_help_shows_what_is_shown() {
    let (spec, json) = HELP
        .lines()
        .rev()
        .take(2)
        .map(str::trim)
        .fold(("", ""), |(_, json), line| if json.is_empty() { ("", line) } else { (line, json) });
    let declared = declared(spec);
    let fields = Fields::of(&declared);
    assert_eq!(shown(&fields, &fields.read(json.as_bytes()).unwrap()), json);
}
