//! A side that asks for no layout takes the other's, whichever comes first; and what is refused.

use crate::support::{Channel, Peer, compile_c};
use serde_json::{Value, json};
use shm_handoff::Role;
use std::path::Path;

const RECORDS: &str = "flag=i32@0,data=8@4,size=12";

/// A writer that has read its input, and waits for a reader.
fn waiting_writer(channel: &Channel, input: &str) -> Peer {
    let mut writer = channel.writer(["-v"]).input(input).start();
    channel.await_seated(Role::Writer, &mut writer);
    writer.until_says("Waiting... no reader");
    writer
}

/// What waits was cut for the layout before.
#[test]
fn what_waits_is_cut_for_the_layout_that_the_reader_brings() {
    let long = "abcdefghij".repeat(20);
    let (line, short) = (format!("{long}\n"), format!("{}\n", &long[..62]));
    for (args, input, printed, code) in [
        (&["--long=split"][..], &*line, &*line, 0),
        (&["--long=truncate"], &line, &short, 0),
        (&["--long=split", &long], "", &line, 0),
        (&["--long=truncate", &long], "", &short, 0),
        (&["--long=error"], &line, "", 5),
    ] {
        let channel = Channel::new();
        let mut writer = channel.writer([&["-v"], args].concat()).input(input).start();
        writer.until_says("Waiting... no reader");
        let mut reader = channel.reader(["--layout=text[64]"]).start();
        reader.until_prints(printed);
        let writer = writer.end();
        writer.code(code);
        assert_eq!(writer.stderr.contains("was cut to 63 bytes"), printed == short, "{writer}");
    }
}

/// Records have no lines: nothing is cut, and nothing is left out.
#[test]
fn of_a_line_that_was_cut_the_whole_goes_as_records() {
    let bytes = "abcdefgh".repeat(1000);
    for policy in ["--long=truncate", "--long=split"] {
        let channel = Channel::new();
        let mut writer = channel.writer(["-v", policy]).input(bytes.clone()).start();
        writer.until_says("Waiting... no reader");
        let reader = channel.reader(["--layout", RECORDS]).end();
        writer.end().code(0);
        reader.code(0).prints(&bytes);
    }
}

#[test]
fn a_text_that_waits_leaves_a_reader_of_records_in_order() {
    let channel = Channel::new();
    let mut writer = channel.writer(["-v", "hello"]).start();
    writer.until_says("Waiting... no reader");
    let mut reader = channel.reader(["--layout", RECORDS]).start();
    writer.until("its end", Peer::has_ended);
    writer.end().code(2).says(&["a TEXT is none"]);
    reader.stays("");
}

#[test]
fn a_reader_that_was_first_moves_to_what_the_writer_asks_for() {
    for (asked, input) in [
        ("--ring", "one\nany\0bytes\n"),
        ("--ring=64K", "one\nend\ntwo"),
        ("--raw", "any\0bytes"),
        ("--layout=text[1024]", "one\ntwo\n"),
        ("--layout=text[16]", "one\ntwo\n"),
        ("--layout=struct { char text[100]; int written; }", "one\ntwo\n"),
        ("--layout=flag=i32@0,data=8@4,size=12", "12345678abc\ndef\n"),
    ] {
        let channel = Channel::new();
        let reader = channel.seated_reader(&[]);
        channel.writer(["-q", asked]).input(input).end().code(0).says_nothing();
        reader.end().code(0).prints(input).says_nothing();
        channel.assert_nothing_left();
    }
}

#[test]
fn a_writer_that_was_first_moves_to_what_the_reader_asks_for() {
    for (asked, input) in [
        ("--ring", "one\ntwo\n"),
        ("--ring=64K", "one\ntwo\n"),
        ("--raw", "one\ntwo\n"),
        ("--layout=text[1024]", "one\ntwo\n"),
        ("--layout=struct { char text[100]; int written; }", "one\ntwo\n"),
        // What it had read as lines, and the rest, is records.
        ("--layout=flag=i32@0,data=8@4,size=12", "1\n2\n3\n45abcdefgh"),
        ("--layout=flag=i32@0,data=8@4,size=12", "1234567\n"),
        // Nothing but the end.
        ("--ring", ""),
        ("--layout=text[1024]", ""),
        ("--layout=flag=i32@0,data=8@4,size=12", ""),
    ] {
        let channel = Channel::new();
        let writer = waiting_writer(&channel, input);
        channel.reader(["-q", asked]).end().code(0).prints(input).says_nothing();
        writer.end().code(0);
        channel.assert_nothing_left();
    }
}

/// The writer sees its reader from when that attaches. It publishes nothing before the reader has looked whether the slot
/// may be replaced.
#[test]
fn a_reader_that_is_slow_behind_its_attachment_is_not_refused() {
    let late = Path::new(env!("CARGO_TARGET_TMPDIR")).join("late.so");
    compile_c("late.c", &["-shared", "-fPIC"], &late);
    for (asked, input) in [("--ring", "one\ntwo\n"), ("--layout=text[1024]", "one\ntwo\n"), ("--ring", "")] {
        let channel = Channel::new();
        let writer = waiting_writer(&channel, input);
        let reader = channel.reader(["-q", asked]).with(|command| {
            command.env("LD_PRELOAD", &late);
        });
        reader.end().code(0).prints(input).says_nothing();
        writer.end().code(0);
        channel.assert_nothing_left();
    }
    // Nor behind that look, in what was replaced: what the slot takes can be too long for what is there now.
    for (args, code, printed) in [(&["-v"][..], 5, ""), (&["-v", "--long=split"], 0, "a line that is longer\n")] {
        let channel = Channel::new();
        let mut writer = channel.writer(args).input("a line that is longer\n").start();
        writer.until_says("Waiting... no reader");
        let reader = channel.reader(["-q", "--layout=text[16]"]).with(|command| {
            command.env("LD_PRELOAD", &late);
        });
        reader.end().prints(printed);
        let ended = writer.end();
        ended.code(code);
        if code == 5 {
            ended.says(&["shmwrite: line 1 can't be sent: it has more than 15 bytes; 0 messages sent"]);
        }
    }
}

/// An end in the new memory is that memory's.
#[test]
fn an_end_that_moves_is_the_ring_s_own() {
    let channel = Channel::new();
    let writer = waiting_writer(&channel, "");
    let reader = channel.reader(["--ring", "--format=json"]).end();
    let object: Value = serde_json::from_slice(&reader.code(0).stdout).unwrap();
    assert_eq!(object, json!({"seq": 1, "bytes": 0, "end": true, "text": ""}));
    writer.end().code(0);
}

/// By the rules of the memory that it goes to.
#[test]
fn a_line_that_does_not_fit_there_is_refused_there() {
    let channel = Channel::new();
    let writer = waiting_writer(&channel, "a line that is longer\n");
    let reader = channel.reader(["--layout=text[16]"]).end();
    writer.end().code(5).says(&["line 1", "more than 15 bytes", "0 messages sent"]);
    reader.code(3).prints("");
    // And is carried where more fits.
    let channel = Channel::new();
    let mut writer = channel.seated_writer(&["--no-end", "-v"]);
    let reader = channel.reader(["--ring=64K", "--count=1"]).start();
    // It looks around now and then. (A count of two says nothing: the kernel counts twice whoever is attaching.)
    writer.until_says("; found segment");
    let long = "z".repeat(4000) + "\n";
    writer.type_in(&long);
    writer.close_input();
    writer.end().code(0);
    reader.end().code(0).prints(long);
}

/// A reader without a word about layouts goes on with records as with bytes, whatever it was to print texts as.
#[test]
fn records_are_printed_as_they_come() {
    let spec = format!("--layout={RECORDS}");
    for (format, printed) in [
        ("--format=label", "abcd\nfgh"),
        ("--format=hex", "616263640a666768\n"),
        (
            "--format=json",
            "{\"seq\":1,\"bytes\":8,\"end\":false,\"text\":\"abcd\\nfgh\"}\n{\"seq\":2,\"bytes\":0,\"end\":true,\"text\":\"\"}\n",
        ),
    ] {
        let channel = Channel::new();
        let reader = channel.seated_reader(&[format]);
        channel.writer(["-q", &spec]).input("abcd\nfgh").end().code(0);
        reader.end().code(0).prints(printed);
    }
}

/// What a struct is that does not look like itself is not known from its hash.
#[test]
fn a_side_that_was_not_told_takes_no_struct_that_it_can_t_know() {
    let spec = "struct { int written; int a; char pad[4]; double b; },data=a+b";
    let channel = Channel::new();
    let _reader = channel.seated_reader(&["-q", "--layout", spec]);
    channel.writer([""; 0]).input("x").end().code(4);
}

// What stays refused.

#[test]
fn no_side_moves_beside_a_c_program() {
    let channel = Channel::new();
    let mut theirs = channel.c_writer().open_input().start();
    channel.await_attached(1);
    let reader = channel.seated_reader(&["-q"]);
    for (asked, named) in [("--ring", "a ring of 2 MiB"), ("--layout=text[1024]", "text=1024@4")] {
        channel.writer([asked]).input("x\n").end().code(4).says(&["a classic slot", named]);
    }
    theirs.type_in("hello\nend\n");
    reader.end().code(0).prints("hello\n").says_nothing();
    theirs.end().code(0);
}

#[test]
fn no_side_moves_away_from_a_message() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&[]);
    reader.stop();
    let mut writer = channel.seated_writer(&[]);
    writer.type_in("hello\n");
    channel.await_full(&mut writer);
    reader.kill();
    for (asked, named) in [("--ring", "a ring of 2 MiB"), ("--layout=text[1024]", "text=1024@4")] {
        channel.reader([asked]).end().code(4).prints("").says(&["a classic slot", named]);
    }
    channel.reader(["--count=1"]).end().code(0).prints("hello\n");
}
