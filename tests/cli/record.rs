//! `shm-handoff record`: between which channels, every exit code, what is in the file, and what the next run does. (Recorders that are
//! killed are in the tests of processes.)

use crate::support::{
    Apart, Channel, Ended, Peer, Run, SHM_HANDOFF, SHMWRITE, eventually, for_everybody, is_root, numbers, skipped,
};
use serde_json::Value;
use shm_handoff::Role;
use shm_handoff::backend::sysv::{Options, SysV};
use shm_handoff::cli::record::format::{Entry, Header, Kind, Session, Shape};
use shm_handoff::{Reader, Ring, Writer};
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Two channels, and a file in a folder of its own.
pub(crate) struct Between {
    pub(crate) from: Channel,
    pub(crate) to: Channel,
    folder: tempfile::TempDir,
}

impl Between {
    pub(crate) fn new() -> Self {
        Self { from: Channel::new(), to: Channel::new(), folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("run.shmrec")
    }

    /// `record` from one to the other.
    pub(crate) fn record(&self, more: &[&str]) -> Run {
        let onto = self.to.key().number().to_string();
        self.record_alone(&[&["--onto", &onto], more].concat())
    }

    /// `record` in the place of the reader.
    pub(crate) fn record_alone(&self, more: &[&str]) -> Run {
        let mut command = Command::new(SHM_HANDOFF);
        command.args(["record", &self.from.key().number().to_string()]).arg(self.file()).args(more);
        Run::new(command)
    }

    /// A recorder that is seated.
    fn recording(&self, more: &[&str]) -> Peer {
        let mut recorder = self.record(more).start();
        self.from.await_seated(Role::Reader, &mut recorder);
        recorder
    }

    /// What is in the file: each entry's name, and its text.
    pub(crate) fn recorded(&self) -> Vec<(String, String)> {
        let listed = replay(&[self.file().as_path().to_str().unwrap(), "--json"]).end();
        let lines = String::from_utf8(listed.code(0).stdout.clone()).unwrap();
        let objects = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let word = |object: &Value, name: &str| object[name].as_str().unwrap_or_default().to_owned();
        objects.map(|object| (word(&object, "entry"), word(&object, "text"))).collect()
    }

    /// The messages in the file.
    pub(crate) fn texts(&self) -> String {
        self.recorded().into_iter().filter(|(name, _)| name == "message").map(|(_, text)| text).collect()
    }

    fn assert_nothing_left(&self) {
        self.from.assert_nothing_left();
        self.to.assert_nothing_left();
    }
}

pub(crate) fn replay(args: &[&str]) -> Run {
    let mut command = Command::new(SHM_HANDOFF);
    command.arg("replay").args(args);
    Run::new(command)
}

fn names(recorded: &[(String, String)]) -> Vec<&str> {
    recorded.iter().map(|(name, _)| name.as_str()).collect()
}

// Between which channels.

#[test]
fn between_two_channels_of_any_layout() {
    let declared = "--layout=struct { int ready; char line[80]; }";
    let pairs: &[(&[&str], &[&str])] = &[
        (&[], &[]),
        (&["--ring=64K"], &[]),
        (&["--ring"], &["--onto-ring=128K"]),
        (&[], &["--onto-ring"]),
        (&[declared], &[]),
        (&["--ring"], &["--onto-layout=text[100]"]),
        (&["--layout=text[64]"], &["--onto-ring"]),
    ];
    for (from, onto) in pairs {
        let between = Between::new();
        let recorder = between.recording(&[*from, *onto].concat());
        let mut reader = between.to.reader(["--format=plain"]).start();
        between.from.writer([""; 0]).input("one\ntwo\nthree\n").end().code(0);
        recorder.end().code(0);
        reader.until("its end", Peer::has_ended);
        reader.end().code(0).prints("one\ntwo\nthree\n");
        let all = between.recorded();
        assert_eq!(names(&all), ["session", "message", "message", "message", "end"], "{from:?} {onto:?}");
        assert_eq!(between.texts(), "one\ntwo\nthree\n");
        between.assert_nothing_left();
    }
}

#[test]
fn the_second_channel_gets_the_layout_of_the_first_one() {
    let between = Between::new();
    between.from.writer(["--ring=128K", "--no-end", "x"]).end().code(0);
    let mut recorder = between.recording(&[]);
    recorder.until("a ring that was made there", |_| between.to.stat().is_some());
    assert_eq!(between.to.stat().unwrap().size, between.from.stat().unwrap().size);
    let reader = between.to.reader(["--count=1"]).end();
    reader.code(0).prints("x\n");
    recorder.signal(libc::SIGTERM);
    recorder.end().code(143);
}

#[test]
fn records_of_a_declared_struct_come_through() {
    let between = Between::new();
    let sample = "struct { int ready; int mat[4]; }";
    let recorder = between.recording(&["--layout", sample]);
    let reader = between.to.seated_reader(&["--layout", sample]);
    let records: Vec<u8> = (0..48).collect();
    between.from.writer(["--layout", sample]).input(records.clone()).end().code(0);
    recorder.end().code(0);
    reader.end().code(0).prints(records);
    assert_eq!(names(&between.recorded()), ["session", "message", "message", "message", "end"]);
    between.assert_nothing_left();
}

#[test]
fn c_programs_on_both_sides() {
    let between = Between::new();
    let recorder = between.recording(&[]);
    let reader = between.to.c_reader().start();
    between.from.c_writer().input("one\ntwo\nend\n").end();
    recorder.end().code(0);
    reader.end().got("one\ntwo\nend\n");
    assert_eq!(names(&between.recorded()), ["session", "message", "message", "end"]);
}

#[test]
fn a_c_program_s_endless_is_in_the_file_as_the_end_that_it_was() {
    for onto_ring in [false, true] {
        let between = Between::new();
        let recorder = between.recording(if onto_ring { &["--onto-ring"] } else { &[] });
        let reader = between.to.seated_reader(if onto_ring { &["--ring"] } else { &[] });
        between.from.c_writer().input("one\nendless\n").end();
        let recorder = recorder.end();
        recorder.code(0);
        if onto_ring {
            recorder.says(&[]);
            reader.end().code(0).prints("one\nendless\n");
        } else {
            recorder.says(&["\"endless\\n\" ended the session, and is handed on as `end`"]);
            reader.end().code(0).prints("one\n");
        }
        assert_eq!(between.recorded().last(), Some(&("end".to_owned(), "endless\n".to_owned())));
    }
}

#[test]
fn without_a_second_channel_it_is_the_reader() {
    for ring in [&[][..], &["--ring"]] {
        let between = Between::new();
        let mut recorder = between.record_alone(&[&["--json"], ring].concat()).start();
        between.from.await_seated(Role::Reader, &mut recorder);
        between.from.writer([""; 0]).input(numbers(0..1000)).end().code(0);
        let ended = recorder.end();
        let said: Value = serde_json::from_slice(&ended.code(0).stdout).unwrap();
        assert_eq!((&said["schema"], &said["ended"]), (&"shm-handoff/record/1".into(), &true.into()));
        assert_eq!((&said["messages"], &said["bytes"]), (&1000.into(), &3890.into()));
        assert_eq!(between.texts(), numbers(0..1000));
        between.assert_nothing_left();
    }
}

#[test]
fn what_a_dead_writer_left_is_recorded() {
    let between = Between::new();
    between.from.writer(["--ring", "left", "behind"]).end().code(0);
    between.record_alone(&["--timeout=100ms"]).end().code(124);
    assert_eq!(between.texts(), "left\nbehind\n");
}

// Peers that go.

#[test]
fn the_death_of_the_writer_is_recorded_and_told() {
    let between = Between::new();
    let mut recorder = between.recording(&["--ring"]);
    let mut reader = between.to.reader(["--ring"]).start();
    let mut writer = between.from.seated_writer(&["--ring"]);
    writer.type_in("one\n");
    reader.until_prints("one\n");
    writer.kill();
    recorder.until("its end", Peer::has_ended);
    recorder.end().code(3).says(&["the writer died", "--follow"]);
    reader.end().code(3);
    assert_eq!(names(&between.recorded()), ["session", "message", "death"]);
}

/// Also where nothing came before, so that nothing was known of the layout.
#[test]
fn the_death_of_a_writer_that_sent_nothing_is_told() {
    for layout in [&[][..], &["--ring"]] {
        let between = Between::new();
        let mut recorder = between.recording(&[]);
        let mut reader = between.to.seated_reader(&[]);
        let writer = between.from.seated_writer(layout);
        writer.kill();
        recorder.until("its end", Peer::has_ended);
        recorder.end().code(3);
        reader.until("its end", Peer::has_ended);
        reader.end().code(3).says(&["the writer died"]);
        assert_eq!(names(&between.recorded()), ["session", "death"]);
    }
}

#[test]
fn deaths_are_outlived_with_follow() {
    let between = Between::new();
    let mut recorder = between.recording(&["--ring", "--follow", "-v"]);
    let mut reader = between.to.reader(["--ring", "--count=1"]).start();
    let mut writer = between.from.seated_writer(&["--ring"]);
    writer.type_in("one\n");
    reader.until_prints("one\n");
    writer.kill();
    recorder.until_says("the writer died; waiting for the next one");
    reader.end().code(0);
    let reader = between.to.seated_reader(&["--ring"]);
    between.from.writer([""; 0]).input("two\n").end().code(0);
    recorder.end().code(0);
    reader.end().code(0).prints("two\n");
    assert_eq!(names(&between.recorded()), ["session", "message", "death", "message", "end"]);
    between.assert_nothing_left();
}

#[test]
fn a_reader_that_has_gone_ends_it_and_the_next_run_goes_on() {
    let between = Between::new();
    let recorder = between.recording(&["--onto-ring=64K", "--ring=64K"]);
    let mut reader = between.to.reader(["--ring", "--count=1"]).start();
    between.to.await_seated(Role::Reader, &mut reader);
    let all = numbers(0..20_000);
    let mut writer = between.from.writer(["--ring"]).input(all.clone()).start();
    recorder.end().code(3).says(&["the reader left or died", "--follow"]);
    reader.end().code(0).prints("0\n");
    // (The writer, whose reader the recorder was, may have ended by now.)
    let next = between.recording(&["--ring=64K"]);
    let rest = between.to.reader(["--ring"]).start();
    writer.until("its end", Peer::has_ended);
    let writer = writer.end();
    if writer.status.code() == Some(3) {
        next.signal(libc::SIGTERM);
        let _ = next.end();
        rest.signal(libc::SIGTERM);
        let got = rest.end();
        assert!(all.starts_with(&format!("0\n{}", String::from_utf8(got.stdout).unwrap())));
        return;
    }
    next.end().code(0);
    rest.end().code(0).prints(&all[2..]);
    assert_eq!(between.texts(), all);
}

// Leaving.

#[test]
fn a_signal_leaves_the_reader_waiting_for_the_next_run() {
    let between = Between::new();
    let reader = between.to.seated_reader(&["--ring=64K"]);
    for (number, signal) in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP].into_iter().enumerate() {
        let recorder = between.recording(&["--ring=64K"]);
        between.from.writer(["--no-end"]).input(format!("{number}\n")).end().code(0);
        eventually("a message in the file", || between.texts().ends_with(&format!("{number}\n")).then_some(()));
        recorder.signal(signal);
        recorder.end().code(128 + signal);
    }
    let last = between.recording(&["--ring=64K"]);
    between.from.writer([""; 0]).input("last\n").end().code(0);
    last.end().code(0);
    reader.end().code(0).prints("0\n1\n2\nlast\n");
    assert_eq!(between.texts(), "0\n1\n2\nlast\n");
    between.assert_nothing_left();
}

#[test]
fn a_writer_at_a_slot_takes_a_killed_recorder_for_a_dead_reader() {
    let between = Between::new();
    let recorder = between.record_alone(&[]).start();
    let mut writer = between.from.writer(["--no-end"]).open_input().start();
    writer.type_in("one\n");
    eventually("a message in the file", || between.texts().ends_with("one\n").then_some(()));
    recorder.signal(libc::SIGKILL);
    recorder.end();
    writer.type_in_vain("two\nthree\n");
    writer.end().code(3).says(&["the reader left or died"]);
    let recorder = between.record_alone(&[]).start();
    between.from.writer([""; 0]).input("three\n").end().code(0);
    recorder.end().code(0);
    let texts = between.texts();
    assert!(texts.starts_with("one\n") && texts.ends_with("two\nthree\n"), "{texts:?}");
}

#[test]
fn a_timeout_ends_each_of_its_waits() {
    let between = Between::new();
    between.record(&["--timeout=50ms"]).end().code(124).says(&["nothing came"]);
    // Nobody takes what is to be handed on.
    let recorder = between.record(&["--timeout=200ms"]).start();
    let writer = between.from.writer(["--timeout=10s", "hello"]).start();
    recorder.end().code(124).says(&["no reader came"]);
    drop(writer);
    // At a slot its reader may bring another layout, which does not carry it.
    assert_eq!(between.texts(), "");
    // It is there still.
    let recorder = between.record(&["--timeout=10s", "--follow"]).start();
    between.to.reader(["--count=1"]).end().code(0).prints("hello\n");
    recorder.signal(libc::SIGTERM);
    recorder.end().code(143);
    assert_eq!(between.texts(), "hello\n");
}

// A message that the second channel can't carry.

#[test]
fn what_can_t_be_handed_on_stays_where_it_is() {
    let between = Between::new();
    let long = "x".repeat(3000) + "\n";
    for (bad, why) in
        [(&long[..], "more than 2047 bytes"), ("end\n", "`end` alone"), ("endless\n", "end"), ("a\0b\n", "NUL")]
    {
        let between = Between::new();
        between.from.writer(["--ring"]).input(format!("one\n{bad}two\n")).end().code(0);
        let reader = between.to.seated_reader(&["--layout=text[2048]"]);
        between.record(&[]).end().code(5).says(&["the next message at KEY", why]);
        reader.end().code(3).prints("one\n");
        assert_eq!(between.texts(), "one\n");
        // A larger channel takes it, and nothing comes twice.
        between.to.remove_segment();
        between.to.remove_seats();
        let reader = between.to.seated_reader(&["--ring"]);
        between.record(&[]).end().code(0);
        reader.end().code(0).prints(format!("{bad}two\n"));
        assert_eq!(between.texts(), format!("one\n{bad}two\n"));
    }
    drop(between);
}

/// A slot that was made unasked gives way to what its reader brings.
#[test]
fn what_the_reader_s_layout_can_t_carry_is_not_in_the_file() {
    for (text, code) in [("longer than 15 bytes\n", 5), ("short\n", 143)] {
        let between = Between::new();
        let mut recorder = between.recording(&["-v"]);
        let _writer = between.from.writer(["--no-end"]).input(text).start();
        recorder.until_says("Waiting... no reader is at");
        assert_eq!(between.texts(), "");
        let mut reader = between.to.reader(["--layout=text[16]"]).start();
        if code == 5 {
            let ended = recorder.end();
            ended.code(5).says(&["the next message at KEY: ", "more than 15 bytes", "--onto-ring=CAPACITY"]);
            assert!(!ended.stderr.contains("--long"), "{ended}");
            reader.end().code(3).prints("");
            assert!(between.recorded().is_empty());
        } else {
            reader.until_prints(text);
            recorder.signal(libc::SIGTERM);
            recorder.end().code(143);
            assert_eq!(between.texts(), text);
        }
    }
}

#[test]
fn the_hint_names_the_options_of_the_channel_that_is_too_small() {
    let between = Between::new();
    between.from.writer(["--ring=1M"]).input("x".repeat(20_000) + "\n").end().code(0);
    let reader = between.to.seated_reader(&["--ring=64K"]);
    let remove = format!("remove the ring that is there first (shm-handoff rm {})", between.to.key().number());
    let options = "--onto-ring=CAPACITY, and --ring on the other side";
    between.record(&[]).end().code(5).says(&["the next message at KEY: ", &remove, options]);
    reader.end().code(3);
    // From a slot, too.
    let between = Between::new();
    let _reader = between.to.seated_reader(&["--layout=text[16]"]);
    let recorder = between.recording(&[]);
    let _writer = between.from.writer(["longer than 15 bytes"]).start();
    recorder.end().code(5).says(&["the next message at KEY: ", "more than 15 bytes", options]);
    assert_eq!(between.texts(), "");
}

// Memory that goes with its last attachment.

/// A namespace with such memory; `None`, and a word: it can't be had here.
pub(crate) fn fleeting() -> Option<Apart> {
    Apart::new("echo 1 > /proc/sys/kernel/shm_rmid_forced")
}

/// What sends these to the key 7 in there, and ends when they were received.
fn send(place: &Apart, texts: &[&str]) -> Run {
    let mut command = place.entrance()(SHMWRITE);
    command.args(["-k", "7", "--ring"]).args(texts);
    Run::new(command)
}

fn record_there(place: &Apart, between: &Between) -> Peer {
    place.run(SHM_HANDOFF, &["record", "7", between.file().to_str().unwrap(), "--ring", "--onto", &place.key()]).start()
}

#[test]
fn what_nobody_takes_at_the_second_channel_is_said_to_be_lost() {
    let Some(place) = fleeting() else { return };
    let between = Between::new();
    let recorder = record_there(&place, &between);
    send(&place, &["one", "two"]).end().code(0);
    recorder.signal(libc::SIGTERM);
    recorder.end().code(143).says(&["ended by SIGTERM; 2 sent before were not received, and are lost"]);
}

#[test]
fn a_slow_reader_takes_what_waits_and_waits_for_the_next_run() {
    let Some(place) = fleeting() else { return };
    let between = Between::new();
    let recorder = record_there(&place, &between);
    let mut reader = place.reader(&["--ring"]).start();
    send(&place, &["one"]).end().code(0);
    reader.until_prints("one\n");
    reader.stop();
    send(&place, &["two", "three"]).end().code(0);
    recorder.signal(libc::SIGTERM);
    let ended = recorder.end();
    assert!(!ended.code(143).stderr.contains("lost"), "{ended}");
    reader.go_on();
    reader.until_prints("one\ntwo\nthree\n");
    let recorder = record_there(&place, &between);
    send(&place, &[]).input("four\n").end().code(0);
    recorder.end().code(0);
    reader.end().code(0).prints("one\ntwo\nthree\nfour\n");
}

// The file.

/// The folder is what can't be opened, not the file.
#[test]
fn a_folder_that_can_t_be_synced_is_named() {
    let between = Between::new();
    let programs = for_everybody(&[SHM_HANDOFF.as_ref()]);
    let mode = |mode| fs::set_permissions(between.folder.path(), fs::Permissions::from_mode(mode)).unwrap();
    mode(0o333);
    let mut command = Command::new(programs.path().join("shm-handoff"));
    command.args(["record", &between.from.key().number().to_string(), "--sync"]).arg(between.file());
    let run = Run::new(command);
    let ended = if is_root() { run.by_user(65534, 65534) } else { run }.end();
    mode(0o755);
    ended.code(1).says(&[&format!("the folder {}", between.folder.path().display()), "EACCES", "--sync"]);
}

#[test]
fn the_name_of_a_file_steers_no_terminal() {
    let between = Between::new();
    let file = between.folder.path().join("run\n\x1b[31mshm-handoff: all is well");
    let shown = "run\\n\\u{1b}[31mshm-handoff: all is well";
    let (file, key) = (file.to_str().unwrap(), between.from.key().number().to_string());
    replay(&[file, &key]).end().code(1).says(&[shown, "ENOENT", "; 0 messages sent"]);
    fs::write(file, [0; 64]).unwrap();
    let torn = format!("{shown} ends within an entry: its last 64 bytes are");
    replay(&[file]).end().code(0).says(&[&torn]);
    replay(&[file, &key]).end().code(0).says(&[&torn]);
    let mut command = Command::new(SHM_HANDOFF);
    command.args(["record", &key, file, "--timeout=50ms"]);
    Run::new(command).end().code(124).says(&[&torn]);
}

#[test]
fn the_file_is_its_owner_s_alone() {
    let between = Between::new();
    between.from.writer(["--ring", "x"]).end().code(0);
    between.record_alone(&["--timeout=50ms"]).end().code(124);
    let mode = || fs::metadata(between.file()).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    fs::remove_file(between.file()).unwrap();
    between.record_alone(&["--timeout=50ms", "--mode=640"]).end().code(124);
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let umask = status.lines().find_map(|line| line.strip_prefix("Umask:\t")).unwrap();
    assert_eq!(mode(), 0o640 & !u32::from_str_radix(umask, 8).unwrap());
}

#[test]
fn a_torn_end_is_cut_off_and_nothing_else() {
    let between = Between::new();
    between.from.writer(["--ring", "one", "two"]).end().code(0);
    between.record_alone(&["--timeout=50ms"]).end().code(124);
    let whole = fs::read(between.file()).unwrap();
    let mut entry = Vec::new();
    Entry { kind: Kind::Message, time: 1, step: 1, position: 1 << 40 }.append(b"never whole", &mut entry);
    for (torn, times) in [(&entry[..7], 1), (&entry[..45], 2), (&[0; 5000][..], 3)] {
        fs::OpenOptions::new().append(true).open(between.file()).unwrap().write_all(torn).unwrap();
        between.from.writer(["three"]).end().code(0);
        let len = torn.len();
        between.record_alone(&["--timeout=50ms"]).end().code(124).says(&[&format!("its last {len} bytes are cut off")]);
        assert!(fs::read(between.file()).unwrap().starts_with(&whole));
        assert_eq!(between.texts(), "one\ntwo\n".to_owned() + &"three\n".repeat(times));
    }
    // The header is torn, too.
    for len in [1, 63] {
        fs::write(between.file(), &whole[..len]).unwrap();
        between.from.writer(["four"]).end().code(0);
        between.record_alone(&["--timeout=50ms"]).end().code(124).says(&["are cut off"]);
        assert_eq!(between.texts(), "four\n");
    }
    // A machine that failed before anything was written can leave zeros alone.
    for zeros in [1, 63, 64, 65, 5000] {
        fs::write(between.file(), vec![0; zeros]).unwrap();
        let listed = replay(&[between.file().to_str().unwrap()]).end();
        listed.code(0).says(&[&format!("its last {zeros} bytes are passed over")]);
        between.from.writer(["five"]).end().code(0);
        between.record_alone(&["--timeout=50ms"]).end().code(124).says(&["are cut off"]);
        assert_eq!(between.texts(), "five\n");
    }
    fs::write(between.file(), [&[0; 5000][..], b"x"].concat()).unwrap();
    between.record_alone(&["--timeout=50ms"]).end().code(1).says(&["is no recording"]);
}

#[test]
fn a_file_that_is_damaged_or_no_recording_is_left_alone() {
    let between = Between::new();
    between.from.writer(["--ring", "one", "two"]).end().code(0);
    between.record_alone(&["--timeout=50ms"]).end().code(124);
    let mut damaged = fs::read(between.file()).unwrap();
    damaged[110] ^= 1;
    let mut header = damaged.clone();
    header[20] ^= 1;
    let mut version = damaged.clone();
    version[8] = 9;
    for (bytes, why) in [
        (damaged, "is damaged at byte 64"),
        (header, "header is damaged"),
        (version, "version 9"),
        (b"my thesis".to_vec(), "is no recording"),
        (vec![b'x'; 5000], "is no recording"),
    ] {
        fs::write(between.file(), &bytes).unwrap();
        between.record_alone(&["--timeout=50ms"]).end().code(1).says(&[why, "another file"]);
        assert_eq!(fs::read(between.file()).unwrap(), bytes);
    }
}

#[test]
fn what_can_t_be_a_recording_is_refused() {
    let between = Between::new();
    let at = |file: &Path| {
        let mut command = Command::new(SHM_HANDOFF);
        command.args(["record", &between.from.key().number().to_string()]).arg(file).arg("--timeout=50ms");
        Run::new(command).end()
    };
    at(Path::new("/dev/null")).code(1).says(&["is no regular file", "shmread"]);
    at(Path::new("/nowhere/at all")).code(1).says(&["ENOENT"]);
    at(between.folder.path()).code(1).says(&["EISDIR"]);
    assert!(between.from.stat().is_none(), "the file comes first");
}

/// A hole of terabytes behind the header, which takes many minutes to read.
#[test]
fn a_file_that_takes_long_to_read_can_be_left() {
    let between = Between::new();
    let header = Header { stream: 0, shape: Shape::Classic, size: 2048, time: 0 };
    fs::write(between.file(), header.to_bytes()).unwrap();
    if fs::File::options().write(true).open(between.file()).unwrap().set_len(1 << 43).is_err() {
        return skipped("a file can't have 8 TiB here");
    }
    let key = between.to.key().number().to_string();
    for run in [between.record(&[]), replay(&[between.file().to_str().unwrap(), &key])] {
        let mut left = run.start();
        left.until("signals are caught", |left| {
            let status = fs::read_to_string(format!("/proc/{}/status", left.pid())).unwrap();
            let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
            u64::from_str_radix(caught.trim(), 16).unwrap() & 1 << (libc::SIGTERM - 1) != 0
        });
        left.signal(libc::SIGTERM);
        left.end().code(143);
    }
}

#[test]
fn one_recorder_a_file() {
    let between = Between::new();
    let recorder = between.recording(&[]);
    let other = Channel::new();
    let mut command = Command::new(SHM_HANDOFF);
    command.args(["record", &other.key().number().to_string()]).arg(between.file());
    Run::new(command).end().code(6).says(&["another process records into"]);
    recorder.signal(libc::SIGTERM);
    recorder.end().code(143);
}

#[test]
fn a_full_disk_releases_nothing_that_is_not_in_the_file() {
    let between = Between::new();
    let all = numbers(0..5000);
    between.from.writer(["--ring=1M"]).input(all.clone()).end().code(0);
    let reader = between.to.seated_reader(&["--ring=1M"]);
    let (file, from, to) = (between.file(), between.from.key().number(), between.to.key().number());
    // In blocks of 512 bytes: more each time.
    let mut before = 0;
    for limit in [0, 1, 100, 300] {
        let run =
            format!("ulimit -f {limit}; exec '{SHM_HANDOFF}' record {from} '{}' --onto {to} --json", file.display());
        let mut shell = Command::new("sh");
        shell.args(["-c", &run]);
        let ended = Run::new(shell).end();
        ended.code(1).says(&["EFBIG", "make room", "was not released"]);
        let texts = between.texts();
        assert!(all.starts_with(&texts), "whole messages, in order");
        let told: Value = serde_json::from_slice(&ended.stdout).unwrap();
        assert_eq!(told["bytes"], texts.len() - before, "what is not in the file was not recorded");
        before = texts.len();
    }
    between.record(&[]).end().code(0);
    reader.end().code(0).prints(&all);
    assert_eq!(between.texts(), all);
    between.assert_nothing_left();
}

#[test]
fn a_full_file_system_is_gone_on_from() {
    if !is_root() {
        return skipped("only root mounts a small file system");
    }
    let between = Between::new();
    let all = numbers(0..20_000);
    between.from.writer(["--ring=1M"]).input(all.clone()).end().code(0);
    let reader = between.to.seated_reader(&["--ring=1M"]);
    let (folder, from, to) = (between.folder.path(), between.from.key().number(), between.to.key().number());
    let script = format!(
        "mount -t tmpfs -o size=64k tmpfs {folder} || exit 99
        '{SHM_HANDOFF}' record {from} {folder}/small --onto {to}; echo $? >&2
        mount -o remount,size=16m {folder}
        '{SHM_HANDOFF}' record {from} {folder}/small --onto {to} && '{SHM_HANDOFF}' replay {folder}/small --json",
        folder = folder.display()
    );
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", &script]);
    let done = Run::new(command).end();
    if done.status.code() == Some(99) || done.stderr.starts_with("unshare") {
        return skipped("no file system can be mounted here");
    }
    done.code(0).says(&["ENOSPC", "make room"]);
    reader.end().code(0).prints(&all);
    let listed = String::from_utf8(done.stdout.clone()).unwrap();
    assert_eq!(listed.matches("\"entry\":\"message\"").count(), 20_000);
    between.assert_nothing_left();
}

#[test]
fn with_sync_it_is_the_same() {
    let between = Between::new();
    let reader = between.to.seated_reader(&["--ring"]);
    let recorder = between.recording(&["--ring", "--sync"]);
    between.from.writer([""; 0]).input(numbers(0..100)).end().code(0);
    recorder.end().code(0);
    reader.end().code(0).prints(numbers(0..100));
    assert_eq!(between.texts(), numbers(0..100));
}

/// A file that goes on where the ring has nothing.
#[test]
fn a_file_that_tells_another_story_than_the_ring_is_refused() {
    let between = Between::new();
    let mut writer = Writer::<SysV, Ring>::open(&Options::ring(between.from.key(), 64 << 10).unwrap()).unwrap();
    writer.send_all(&[b"one", b"two"]).unwrap();
    let stream = writer.backend().stream().unwrap();
    writer.close().unwrap();
    for position in [8, 24, 40, 1 << 40, u64::MAX] {
        let header = Header { stream, shape: Shape::Ring, size: 64 << 10, time: 1 };
        let mut bytes = header.to_bytes().to_vec();
        let session = Session { stream, shape: Shape::Ring, size: 64 << 10, terms: String::new() };
        let entry = |kind, position| Entry { kind, time: 1, step: 0, position };
        entry(Kind::Session, 0).append(&session.to_bytes(), &mut bytes);
        entry(Kind::Message, position).append(b"one", &mut bytes);
        fs::write(between.file(), &bytes).unwrap();
        let refused = between.record_alone(&["--timeout=50ms"]).end();
        refused.code(4).says(&[&format!("goes on at position {position} of this ring"), "another file"]);
    }
    let mut reader = Reader::<SysV, Ring>::open(&Options::any_ring(between.from.key())).unwrap();
    assert_eq!(reader.peek().unwrap().text(), b"one", "nothing was released");
}

// The command line.

#[test]
fn what_makes_no_sense_is_a_matter_of_usage() {
    let between = Between::new();
    let key = between.from.key().number().to_string();
    between.record_alone(&["--onto", &key]).end().code(2).says(&["KEY and KEY2 are the same"]);
    for args in [&["--onto-ring"][..], &["--onto-layout=text[64]"], &["--ring", "--layout=text[64]"], &["-q", "-v"]] {
        between.record_alone(args).end().code(2);
    }
    between.record_alone(&["--onto", "7", "--onto-ring", "64K"]).end().code(2).says(&["--onto-ring=64K"]);
    assert!(!between.file().exists());
}

/// Why it ended comes before that nobody could be told how much it was.
#[test]
fn an_output_that_is_full_hides_no_other_end() {
    let full = || fs::File::options().write(true).open("/dev/full").unwrap();
    let between = Between::new();
    let mut recorder = between.record_alone(&["--json"]).output_to(full()).start();
    between.from.await_seated(Role::Reader, &mut recorder);
    recorder.signal(libc::SIGTERM);
    recorder.end().code(143).says(&["ended by SIGTERM"]);
    let mut recorder = between.record_alone(&["--json"]).output_to(full()).start();
    between.from.await_seated(Role::Reader, &mut recorder);
    between.from.writer([""; 0]).input("one\n").end().code(0);
    recorder.end().code(1).says(&["standard output can't be written"]);
}

#[test]
fn a_role_that_is_taken_is_said_at_once() {
    let between = Between::new();
    let recorder = between.recording(&["--ring"]);
    let mut command = Command::new(SHM_HANDOFF);
    command.args(["record", &between.from.key().number().to_string()]).arg(between.folder.path().join("other"));
    let taken = Run::new(command).end();
    taken.code(6).says(&[&format!("pid {}", recorder.pid())]);
    between.to.writer(["--ring", "x"]).end().code(6).says(&[&format!("pid {}", recorder.pid())]);
    recorder.signal(libc::SIGTERM);
    let _: Ended = recorder.end();
}
