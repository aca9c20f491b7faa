//! What lines can be carried, and what is said of those that can't.

use crate::session;
use crate::support::{Channel, Ended};
use std::io::{Seek, Write};

/// `before` arrives, then the input is refused.
fn refused(input: impl Into<Vec<u8>>, before: &str, texts: &[&str]) -> Ended {
    let (reader, writer) = session(&[], &[], input);
    writer.code(5).prints("").says(texts);
    reader.code(3).prints(before);
    writer
}

#[test]
fn a_nul_is_refused_by_line_and_place() {
    refused("one\ntwo\nab\0cd\nfour\n", "one\ntwo\n", &["line 3", "NUL at byte 2", "2 messages sent"]);
    refused("\0\n", "", &["line 1", "NUL at byte 0", "0 messages sent"]);
}

#[test]
fn a_longer_line_that_begins_with_end_is_refused() {
    for line in ["endless", "end ", "ending\tx"] {
        refused(format!("one\n{line}\nthree\n"), "one\n", &["line 2", "begins with `end`", "1 message sent"]);
    }
}

/// The last line of a file from Windows: what can't be seen is named.
#[test]
fn an_end_with_a_carriage_return_is_called_that() {
    let (what, hint) = ("is `end` with a carriage return", "hint: remove the carriage returns first: tr -d '\\r'");
    for line in ["end\r\n", "end\r"] {
        refused(format!("one\r\n{line}"), "one\r\n", &[&format!("line 2 can't be sent: it {what}"), hint]);
        // A ring takes it as it takes an `end`, which ends nothing there, and says so once.
        let (reader, writer) = session(&["--ring"], &["--ring"], format!("one\r\nend\r\n{line}"));
        reader.code(0).prints(format!("one\r\nend\r\n{line}"));
        writer.code(0).says(&[&format!("warning: line 2 {what}, and was sent as a message"), hint]);
        assert_eq!(writer.stderr.matches(what).count(), 1, "{writer}");
        let (_, writer) = session(&["--ring"], &["--ring", "-q"], line);
        writer.code(0).says_nothing();
    }
    let channel = Channel::new();
    channel.writer(["--ring", "end\r"]).end().code(0).says(&[&format!("TEXT number 1 {what}")]);
}

#[test]
fn near_misses_of_end_are_ordinary_lines() {
    let text = "en\nEnd\nEND\n end\nx end\nnd\ne\n";
    let (reader, writer) = session(&[], &[], text);
    writer.code(0);
    reader.code(0).prints(text);
}

#[test]
fn an_end_line_ends_both_sides() {
    for input in ["one\nend\n", "one\nend"] {
        let (reader, writer) = session(&[], &[], input);
        writer.code(0).says_nothing();
        reader.code(0).prints("one\n").says_nothing();
    }
}

#[test]
fn input_that_remains_after_end_is_reported() {
    let (reader, writer) = session(&[], &[], "one\nend\nthree\n");
    writer.code(5).says(&["line 2", "more input", "2 messages sent"]);
    reader.code(0).prints("one\n");

    let channel = Channel::new();
    let reader = channel.seated_reader(&[]);
    channel.writer(["one", "end", "three"]).end().code(5).says(&["TEXT", "2 messages sent"]);
    reader.end().code(0).prints("one\n");

    let reader = channel.seated_reader(&[]);
    channel.writer(["one", "end"]).end().code(0).says_nothing();
    reader.end().code(0).prints("one\n");
}

#[test]
fn text_arguments_are_refused_by_number() {
    let channel = Channel::new();
    for (bad, why) in [("endless", "begins with `end`"), (&"x".repeat(2047), "2047 bytes")] {
        let mut reader = channel.seated_reader(&["--follow"]);
        channel.writer(["fine", bad, "never"]).end().code(5).says(&["TEXT number 2", why, "1 message sent"]);
        reader.until_prints("fine\n");
        // Killed before it released, it would leave that one to the next.
        channel.await_empty(&mut reader);
    }
}

#[test]
fn bytes_that_are_not_utf8_pass_untouched() {
    let mut input: Vec<u8> = (1..=255).filter(|byte| *byte != b'\n').collect();
    input.extend_from_slice(b"\n\xc3\x28\n\xf0\x9f\n");
    let (reader, writer) = session(&[], &[], input.clone());
    writer.code(0);
    reader.code(0).prints(input);
}

#[test]
fn text_arguments_pass_untouched() {
    use std::os::unix::ffi::OsStrExt;
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&[]);
    let odd = std::ffi::OsStr::from_bytes(b"\xff\xfe");
    channel.writer([std::ffi::OsStr::new("--"), odd, "".as_ref(), "-q".as_ref()]).end().code(0);
    reader.until_prints(b"\xff\xfe\n\n-q\n");
}

#[test]
fn empty_input_is_an_end_alone() {
    let (reader, writer) = session(&[], &["-v"], "");
    writer.code(0).says(&["0 messages sent, 0 B in "]);
    reader.code(0).prints("");
}

#[test]
fn a_last_line_without_newline_arrives_without_it() {
    let (reader, writer) = session(&[], &[], "one\ntwo");
    writer.code(0);
    reader.code(0).prints("one\ntwo");
}

/// Also where it lies behind what is read at once.
#[test]
fn input_behind_an_end_is_noticed_wherever_it_begins() {
    let records = "--layout=struct { int ready; int n; }";
    let object = "{\"seq\":1,\"bytes\":0,\"end\":true}\n";
    // (Each beginning ends where the block does of which the end is the last line.)
    let texts = format!("{}{}\n", format!("{}\n", "x".repeat(1023)).repeat(63), "x".repeat(1019));
    let objects = format!("{{\"n\":10}}\n{}", "{\"n\":1}\n".repeat((65536 - object.len() - 9) / 8));
    for (before, end, args) in
        [("one\n", "end\n", &[][..]), (&texts, "end\n", &[]), (&objects, object, &[records, "--json"])]
    {
        let whole = before.to_owned() + end;
        assert!(whole.len() == 65536 || before == "one\n", "{}", whole.len());
        for (more, code) in [("", 0), ("lost\n", 5)] {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all((whole.clone() + more).as_bytes()).unwrap();
            file.rewind().unwrap();
            let channel = Channel::new();
            let reader = channel.reader(args.iter().copied().filter(|arg| *arg != "--json")).start();
            let writer = channel.writer(args).input_from(file).end();
            writer.code(code);
            if code == 5 {
                writer.says(&["ended the session, and more input comes after it"]);
            }
            reader.end();
        }
    }
}
