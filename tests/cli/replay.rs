//! `shm-handoff replay`: at which pace, into which channels, every exit code, and what it lists.

use crate::record::{Between, fleeting, replay};
use crate::support::{Channel, Run, SHM_HANDOFF, numbers};
use crate::terminal::Line;
use serde_json::Value;
use shm_handoff::Role;
use shm_handoff::backend::sysv::{Options, SysV};
use shm_handoff::cli::record::format::{Entry, Header, Kind, Session, Shape, end_to_bytes};
use shm_handoff::{Reader, Received};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// A recording of a ring's session, made by hand: messages, each with the gap before it in ms, and the end.
fn recording(file: &Path, messages: &[(u64, &[u8])], ends: bool) {
    recording_of(file, Shape::Ring, messages, ends);
}

fn recording_of(file: &Path, shape: Shape, messages: &[(u64, &[u8])], ends: bool) {
    recording_with(file, (shape, ""), messages, ends.then_some(b""));
}

/// With these terms, and this text as the end.
fn recording_with(file: &Path, (shape, terms): (Shape, &str), messages: &[(u64, &[u8])], end: Option<&[u8]>) {
    let (mut time, stream, size) = (1_700_000_000_000_000_000, 7, 65536);
    let mut bytes = Header { stream, shape, size, time }.to_bytes().to_vec();
    let session = Session { stream, shape, size, terms: terms.to_owned() };
    Entry { kind: Kind::Session, time, step: 0, position: 0 }.append(&session.to_bytes(), &mut bytes);
    let mut position = 0;
    for (gap, text) in messages {
        time += gap * 1_000_000;
        position += 8 + (text.len() as u64).next_multiple_of(8);
        Entry { kind: Kind::Message, time, step: gap * 1_000_000, position }.append(text, &mut bytes);
    }
    if let Some(end) = end {
        Entry { kind: Kind::End, time, step: 0, position: position + 8 }.append(&end_to_bytes(0, end), &mut bytes);
    }
    std::fs::write(file, bytes).unwrap();
}

/// `replay` of the file to the second channel.
fn play(between: &Between, more: &[&str]) -> Run {
    let key = between.to.key().number().to_string();
    replay(&[&[between.file().to_str().unwrap(), &key], more].concat())
}

#[test]
fn what_was_recorded_comes_again() {
    for ring in [&[][..], &["--ring"]] {
        let between = Between::new();
        let mut recorder = between.record_alone(ring).start();
        between.from.await_seated(Role::Reader, &mut recorder);
        between.from.writer([""; 0]).input(numbers(0..300)).end().code(0);
        recorder.end().code(0);
        let reader = between.to.seated_reader(ring);
        play(&between, &["--speed=max"]).end().code(0).says_nothing();
        reader.end().code(0).prints(numbers(0..300));
        between.to.assert_nothing_left();
    }
}

#[test]
fn the_channel_is_made_like_the_recorded_one() {
    let between = Between::new();
    recording(&between.file(), &[(0, b"x")], false);
    play(&between, &[]).end().code(0);
    let made = between.to.stat().unwrap().size;
    let other = Channel::new();
    other.writer(["--ring=64K", "--no-end", "x"]).end().code(0);
    assert_eq!(made, other.stat().unwrap().size);
}

#[test]
fn gaps_are_kept() {
    let between = Between::new();
    recording(&between.file(), &[(0, b"a"), (300, b"b"), (200, b"c")], true);
    for (speed, least) in [(&[][..], 500), (&["--speed=5"], 100), (&["--speed=0.5"], 1000), (&["--speed=max"], 0)] {
        let mut reader = Reader::<SysV>::open(&Options::any_ring(between.to.key())).unwrap();
        let player = play(&between, speed).start();
        let mut text = vec![0; 1 << 19];
        assert_eq!(reader.recv(&mut text), Ok(Received::Message(1)));
        let first = Instant::now();
        assert_eq!(reader.recv(&mut text), Ok(Received::Message(1)));
        assert_eq!(reader.recv(&mut text), Ok(Received::Message(1)));
        // The reader may see the first one late, and so the others sooner behind it.
        let took = first.elapsed() + Duration::from_millis(least / 4);
        assert!(took >= Duration::from_millis(least), "{speed:?}: {took:?}");
        assert_eq!(reader.recv(&mut text), Ok(Received::End));
        reader.end_session().unwrap();
        player.end().code(0);
    }
}

#[test]
fn a_message_at_each_enter() {
    let between = Between::new();
    recording(&between.file(), &[(0, b"one\n"), (5000, b"two\x1b\n")], true);
    let mut reader = between.to.seated_reader(&["--ring"]);
    let mut player = play(&between, &["--step"]).open_input().start();
    player.until_says("1/3  +0.000000 s  4 bytes: one\\n");
    reader.stays("");
    player.type_in("\n");
    player.until_says("2/3  +5.000000 s  5 bytes: two\\u{1b}\\n");
    reader.until_prints("one\n");
    reader.stays("one\n");
    player.type_in("\n\n");
    player.end().code(0).says(&["3/3", "the end of the session"]);
    reader.end().code(0).prints("one\ntwo\x1b\n");
}

#[test]
fn the_end_of_the_input_leaves_the_rest_out() {
    let between = Between::new();
    recording(&between.file(), &[(0, b"one\n"), (0, b"two\n")], true);
    let mut reader = between.to.seated_reader(&["--ring"]);
    play(&between, &["--step"]).input("\n").end().code(0);
    reader.until_prints("one\n");
    // It has left in order.
    reader.stays("one\n");
    between.to.writer([""; 0]).end().code(0);
    reader.end().code(0);
}

#[test]
fn a_terminal_that_hangs_up_is_no_end_of_the_input() {
    for (ignores, code, said) in [(false, 129, "ended by SIGHUP; 0 messages sent"), (true, 0, "")] {
        let between = Between::new();
        recording(&between.file(), &[(0, b"one\n")], true);
        let line = Line::new();
        let mut player = line.start(play(&between, &["--step"]), ignores);
        player.until_says("Enter sends it, Ctrl-D leaves: ");
        line.hang_up();
        player.end().code(code).says(&[said]);
    }
}

#[test]
fn a_quiet_one_sends_at_each_enter_without_a_word() {
    let between = Between::new();
    recording(&between.file(), &[(0, b"one\n")], true);
    let reader = between.to.seated_reader(&["--ring"]);
    play(&between, &["--step", "-q"]).input("\n\n").end().code(0).says_nothing();
    reader.end().code(0).prints("one\n");
    // Nor is anybody asked at a terminal.
    let line = Line::new();
    let mut player = line.start(play(&between, &["--step", "-q", "--ring"]), false);
    between.to.await_seated(Role::Writer, &mut player);
    player.signal(libc::SIGTERM);
    assert_eq!(player.end().code(143).stderr.lines().count(), 1);
}

/// Messages that nobody took are not counted as sent, and no message is passed over.
#[test]
fn a_reader_that_leaves_ends_it_or_is_followed_by_another() {
    let texts: Vec<String> = (0..2000).map(|number| format!("{number:050}\n")).collect();
    let messages: Vec<(u64, &[u8])> = texts.iter().map(|text| (0, text.as_bytes())).collect();
    for (shape, layout) in [(Shape::Classic, &[][..]), (Shape::Ring, &["--ring=64K"])] {
        let between = Between::new();
        recording_of(&between.file(), shape, &messages, true);
        for ends in [&[][..], &["--no-end"]] {
            let first = between.to.seated_reader(&[layout, &["--count=1"]].concat());
            let player = play(&between, &[layout, &["--speed=max"], ends].concat()).end();
            player.code(3).says(&["the reader left or died", "--follow"]);
            assert!(!player.stderr.contains("2000 messages sent"), "{player}");
            first.end().code(0).prints(&texts[0]);
            // What lies there is the beginning of the rest.
            let left = between.to.reader([layout, &["--timeout=50ms"]].concat()).end();
            let taken = String::from_utf8_lossy(&left.stdout).into_owned();
            assert!(texts[1..].concat().starts_with(&taken), "{left}");
            let sent = 1 + taken.lines().count();
            assert!(player.stderr.contains(&format!("; {sent} message")), "{sent} came: {player}");
        }
        let first = between.to.seated_reader(&[layout, &["--count=1"]].concat());
        let player = play(&between, &[layout, &["--speed=max", "--follow"]].concat()).start();
        first.end().code(0).prints(&texts[0]);
        between.to.reader(layout).end().code(0).prints(texts[1..].concat());
        player.end().code(0);
    }
}

#[test]
fn an_end_that_is_left_out_counts_for_nothing() {
    let between = Between::new();
    let mut bytes = Header { stream: 7, shape: Shape::Ring, size: 65536, time: 1 }.to_bytes().to_vec();
    Entry { kind: Kind::End, time: 1, step: 0, position: 8 }.append(&end_to_bytes(0, b""), &mut bytes);
    let later = 3_600_000_000_000;
    Entry { kind: Kind::Message, time: 1 + later, step: later, position: 24 }.append(b"one\n", &mut bytes);
    std::fs::write(between.file(), bytes).unwrap();
    let reader = between.to.seated_reader(&["--ring", "--count=1"]);
    play(&between, &["--no-end"]).end().code(0);
    reader.end().code(0).prints("one\n");
    let mut reader = between.to.seated_reader(&["--ring"]);
    play(&between, &["--no-end", "--step"]).input("\n").end().code(0).says(&["1/1  +0.000000 s"]);
    reader.until_prints("one\n");
}

#[test]
fn the_end_can_be_left_out() {
    let between = Between::new();
    recording(&between.file(), &[(0, b"one\n")], true);
    let mut reader = between.to.seated_reader(&["--ring"]);
    play(&between, &["--no-end"]).end().code(0);
    reader.until_prints("one\n");
    reader.stays("one\n");
    play(&between, &[]).end().code(0);
    reader.end().code(0).prints("one\none\n");
}

#[test]
fn an_end_in_the_middle_is_an_end() {
    let between = Between::new();
    let mut recorder = between.record_alone(&["--ring"]).start();
    between.from.await_seated(Role::Reader, &mut recorder);
    between.from.writer([""; 0]).input("one\n").end().code(0);
    recorder.end().code(0);
    let mut recorder = between.record_alone(&[]).start();
    between.from.await_seated(Role::Reader, &mut recorder);
    between.from.writer([""; 0]).input("two\n").end().code(0);
    recorder.end().code(0);
    let first = between.to.seated_reader(&["--ring"]);
    let player = play(&between, &["--speed=max"]).start();
    first.end().code(0).prints("one\n");
    between.to.reader(["--ring"]).end().code(0).prints("two\n");
    player.end().code(0);
}

#[test]
fn a_text_that_ended_a_session_is_sent_as_the_layout_can() {
    for ring in [true, false] {
        let between = Between::new();
        let mut recorder = between.record_alone(&[]).start();
        between.from.await_seated(Role::Reader, &mut recorder);
        between.from.c_writer().input("one\nendless\n").end();
        recorder.end().code(0);
        let reader = between.to.seated_reader(if ring { &["--ring"] } else { &[] });
        let played = play(&between, &["--speed=max"]).end();
        played.code(0);
        if ring {
            reader.end().code(0).prints("one\nendless\n");
        } else {
            played.says(&["is sent as `end`"]);
            reader.end().code(0).prints("one\n");
        }
    }
}

// What can't be carried, and other errors.

#[test]
fn nothing_is_sent_if_not_all_can_be() {
    for (bad, why) in [(&[b'x'; 3000][..], "more than 2047 bytes"), (b"a\0b", "NUL"), (b"end\n", "`end` alone")] {
        let between = Between::new();
        recording(&between.file(), &[(0, b"one\n"), (0, bad)], true);
        let mut reader = between.to.seated_reader(&["--layout=text[2048]"]);
        play(&between, &[]).end().code(5).says(&["message 2: ", why, "0 messages sent", "--ring"]);
        reader.stays("");
    }
    let between = Between::new();
    recording(&between.file(), &[(0, &vec![b'x'; 20_000])], false);
    play(&between, &["--ring=64K"]).end().code(5).says(&["message 1: "]);
    // To a ring the text of an end goes as a message.
    let between = Between::new();
    recording_with(&between.file(), (Shape::Classic, ""), &[(0, b"one\n")], Some(&vec![b'x'; 20_000]));
    play(&between, &["--ring=64K"]).end().code(5).says(&["the end's text: ", "0 messages sent"]);
    play(&between, &["--ring=64K", "--no-end"]).end().code(0);
}

/// The reader that is waited for can bring another layout than the one for which all was checked.
#[test]
fn nothing_is_sent_if_the_reader_s_layout_carries_not_all_of_it() {
    for (layout, code, printed) in [("text[16]", 5, ""), ("text[64]", 0, "short\nlonger than 15 bytes\n")] {
        let between = Between::new();
        let messages: [(u64, &[u8]); 2] = [(0, b"short\n"), (0, b"longer than 15 bytes\n")];
        recording_of(&between.file(), Shape::Classic, &messages, true);
        let mut player = play(&between, &["--speed=max"]).start();
        player.until_says("Waiting... no reader is at");
        let mut reader = between.to.reader(["--layout", layout]).start();
        let player = player.end();
        player.code(code);
        if code == 5 {
            player.says(&["message 2: ", "more than 15 bytes; 0 messages sent", "--ring=CAPACITY"]);
            assert!(!player.stderr.contains("--long"), "{player}");
            reader.stays("");
        } else {
            reader.end().code(0).prints(printed);
        }
    }
}

#[test]
fn a_larger_ring_is_what_carries_more_than_a_ring_does() {
    let between = Between::new();
    recording(&between.file(), &[(0, &vec![b'x'; 20_000])], false);
    let key = between.to.key().number();
    let remove = format!("remove the ring that is there first (shm-handoff rm {key}), then: --ring=CAPACITY");
    play(&between, &["--ring=64K"]).end().code(5).says(&["message 1: ", &remove]);
}

#[test]
fn what_is_lost_with_the_memory_is_said() {
    let Some(place) = fleeting() else { return };
    let between = Between::new();
    recording(&between.file(), &[(0, b"one\n"), (0, b"two\n"), (0, b"three\n")], false);
    let (file, key) = (between.file(), place.key());
    let player = |more: &[&str]| {
        let args = ["replay", file.to_str().unwrap(), &key, "--speed=max", "--no-end"];
        place.run(SHM_HANDOFF, &[&args, more].concat())
    };
    let lost = "3 sent before were not received, and are lost; 3 messages sent";
    player(&["--timeout=200ms"]).end().code(124).says(&[lost]);
    let mut left = player(&[]).start();
    left.until_says("was not received yet");
    left.signal(libc::SIGTERM);
    left.end().code(143).says(&["ended by SIGTERM", lost]);
    // A reader that is attached takes what lies there.
    let mut reader = place.reader(&["--follow", "--ring"]).start();
    reader.until("seated", |_| {
        let shown = place.run(SHM_HANDOFF, &["stat", "--json", &key]).end();
        String::from_utf8_lossy(&shown.stdout).contains("\"reader\":{")
    });
    reader.stop();
    let mut left = player(&[]).start();
    left.until_says("was not received yet");
    left.signal(libc::SIGTERM);
    let ended = left.end();
    assert!(!ended.code(143).stderr.contains("lost"), "{ended}");
    reader.go_on();
    reader.until_prints("one\ntwo\nthree\n");
}

#[test]
fn what_is_no_recording_is_input_that_can_t_be_carried() {
    let between = Between::new();
    for key in [&[][..], &["7"]] {
        std::fs::write(between.file(), "my thesis").unwrap();
        replay(&[&[between.file().to_str().unwrap()], key].concat()).end().code(5).says(&["is no recording"]);
        replay(&[&["/dev/null"], key].concat()).end().code(5).says(&["is no regular file"]);
        replay(&[&["/nowhere"], key].concat()).end().code(1).says(&["ENOENT"]);
        // A pipe that nobody writes to is not waited for.
        let pipe = between.file().with_extension("pipe");
        if key.is_empty() {
            nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        }
        replay(&[&[pipe.to_str().unwrap()], key].concat()).end().code(5).says(&["is no regular file"]);
    }
}

#[test]
fn a_torn_end_and_a_damage_are_told_in_a_line() {
    let between = Between::new();
    recording(&between.file(), &[(0, b"one\n"), (0, b"two\n")], true);
    let whole = std::fs::read(between.file()).unwrap();
    let file = between.file();
    let name = file.display();
    std::fs::write(&file, &whole[..whole.len() - 3]).unwrap();
    let torn = format!("shm-handoff replay: {name} ends within an entry: its last 45 bytes are passed over\n");
    for args in [&[][..], &["--json"]] {
        let listed = replay(&[&[file.to_str().unwrap()], args].concat()).end();
        assert_eq!(listed.code(0).stderr, torn);
        assert_eq!(String::from_utf8_lossy(&listed.stdout).lines().count(), 3);
    }
    let reader = between.to.seated_reader(&["--ring", "--count=2"]);
    assert_eq!(play(&between, &[]).end().code(0).stderr, torn);
    reader.end().code(0).prints("one\ntwo\n");
    let mut damaged = whole;
    damaged[64 + 60 + 40] ^= 1;
    std::fs::File::create(&file).unwrap().write_all(&damaged).unwrap();
    let listed = replay(&[file.to_str().unwrap()]).end();
    let left = damaged.len() - 124;
    assert_eq!(
        listed.code(0).stderr,
        format!("shm-handoff replay: {name} is damaged at byte 124: {left} bytes from there on are passed over\n")
    );
    replay(&[file.to_str().unwrap(), "-q"]).end().code(0).says_nothing();
}

#[test]
fn a_reader_that_does_not_come_is_a_timeout() {
    let between = Between::new();
    recording_of(&between.file(), Shape::Classic, &[(0, b"one\n")], true);
    play(&between, &["--timeout=50ms"]).end().code(124).says(&["no reader came", "0 messages sent"]);
    let mut player = play(&between, &[]).start();
    between.to.await_seated(Role::Writer, &mut player);
    player.signal(libc::SIGTERM);
    player.end().code(143);
}

#[test]
fn what_makes_no_sense_is_a_matter_of_usage() {
    for args in [
        &["file", "7", "--list"][..],
        &["file", "7", "--json"],
        &["file", "--step"],
        &["file", "7", "--step", "--speed=2"],
        &["file", "7", "--speed=0"],
        &["file", "7", "--speed=fast"],
        &[],
    ] {
        replay(args).end().code(2);
    }
}

// The list.

#[test]
fn the_list_has_times_lengths_and_texts() {
    let between = Between::new();
    recording(&between.file(), &[(0, b"one\n"), (1500, b"\x1b[2J\xff")], true);
    let file = between.file();
    for args in [&[][..], &["--list"]] {
        replay(&[&[file.to_str().unwrap()], args].concat()).end().code(0).prints(
            "\
2023-11-14T22:13:20.000000000Z  +0.000000 s       -  a session at a ring of 64 KiB, stream 0x0000000000000007
2023-11-14T22:13:20.000000000Z  +0.000000 s       1  4 bytes: one\\n
2023-11-14T22:13:21.500000000Z  +1.500000 s       2  5 bytes: \\u{1b}[2J\u{fffd}
2023-11-14T22:13:21.500000000Z  +0.000000 s       -  the end of the session
",
        );
    }
    let listed = replay(&[file.to_str().unwrap(), "--json"]).end();
    let listed = String::from_utf8(listed.code(0).stdout.clone()).unwrap();
    let lines: Vec<Value> = listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        lines[0],
        serde_json::json!({"schema": "shm-handoff/replay/1", "entry": "session", "time": "2023-11-14T22:13:20.000000000Z",
            "gap_ns": 0, "position": 0, "stream": "0000000000000007", "layout": "a ring of 64 KiB"})
    );
    assert_eq!((&lines[1]["seq"], &lines[1]["text"], &lines[1]["bytes"]), (&1.into(), &"one\n".into(), &4.into()));
    assert_eq!((&lines[2]["base64"], &lines[2]["gap_ns"]), (&"G1sySv8=".into(), &1_500_000_000_u64.into()));
    assert_eq!(lines[3]["entry"], "end");
}

/// An object of an unknown kind is none of the schema's, and the gaps add up all the same.
#[test]
fn the_time_before_an_entry_of_a_later_version_counts() {
    let between = Between::new();
    recording(&between.file(), &[(0, b"one\n")], false);
    let mut bytes = std::fs::read(between.file()).unwrap();
    let time = 1_700_000_000_000_000_000;
    Entry { kind: Kind::Other(9), time: time + 5, step: 5, position: 16 }.append(b"?", &mut bytes);
    Entry { kind: Kind::Message, time: time + 6, step: 1, position: 32 }.append(b"two\n", &mut bytes);
    std::fs::write(between.file(), bytes).unwrap();
    let listed = replay(&[between.file().to_str().unwrap(), "--json"]).end();
    let listed = String::from_utf8(listed.code(0).stdout.clone()).unwrap();
    let gaps: Vec<Value> =
        listed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["gap_ns"].clone()).collect();
    assert_eq!(gaps, [0, 0, 6]);
}

#[test]
fn what_a_file_says_of_its_layout_steers_no_terminal() {
    let between = Between::new();
    recording_with(&between.file(), (Shape::Declared, "text[8]\x1b]0;x\x07\nmy own line"), &[], None);
    let listed = replay(&[between.file().to_str().unwrap()]).end();
    let listed = String::from_utf8(listed.code(0).stdout.clone()).unwrap();
    assert!(
        listed.ends_with(
            "  a session at a declared slot, text[8]\\u{1b}]0;x\\u{7}\\nmy own line, stream 0x0000000000000007\n"
        ),
        "{listed}"
    );
}

#[test]
fn nothing_was_recorded_yet() {
    let between = Between::new();
    std::fs::write(between.file(), "").unwrap();
    replay(&[between.file().to_str().unwrap()]).end().code(0).prints("");
    play(&between, &[]).end().code(0);
}
