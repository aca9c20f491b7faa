//! `--layout SPEC` on both programs: texts of another length, records, their fields as JSON, answers, and every exit
//! code on such layouts. (C programs of these shapes are in the tests of layouts.)

use crate::support::{Channel, Ended, Peer, skipped};
use base64::Engine;
use serde_json::{Value, json};
use shm_handoff::backend::sysv::{Options, Segment, SysV};
use shm_handoff::{Reader, RecvError, Role};
use std::fs::{File, OpenOptions};
use std::io::Write;

const TEXT: &str = "struct { int written; char text[64]; }";
/// 20 bytes a record.
const SAMPLE: &str = "struct { int ready; int mat[3]; double when; }";
const IMAGE: &str = "struct { int written; unsigned char image[640*480*3]; int steer, brake; },reply=steer+brake";

/// A reader and a writer of this layout, to the end of both: (reader, writer).
fn session(spec: &str, reader: &[&str], writer: &[&str], input: impl Into<Vec<u8>>) -> (Ended, Ended) {
    let channel = Channel::new();
    let reader = seated_reader(&channel, spec, reader);
    let writer = channel.writer([&["-q", "--layout", spec], writer].concat()).input(input).end();
    let ended = (reader.end(), writer);
    channel.assert_nothing_left();
    ended
}

fn seated_reader(channel: &Channel, spec: &str, args: &[&str]) -> Peer {
    channel.seated_reader(&[&["-q", "--layout", spec], args].concat())
}

fn objects(ended: &Ended) -> Vec<Value> {
    let text = String::from_utf8(ended.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn sample(mat: [i32; 3], when: f64) -> Vec<u8> {
    let mut record: Vec<u8> = mat.into_iter().flat_map(i32::to_ne_bytes).collect();
    record.extend(when.to_ne_bytes());
    record
}

// Which layout.

#[test]
fn a_bad_spec_is_a_usage_error_that_points_at_it() {
    for (spec, says) in [
        ("struct { int written; char *text; }", &["`text` is a pointer", "SPEC:1:28", "^^^^^"][..]),
        ("struct { int state; char text[64]; }", &["no member is the flag", "flag=NAME"]),
        ("text[0]", &["text[0]"]),
    ] {
        let channel = Channel::new();
        for run in [channel.reader(["--layout", spec]), channel.writer(["--layout", spec])] {
            run.end().code(2).prints("").says(says);
        }
        assert_eq!(channel.stat(), None, "nothing was made");
    }
}

#[test]
fn a_spec_is_read_from_a_file() {
    let mut file = tempfile::Builder::new().suffix(".h").tempfile().unwrap();
    writeln!(
        file,
        "#define LEN 32\nstruct other {{ int x; }};\ntypedef struct {{ int flag; char line[LEN]; }} line_t;"
    )
    .unwrap();
    let spec = format!("{}:line_t", file.path().display());
    let (reader, writer) = session(&spec, &[], &[], "hello\n");
    reader.code(0).prints("hello\n");
    writer.code(0);
    let channel = Channel::new();
    for run in [channel.reader(["--layout=/nonexistent/shm.h"]), channel.writer(["--layout=/nonexistent/shm.h"])] {
        run.end().code(1).says(&["/nonexistent/shm.h", "ENOENT"]);
    }
}

#[test]
fn it_excludes_a_ring() {
    let channel = Channel::new();
    for run in [channel.reader(["--ring", "--layout=text[64]"]), channel.writer(["--ring", "--layout=text[64]"])] {
        run.end().code(2).says(&["--ring", "--layout"]);
    }
    for run in [channel.reader(["--raw", "--layout=text[64]"]), channel.writer(["--raw", "--layout=text[64]"])] {
        run.end().code(2).says(&["--raw", "data=NAME"]);
    }
    assert_eq!(channel.stat(), None);
}

#[test]
fn what_was_chosen_is_said_once_and_the_terse_form_with_v() {
    let channel = Channel::new();
    let chosen = "flag `written`, by its name; text `text`, the one char array";
    let mut reader = channel.reader(["-v", "--layout", TEXT]).start();
    channel.await_seated(Role::Reader, &mut reader);
    let writer = channel.writer(["--layout", TEXT]).input("a\nb\n").end();
    let said = writer.code(0).stderr.clone();
    assert_eq!(said, format!("shmwrite: {chosen}\n"));
    let said = reader.end().code(0).stderr.clone();
    assert!(said.contains(&format!("shmread: {chosen}\nshmread: layout flag=i32@0,text=64@4,size=68\n")), "{said}");
    assert_eq!(said.matches(chosen).count(), 1, "{said}");
    // Where there is no choice there is nothing to say.
    for spec in ["flag=i32@0,text=64@4,size=68", "text[64]"] {
        let channel = Channel::new();
        let reader = channel.seated_reader(&["--layout", spec]);
        channel.writer(["--layout", spec]).input("a\n").end().code(0).says_nothing();
        reader.end().code(0).says_nothing();
    }
}

#[test]
fn another_layout_or_size_is_refused_with_both_named() {
    for (there, asked, says) in [
        ("text[1024]", &["--layout=text[512]"][..], &["a segment of 1028 bytes", "text=512@4"][..]),
        ("text[1024]", &["--layout=struct { char text[1024]; int written; }"], &["flag=i32@1024", "pid"]),
        ("text[1024]", &["--ring"], &["a ring of 2 MiB", "pid"]),
        ("text[2048]", &["--layout=text[1024]"], &["a classic slot", "text=1024@4"]),
    ] {
        let channel = Channel::new();
        let reader = seated_reader(&channel, there, &[]);
        channel.writer(asked).input("x\n").end().code(4).says(says);
        // The one who was there notices nothing.
        channel.writer(["--layout", there]).input("hello\n").end().code(0);
        reader.end().code(0).prints("hello\n").says_nothing();
        channel.assert_nothing_left();
    }
}

/// The hint's layout, as it stands there, is one with which it works.
#[test]
fn a_segment_of_another_size_is_told_with_the_layout_that_it_looks_like() {
    for (size, spec) in [
        (1028, "text[1024]"),
        (20, "text[16]"),
        (8196, "text[8192]"),
        (104, "text[100]"),
        (2 * 516, "text[512],size=1032"),
        (16384, "text[2048],size=16384"),
    ] {
        let channel = Channel::new();
        let segment = Segment::open_or_create(channel.key(), size, 0o600).unwrap().0;
        let hint = format!("--layout '{spec}'");
        let text = spec.split(',').next().unwrap();
        for run in [channel.reader([""; 0]), channel.writer(["x"])] {
            run.end().code(4).says(&[&hint, &format!("the tutorial's struct with {text}")]);
        }
        drop(segment);
        let reader = seated_reader(&channel, spec, &[]);
        channel.writer(["-q", "--layout", spec]).input("hello\n").end().code(0);
        reader.end().code(0).prints("hello\n");
    }
    let channel = Channel::new();
    let _segment = Segment::open_or_create(channel.key(), 77, 0o600).unwrap();
    let said = channel.reader([""; 0]).end().code(4).stderr.clone();
    assert!(!said.contains("--layout"), "it looks like nothing that is known: {said}");
}

// Texts.

#[test]
fn a_text_is_the_tutorial_s_with_another_length() {
    for spec in [TEXT, "text[64]", "struct { char line[64]; char ready; }", "text[64],size>=4096,full=7"] {
        let channel = Channel::new();
        let input = format!("one\n\n{}\nlast\n", "z".repeat(62));
        let reader = seated_reader(&channel, spec, &["--format=label"]);
        channel.writer(["-q", "--layout", spec]).input(&*input).end().code(0);
        let labelled = input.lines().fold(String::new(), |text, line| text + "You wrote: " + line + "\n");
        reader.end().code(0).prints(labelled + "You wrote: end\n");
    }
    // `end` by itself, and at the beginning of a line.
    let (reader, writer) = session(TEXT, &[], &[], "one\nend\n");
    reader.code(0).prints("one\n");
    writer.code(0);
    let (reader, writer) = session_that_fails(TEXT, &["one", "endless"], "");
    writer.code(5).says(&["TEXT number 2", "begins with `end`", "1 message sent"]);
    reader.code(3).prints("one\n");
}

#[test]
fn a_line_that_is_too_long_follows_the_policy() {
    let long = "z".repeat(63) + "\n";
    let (reader, writer) = session_of_long("error", &long);
    writer.code(5).says(&["line 2", "more than 63 bytes", "--long split"]);
    reader.code(3).prints("a\n");
    let (reader, writer) = session_of_long("split", &long);
    writer.code(0);
    reader.code(0).prints(format!("a\n{long}b\n"));
    let (reader, writer) = session_of_long("truncate", &long);
    writer.code(0).says(&["line 2 was cut to 63 bytes"]);
    reader.code(0).prints(format!("a\n{}\nb\n", "z".repeat(62)));
}

fn session_of_long(policy: &str, long: &str) -> (Ended, Ended) {
    let channel = Channel::new();
    let reader = seated_reader(&channel, "text[64]", &[]);
    let writer = channel.writer(["--layout=text[64]", "--long", policy]).input(format!("a\n{long}b\n")).end();
    (reader.end(), writer)
}

/// Nothing behind it is left out in silence.
#[test]
fn a_nul_within_a_text_is_refused_however_it_came() {
    for (line, printed, code) in [
        (r#"{"text":{"base64":"YQBiAGMAZAA="}}"#, "", 5),
        (r#"{"text":{"base64":"YWIAAA=="}}"#, "ab", 0),
        (r#"{"text":"a\u0000b"}"#, "", 5),
    ] {
        let channel = Channel::new();
        let reader = seated_reader(&channel, "text[64]", &[]);
        let writer = channel.writer(["--layout=text[64]", "--json"]).input(line).end();
        writer.code(code);
        if code == 5 {
            writer.says(&["line 1", "NUL"]);
        }
        reader.end().prints(printed);
    }
}

#[test]
fn the_fields_of_a_text_are_its_text() {
    let spec = "struct { int written; char line[16]; }";
    let (reader, writer) = session(
        spec,
        &["--format=json"],
        &["--json"],
        r#"{"line":"hello\n"}
{"fields":{"line":"é"},"seq":1,"bytes":2,"end":false}
{"line":{"base64":"//4="}}
"#,
    );
    writer.code(0);
    let base64 = base64::engine::general_purpose::STANDARD.encode([&[255, 254][..], &[0; 14]].concat());
    assert_eq!(
        objects(reader.code(0)),
        [
            json!({"seq": 1, "bytes": 6, "end": false, "fields": {"line": "hello\n"}}),
            json!({"seq": 2, "bytes": 2, "end": false, "fields": {"line": "é"}}),
            json!({"seq": 3, "bytes": 2, "end": false, "fields": {"line": {"base64": base64}}}),
            json!({"seq": 4, "bytes": 4, "end": true, "fields": {"line": "end\n"}}),
        ]
    );
    let (_, writer) = session_that_fails(spec, &["--json"], r#"{"line":"0123456789abcdef"}"#);
    writer.code(5).says(&["line 1", "line: expected a string of at most 15 bytes"]);
    let (reader, writer) = session(spec, &[], &["--json"], "{\"line\":\"end\\n\"}\n");
    writer.code(0);
    reader.code(0).prints("");
}

/// As [`session`], with a writer that fails: its reader ends by that.
fn session_that_fails(spec: &str, writer: &[&str], input: impl Into<Vec<u8>>) -> (Ended, Ended) {
    let channel = Channel::new();
    let reader = seated_reader(&channel, spec, &[]);
    let writer = channel.writer([&["-q", "--layout", spec], writer].concat()).input(input).end();
    (reader.end(), writer)
}

// Records.

#[test]
fn records_come_out_as_they_went_in() {
    let mut bytes = vec![0; 4 * 921_600];
    let Ok(()) = File::open("/dev/urandom").and_then(|mut file| std::io::Read::read_exact(&mut file, &mut bytes))
    else {
        return skipped("there is no /dev/urandom");
    };
    for (spec, len) in [
        (IMAGE, bytes.len()),
        (SAMPLE, 20 * 5000),
        ("struct { char a; int flag; char b; },data=a+b", 2000),
        ("flag=u8@3,data=1@0+1@2,size=4", 0),
        (SAMPLE, 0),
    ] {
        for raw in [&[][..], &["--raw"]] {
            let (reader, writer) = session(spec, raw, raw, &bytes[..len]);
            writer.code(0).says_nothing();
            reader.code(0).prints(&bytes[..len]).says_nothing();
        }
    }
}

/// A record is sent when it is whole, and is not held back until more comes.
#[test]
fn a_record_may_come_in_pieces() {
    let channel = Channel::new();
    let mut reader = seated_reader(&channel, SAMPLE, &[]);
    let mut writer = channel.seated_writer(&["-q", "--layout", SAMPLE]);
    let all: Vec<u8> = (0..60).collect();
    writer.type_in(&all[..19]);
    writer.type_in(&all[19..45]);
    reader.until_prints(&all[..40]);
    reader.stays(&all[..40]);
    writer.type_in(&all[45..]);
    writer.close_input();
    writer.end().code(0);
    reader.end().code(0).prints(all);
    channel.assert_nothing_left();
}

#[test]
fn a_short_last_record_is_not_sent() {
    for left in [1, 19] {
        let all = vec![7; 40 + left];
        let (reader, writer) = session_that_fails(SAMPLE, &[], all.clone());
        writer.code(5).says(&["record 3", &format!("{left} byte"), "has 20", "2 messages sent"]);
        reader.code(3).prints(&all[..40]);
    }
}

#[test]
fn a_text_is_no_record() {
    let channel = Channel::new();
    channel.writer(["--layout", SAMPLE, "hello"]).end().code(2).says(&["--json"]);
    assert_eq!(channel.stat(), None);
    // Nor where the other side has declared it; that one goes on.
    let spec = "flag=i32@0,data=8@4,size=12";
    let reader = seated_reader(&channel, spec, &["--count=1"]);
    channel.writer(["hello"]).end().code(2).says(&["--json"]);
    channel.writer([""; 0]).input("12345678").end().code(0);
    reader.end().code(0).prints("12345678");
}

#[test]
fn count_keep_and_no_end_of_records() {
    let channel = Channel::new();
    let reader = seated_reader(&channel, SAMPLE, &["--count=2"]);
    channel.writer(["-q", "--no-end", "--layout", SAMPLE]).input(vec![1; 60]).end().code(0);
    reader.end().code(0).prints([1; 40]);
    assert!(channel.stat().is_some(), "only an end removes");
    let reader = seated_reader(&channel, SAMPLE, &["--keep"]);
    channel.writer(["-q", "--layout", SAMPLE]).input(vec![2; 20]).end().code(0);
    reader.end().code(0).prints([[1; 20], [2; 20]].concat());
    assert!(channel.stat().is_some(), "it was to be kept");
    // The end was met, and is not the next session's.
    let mut reader = seated_reader(&channel, SAMPLE, &[]);
    reader.stays("");
    channel.writer(["-q", "--layout", SAMPLE]).input("").end().code(0);
    reader.end().code(0).prints("");
    channel.assert_nothing_left();
}

#[test]
fn a_record_that_the_output_does_not_take_is_there_for_the_next_reader() {
    let Ok(full) = OpenOptions::new().write(true).open("/dev/full") else {
        return skipped("there is no /dev/full");
    };
    let channel = Channel::new();
    let reader = channel.reader(["-q", "--layout", SAMPLE]).output_to(full).start();
    let writer = channel.writer(["-q", "--no-end", "--layout", SAMPLE]).input(vec![5; 20]).start();
    reader.end().code(1).says(&["ENOSPC", "not released"]);
    channel.reader(["-q", "--layout", SAMPLE, "--count=1"]).end().code(0).prints([5; 20]);
    writer.end().code(0);
}

// How they are printed.

#[test]
fn formats() {
    let records = [sample([1, -2, 3], 0.5), sample([4, 5, 6], -1e300)].concat();
    let (reader, _) = session(SAMPLE, &["--format=json"], &[], records.clone());
    assert_eq!(
        objects(reader.code(0)),
        [
            json!({"seq": 1, "bytes": 20, "end": false, "fields": {"mat": [1, -2, 3], "when": 0.5}}),
            json!({"seq": 2, "bytes": 20, "end": false, "fields": {"mat": [4, 5, 6], "when": -1e300}}),
            json!({"seq": 3, "bytes": 0, "end": true}),
        ]
    );
    let (reader, _) = session(SAMPLE, &["--format=plain"], &[], records.clone());
    reader.code(0).prints(&records);
    let hex: String = records.chunks(20).fold(String::new(), |text, record| {
        record.iter().fold(text, |text, byte| text + &format!("{byte:02x}")) + "\n"
    });
    let (reader, _) = session(SAMPLE, &["--format=hex"], &[], records);
    reader.code(0).prints(hex);
    let channel = Channel::new();
    channel.reader(["--layout", SAMPLE, "--format=label"]).end().code(2).says(&["--format label", "--format json"]);
    assert_eq!(channel.stat(), None);
}

/// Of texts and of a ring's messages, too; together they are what went in.
#[test]
fn hex() {
    for layout in [&[][..], &["--ring=64K"], &["--layout=text[64]"]] {
        let channel = Channel::new();
        let reader = channel.seated_reader(&[layout, &["--format=hex"]].concat());
        channel.writer(layout).input("a\n\n\u{e9}").end().code(0);
        reader.end().code(0).prints("610a\n0a\nc3a9\n");
        channel.assert_nothing_left();
    }
}

// Fields as input.

#[test]
fn what_json_prints_is_what_json_takes() {
    for spec in [
        SAMPLE,
        TEXT,
        "struct { int flag; struct { float x, y; } p[2]; unsigned char raw[65]; bool on; },data=p+raw+on",
    ] {
        let records = match spec {
            TEXT => b"one\ntwo\nend\n".to_vec(),
            SAMPLE => [sample([1, 2, 3], f64::NAN), sample([0; 3], 7.25)].concat(),
            _ => (0..82).collect(),
        };
        let (first, writer) = session(spec, &["--format=json"], &[], records.clone());
        writer.code(0);
        let (second, writer) = session(spec, &["--format=json"], &["--json"], first.code(0).stdout.clone());
        writer.code(0).says_nothing();
        second.code(0).prints(&first.stdout);
    }
}

#[test]
fn an_object_can_be_a_text_argument() {
    let channel = Channel::new();
    let reader = seated_reader(&channel, SAMPLE, &["--count=2"]);
    let writer = ["-q", "--layout", SAMPLE, "--json", r#"{"mat":[1,2,3],"when":4}"#, r#"{"when":0,"mat":[0,0,0]}"#];
    channel.writer(writer).end().code(0);
    reader.end().code(0).prints([sample([1, 2, 3], 4.0), sample([0; 3], 0.0)].concat());
}

#[test]
fn a_bad_object_is_named_with_its_line_and_field() {
    for (line, says) in [
        (r#"{"mat":[1,2],"when":0}"#, "mat: expected an array of 3"),
        (r#"{"mat":[1,2,"x"],"when":0}"#, "mat[2]: expected an integer"),
        (r#"{"mat":[1,2,3]}"#, "when: expected a number"),
        (r#"{"mat":[1,2,3],"when":0,"who":1}"#, "who: expected no field but mat, when"),
        ("nonsense", "no JSON"),
        ("", "no JSON"),
    ] {
        let good = r#"{"mat":[1,2,3],"when":0}"#;
        let (reader, writer) = session_that_fails(SAMPLE, &["--json"], format!("{good}\n{line}\n{good}\n"));
        writer.code(5).says(&["line 2 can't be sent", says, "1 message sent"]);
        reader.code(3).prints(sample([1, 2, 3], 0.0));
    }
    let channel = Channel::new();
    let writer = channel.writer(["-q", "--layout", SAMPLE, "--json", "{}"]).end();
    writer.code(5).says(&["TEXT number 1", "mat: expected"]);
}

#[test]
fn an_end_among_objects_is_the_last_one() {
    let end = r#"{"seq":1,"bytes":0,"end":true}"#;
    let channel = Channel::new();
    let reader = seated_reader(&channel, SAMPLE, &[]);
    let writer = channel.writer(["-q", "--layout", SAMPLE, "--json"]).input(format!("{end}\n{end}\n")).end();
    writer.code(5).says(&["`end` ended the session", "more input"]);
    reader.end().code(0).prints("");
}

#[test]
fn json_and_reply_need_a_layout() {
    let channel = Channel::new();
    channel.writer(["--json"]).end().code(2).says(&["--layout"]);
    channel.writer(["--reply"]).end().code(2).says(&["--layout"]);
    channel.writer(["--layout", SAMPLE, "--reply"]).end().code(2).says(&["--reply", "reply=NAME"]);
    channel.writer(["--layout", SAMPLE, "--json", "--raw"]).end().code(2).says(&["--json", "--raw"]);
    assert_eq!(channel.stat(), None);
}

// Answers.

const ASK: &str =
    "struct { int written; int question; int answer; unsigned char left; },data=question,reply=answer+left";

/// A reader that answers each question with its double, and with one more than it in a byte.
fn doubling(channel: &Channel) -> std::thread::JoinHandle<Result<(), RecvError>> {
    let options = Options::declared(channel.key(), &ASK.parse().unwrap());
    let mut reader = Reader::<SysV>::open(&options).unwrap();
    std::thread::spawn(move || {
        loop {
            let mut message = reader.peek()?;
            if message.ends_session() {
                return Ok(message.end_session()?);
            }
            let question = i32::from_ne_bytes(message.text().try_into().unwrap());
            let answer = [&(2 * question).to_ne_bytes()[..], &[u8::try_from(question + 1).unwrap()]].concat();
            message.reply(&answer)?;
            message.release();
        }
    })
}

#[test]
fn answers_are_printed_as_bytes_or_as_fields() {
    let channel = Channel::new();
    let reader = doubling(&channel);
    let questions: Vec<u8> = (1..=20).flat_map(i32::to_ne_bytes).collect();
    let answers: Vec<u8> = (1..=20_u8)
        .flat_map(|question| [&i32::from(2 * question).to_ne_bytes()[..], &[question + 1]].concat())
        .collect();
    channel.writer(["-q", "--layout", ASK, "--reply"]).input(questions).end().code(0).prints(answers).says_nothing();
    reader.join().unwrap().unwrap();
    channel.assert_nothing_left();

    let reader = doubling(&channel);
    let writer = channel.writer(["-q", "--layout", ASK, "--reply", "--json"]);
    let writer = writer.input("{\"question\":1}\n{\"question\":21}\n").end();
    writer.code(0).prints("{\"answer\":2,\"left\":2}\n{\"answer\":42,\"left\":22}\n").says_nothing();
    reader.join().unwrap().unwrap();
    channel.assert_nothing_left();
}

/// What was asked counts as sent, whatever becomes of its answer.
#[test]
fn a_question_without_an_answer() {
    let channel = Channel::new();
    let options = Options::declared(channel.key(), &ASK.parse().unwrap());
    let reader = Reader::<SysV>::open(&options).unwrap();
    let writer = ["-q", "--layout", ASK, "--reply", "--timeout=50ms"];
    channel.writer(writer).input(1_i32.to_ne_bytes()).end().code(124).prints("").says(&["1 message sent"]);
    drop(reader);
    let full = OpenOptions::new().write(true).open("/dev/full");
    let Ok(full) = full else { return skipped("there is no /dev/full") };
    let reader = doubling(&channel);
    let writer = channel.writer(&writer[..4]).input(2_i32.to_ne_bytes()).output_to(full).end();
    writer.code(1).says(&["ENOSPC", "1 message sent"]);
    assert!(matches!(reader.join().unwrap(), Err(RecvError::WriterGone)));
}

/// A line could be cut into pieces one of which is `end`, and a session could not be ended.
#[test]
fn a_text_without_room_for_an_end_is_refused() {
    for (spec, why) in [
        ("text[1]", "a text of 1 byte has no room for `end`"),
        ("text[4]", "a text of 4 bytes has no room for `end`"),
        ("struct { int written; char text[2]; }", "a text of 2 bytes has no room for `end`"),
    ] {
        let channel = Channel::new();
        for run in [channel.reader(["--layout", spec]), channel.writer(["--layout", spec, "--long=split"])] {
            run.end().code(2).prints("").says(&[why, "a text has 5 bytes at least", "data=NAME"]);
        }
        channel.assert_nothing_left();
    }
    let channel = Channel::new();
    let reader = seated_reader(&channel, "text[5]", &[]);
    channel.writer(["--layout=text[5]", "--long=split"]).input("abcdefgh\n").end().code(0);
    reader.end().code(0).prints("abcdefgh\n");
}

/// Nobody writes into it, and a signal would not end the wait.
#[test]
fn a_pipe_without_a_writer_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe.h");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let channel = Channel::new();
    for run in
        [channel.reader(["--layout", pipe.to_str().unwrap()]), channel.writer(["--layout", pipe.to_str().unwrap()])]
    {
        run.end().code(2).prints("").says(&["pipe.h: no process writes to this pipe", "hint: a SPEC is a file"]);
    }
    // One that comes in time is read.
    let mut reader = channel.reader(["--count=1", "--layout", pipe.to_str().unwrap()]).start();
    std::fs::write(&pipe, "struct { int written; char text[64]; };").unwrap();
    channel.await_seated(Role::Reader, &mut reader);
    channel.writer(["hello"]).end().code(0);
    reader.end().code(0).prints("hello\n");
}
