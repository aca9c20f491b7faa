//! Segments of other shapes than the tutorial's: what they look like is said. What is received stays as
//! it is, for any flag other than 0 is a message.

use crate::support::{Channel, Ended, Run, SHM_HANDOFF, ipc};
use serde_json::Value;
use shm_handoff::backend::sysv::Segment;
use std::process::Command;

fn tool(channel: &Channel, args: &[&str]) -> Ended {
    let mut command = Command::new(SHM_HANDOFF);
    command.args(args).arg(channel.key().number().to_string());
    Run::new(command).end()
}

fn shown(ended: &Ended) -> String {
    String::from_utf8_lossy(&ended.stdout).into_owned()
}

/// As a program leaves it whose struct has the flag behind its text.
fn flag_last(channel: &Channel, text: &[u8]) {
    drop(Segment::create_new(channel.key(), 2052, 0o600).unwrap());
    ipc::scribble(channel.key().number(), 0, text);
    ipc::scribble(channel.key().number(), 2048, &1_u32.to_ne_bytes());
}

#[test]
fn a_struct_with_its_text_first_is_told() {
    for (text, flag, rest) in
        [(&b"hello\n"[..], "hell", "o\n"), (b"hi\n", "hi\\n", ""), ("你好\n".as_bytes(), "你", "\u{a0}好\n")]
    {
        let channel = Channel::new();
        flag_last(&channel, text);
        let says = |said: &str| {
            assert!(said.contains(&format!("which as text is \"{flag}")), "{said}");
            assert!(said.contains("probably another one"), "{said}");
        };
        says(&shown(tool(&channel, &["stat"]).code(0)));
        let json: Value = serde_json::from_slice(&tool(&channel, &["stat", "--json"]).code(0).stdout).unwrap();
        assert_eq!(json["flag"], u32::from_ne_bytes([text[0], text[1], text[2], *text.get(3).unwrap_or(&0)]));
        let report: Value = serde_json::from_slice(&tool(&channel, &["doctor", "--json"]).code(1).stdout).unwrap();
        let this = format!("key {} ", channel.key().number());
        let findings = report["findings"].as_array().unwrap();
        let is_it = |found: &&Value| found["check"] == "key" && found["what"].as_str().unwrap().contains(&this);
        let found = findings.iter().find(is_it).unwrap();
        says(found["what"].as_str().unwrap());
        assert_eq!(found["level"], "problem");
        says(&tool(&channel, &["rm"]).code(1).stderr);
        // A side of ours that comes there.
        let writer = channel.writer(["--timeout=1ms", "x"]).end();
        says(&writer.code(124).stderr);
        let quiet = channel.writer(["--timeout=1ms", "-q", "x"]).end();
        assert!(!quiet.code(124).stderr.contains("warning"), "{quiet}");
        let reader = channel.reader(["--count=1"]).end();
        says(&reader.code(0).stderr);
        assert_eq!(reader.stderr.matches("warning").count(), 1, "{reader}");
        let bytes = if rest.starts_with('\u{a0}') { text[4..].to_vec() } else { rest.as_bytes().to_vec() };
        reader.prints(bytes);
    }
}

/// Numbers are no text, and any of them is a message: D12.
#[test]
fn a_flag_that_counts_is_a_message_like_any_other() {
    for flag in [1_u32, 2, 65, 1000, 65_536, u32::MAX] {
        let channel = Channel::new();
        drop(Segment::create_new(channel.key(), 2052, 0o600).unwrap());
        ipc::scribble(channel.key().number(), 4, b"hello\n");
        ipc::scribble(channel.key().number(), 0, &flag.to_ne_bytes());
        channel.reader(["--count=1"]).end().code(0).prints("hello\n").says_nothing();
    }
}

/// Once, however many come.
#[test]
fn the_warning_comes_once_and_not_at_all_if_quiet() {
    for (quiet, times) in [(&[][..], 1), (&["-q"][..], 0)] {
        let channel = Channel::new();
        let mut reader = channel.seated_reader(&[&["--count=3"], quiet].concat());
        let held = ipc::Attached::at(channel.key().number()).unwrap();
        for _ in 0..3 {
            // The reader sets the flag, which to the other program is its text, to 0.
            held.words()[0].store(u32::from_ne_bytes(*b"hell"), std::sync::atomic::Ordering::Release);
            reader.until("it is taken", |_| held.words()[0].load(std::sync::atomic::Ordering::Acquire) == 0);
        }
        let ended = reader.end();
        assert_eq!(ended.code(0).stderr.matches("warning").count(), times, "{ended}");
    }
}

#[test]
fn a_size_of_the_tutorial_s_family_is_named() {
    for (size, what) in
        [(1028, "text[1024]"), (4100, "text[4096]"), (104, "text[100]"), (4104, "two of"), (16384, "more than")]
    {
        let channel = Channel::new();
        drop(Segment::create_new(channel.key(), size, 0o600).unwrap());
        for run in [channel.reader([""; 0]), channel.writer(["x"])] {
            run.end().code(4).says(&[&format!("it has {size} bytes, as "), what, "a classic slot has 2052"]);
        }
        tool(&channel, &["stat"]).code(4).says(&[what]);
    }
}

/// Who asks for more than there is gets EINVAL, of which nobody tells us: so it is said after a while.
#[test]
fn whoever_waits_alone_says_how_large_its_slot_is() {
    let what = ["exactly 2052 bytes", "EINVAL"];
    let channels: [Channel; 4] = std::array::from_fn(|_| Channel::new());
    let [one, other, quiet, ring] = &channels;
    let mut silent = [quiet.seated_reader(&["-q"]), ring.seated_reader(&["--ring=64K"])];
    let mut loud = [one.seated_reader(&[]), other.writer(["x"]).start()];
    for peer in &mut loud {
        for what in what {
            peer.until_says(what);
        }
    }
    for peer in &mut silent {
        assert_eq!(peer.said(), "");
    }
    // SAFETY: no memory is involved.
    let id = unsafe { libc::shmget(one.key().number().cast_signed(), 4100, 0o666 | libc::IPC_CREAT) };
    assert_eq!((id, std::io::Error::last_os_error().raw_os_error()), (-1, Some(libc::EINVAL)));
    let doctor = shown(&tool(one, &["doctor"]));
    assert!(what.iter().all(|what| doctor.contains(what)), "{doctor}");
    // It is said once, and the wait goes on.
    one.writer(["hello"]).input("").end().code(0);
    loud[0].until_prints("hello\n");
    assert_eq!(loud[0].said().matches("exactly").count(), 1);
}
