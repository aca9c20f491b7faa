//! `--layout` on the tools: what they show of a slot in a program's own struct, and what they do with it.

use crate::support::{Channel, Ended, Run, SHM_HANDOFF, ipc};
use serde_json::{Value, json};
use shm_handoff::backend::sysv::{Options, SysV};
use shm_handoff::{Reader, Writer};
use std::process::Command;

/// A struct without text but a name, in which the reader answers.
const SHIP: &str = "struct { int written; float pos[2]; char name[8]; int order; bool on; },data=pos+name+on,reply=order,empty=-1,full=3";

/// Two slots of the tutorial's in one segment.
const FIRST: &str = "flag=i32@0,text=2048@4,size=4104";
const SECOND: &str = "flag=i32@0,text=2048@4,size=4104,at=2052";

/// Two semaphores of the seats' set: what it is, and that a writer has not left in order.
const MAGIC: i32 = 0;
const OPEN: i32 = 4;

/// A channel whose seats of [`SECOND`] are cleared as well.
struct Slots(Channel);

impl Slots {
    fn new() -> Self {
        Self(Channel::new())
    }

    fn set(&self) -> Option<i32> {
        ipc::find_set(self.second())
    }

    /// The segment, and the set that a writer of the second slot leaves behind that is killed.
    fn left_by_a_killed_writer(&self) {
        drop(writer(&self.0, SECOND));
        let set = ipc::make_set(self.second(), 14);
        for (semaphore, value) in [(MAGIC, 0x5332), (OPEN, 1)] {
            ipc::set_value(set, semaphore, value);
        }
    }

    /// The key of the second slot's seats.
    fn second(&self) -> u32 {
        let slot = 2052_u64.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        self.0.key().seats() ^ u32::try_from(slot & 0xffff_ffff).unwrap()
    }
}

impl Drop for Slots {
    fn drop(&mut self) {
        ipc::remove_set(self.second());
    }
}

fn tool(channel: &Channel, command: &str, args: &[&str]) -> Run {
    let mut run = Command::new(SHM_HANDOFF);
    run.arg(command).args(args).arg(channel.key().number().to_string());
    Run::new(run)
}

fn printed(ended: &Ended) -> String {
    ended.code(0).says_nothing();
    String::from_utf8(ended.stdout.clone()).unwrap()
}

fn object(channel: &Channel, command: &str, args: &[&str]) -> Value {
    serde_json::from_str(&printed(&tool(channel, command, args).end())).unwrap()
}

fn options(channel: &Channel, spec: &str) -> Options {
    Options::declared(channel.key(), &spec.parse().unwrap())
}

fn writer(channel: &Channel, spec: &str) -> Writer<SysV> {
    Writer::open(&options(channel, spec)).unwrap()
}

fn reader(channel: &Channel, spec: &str) -> Reader<SysV> {
    Reader::open(&options(channel, spec)).unwrap()
}

/// A ship by this name.
fn ship(name: [u8; 8]) -> Vec<u8> {
    [&0.5_f32.to_ne_bytes()[..], &(-1.0_f32).to_ne_bytes(), &name, &[1]].concat()
}

#[test]
fn stat_shows_the_fields_the_flag_and_the_answer() {
    let channel = Channel::new();
    let (mut reader, mut writer) = (reader(&channel, SHIP), writer(&channel, SHIP));
    let empty = object(&channel, "stat", &["--json", "--layout", SHIP]);
    for (field, value) in [("flag", json!(-1)), ("full", json!(false)), ("messages", json!(0)), ("bytes", json!(0))] {
        assert_eq!(empty[field], value, "{field} of {empty}");
    }
    writer.send(&ship(*b"left\0\0\0\0")).unwrap();
    let full = object(&channel, "stat", &["--json", "--layout", SHIP]);
    let me = std::process::id();
    for (field, value) in [
        ("schema", json!("shm-handoff/stat/1")),
        ("layout", json!("declared")),
        ("spec", json!("flag=i32@0,empty=-1,full=3,data=16@4+1@24,reply=4@20,size=28")),
        ("flag", json!(3)),
        ("full", json!(true)),
        ("messages", json!(1)),
        ("bytes", json!(17)),
        ("attached", json!(2)),
        ("status", json!("used")),
        ("fields", json!({"pos": [0.5, -1.0], "name": "left", "on": true})),
        ("reply", json!({"order": 0})),
    ] {
        assert_eq!(full[field], value, "{field} of {full}");
    }
    assert_eq!((&full["writer"]["pid"], &full["reader"]["pid"]), (&json!(me), &json!(me)));
    let mut message = reader.peek().unwrap();
    message.reply(&7_i32.to_ne_bytes()).unwrap();
    message.release();
    let shown = printed(&tool(&channel, "stat", &["--layout", SHIP]).end());
    let lines = [
        "size=28: the flag is -1 (empty)",
        "\nfields\n  pos   [0.5,-1.0]\n  name  \"left\"\n  on    true\nreply\n  order  7\n",
    ];
    for line in lines {
        assert!(shown.contains(line), "{line:?} is not in:\n{shown}");
    }
}

#[test]
fn what_lies_there_does_not_steer_a_terminal_and_is_not_endless() {
    const LONG: &str = "struct { int flag; char name[8]; unsigned char image[3000]; },data=name+image";
    let channel = Channel::new();
    let _reader = reader(&channel, LONG);
    let mut writer = writer(&channel, LONG);
    writer.send(&[&b"\x1b[2J\xc2\x9b1\0"[..], &[7; 3000]].concat()).unwrap();
    let shown = printed(&tool(&channel, "stat", &["--layout", LONG]).end());
    assert!(!shown.contains(|c: char| c.is_control() && c != '\n'), "{shown:?}");
    assert!(shown.contains("\"\\u001b[2J?1\"") && shown.contains("all of it: --json)"), "{shown}");
    assert!(shown.lines().all(|line| line.len() < 200), "{shown}");
    let all = object(&channel, "stat", &["--json", "--layout", LONG]);
    assert_eq!(all["fields"]["image"]["base64"].as_str().map(str::len), Some(4000), "{all}");
}

#[test]
fn stat_again_and_again() {
    let channel = Channel::new();
    let (_reader, mut writer) = (reader(&channel, "text[64]"), writer(&channel, "text[64]"));
    writer.send(b"hello\n").unwrap();
    let mut watched = tool(&channel, "stat", &["--layout=text[64]", "--watch=100ms", "--json"]).start();
    watched.until("two looks", |peer| peer.printed().split(|byte| *byte == b'\n').count() > 2);
    watched.signal(libc::SIGINT);
    let ended = watched.end();
    let text = String::from_utf8(ended.code(130).stdout.clone()).unwrap();
    for line in text.lines() {
        let look: Value = serde_json::from_str(line).unwrap();
        assert_eq!((&look["fields"], &look["flag"]), (&json!({"text": "hello\n"}), &json!(1)), "{look}");
        assert!(look.get("messages_per_second").is_some(), "{look}");
    }
}

#[test]
fn a_segment_of_another_size_is_refused_by_name() {
    let channel = Channel::new();
    let _reader = reader(&channel, "text[64]");
    for command in ["stat", "who"] {
        let says = ["a segment of 68 bytes is there", "the layout flag=i32@0,text=16@4,size=20 was asked for"];
        tool(&channel, command, &["--layout=text[16]"]).end().code(4).says(&says);
    }
    for command in ["stat", "who", "ls", "rm", "doctor", "race"] {
        let mut run = Command::new(SHM_HANDOFF);
        run.args([command, "--layout=struct { int flag; char *text; }"]);
        if command == "rm" {
            run.arg(channel.key().number().to_string());
        }
        Run::new(run).end().code(2).says(&["`text` is a pointer"]);
    }
    tool(&channel, "stat", &["--layout=/no/such/file.h"]).end().code(1).says(&["/no/such/file.h"]);
}

/// The rows of `ls --json` for a key.
fn listed(channel: &Channel, args: &[&str]) -> Vec<Value> {
    let mut run = Command::new(SHM_HANDOFF);
    run.args(["ls", "--json"]).args(args);
    let all: Value = serde_json::from_str(&printed(&Run::new(run).end())).unwrap();
    let key = channel.key().number();
    all["segments"].as_array().unwrap().iter().filter(|row| row["key"] == key).cloned().collect()
}

#[test]
fn ls_counts_what_has_the_struct_s_size() {
    let channel = Channel::new();
    let (_reader, mut writer) = (reader(&channel, SHIP), writer(&channel, SHIP));
    writer.send(&ship([0; 8])).unwrap();
    assert_eq!(listed(&channel, &[]), [] as [Value; 0]);
    assert_eq!(listed(&channel, &["--all"])[0]["layout"], "foreign");
    let rows = listed(&channel, &["--layout", SHIP]);
    let [row] = &rows[..] else { panic!("{rows:?}") };
    for (field, value) in [("layout", json!("declared")), ("messages", json!(1)), ("status", json!("used"))] {
        assert_eq!(row[field], value, "{field} of {row}");
    }
    assert_eq!((&row["writer"]["pid"], row.get("fields")), (&json!(std::process::id()), None));
    // What is a channel by itself is not taken for a slot that may be larger.
    let classic = Channel::new();
    let _slot = Reader::<SysV>::open(&Options::slot(classic.key())).unwrap();
    assert_eq!(listed(&classic, &["--layout=text[16],size>=20"])[0]["layout"], "classic");
    let ring = Channel::new();
    let _ring = Reader::<SysV>::open(&Options::ring(ring.key(), 65_536).unwrap()).unwrap();
    let size = ring.stat().unwrap().size;
    assert_eq!(listed(&ring, &[&format!("--layout=text[16],size={size}")])[0]["layout"], "ring");
}

#[test]
fn who_goes_by_the_seats_of_that_slot() {
    let slots = Slots::new();
    let channel = &slots.0;
    let _first = reader(channel, FIRST);
    let _second = writer(channel, SECOND);
    let me = std::process::id();
    for (args, role) in [(&["--layout", FIRST][..], "reader"), (&["--layout", SECOND], "writer"), (&[], "reader")] {
        let found = object(channel, "who", &[args, &["--json"]].concat());
        let processes = found["processes"].as_array().unwrap();
        let mine: Vec<_> = processes.iter().filter(|process| process["pid"] == me).collect();
        assert_eq!((mine.len(), &mine[0]["role"]), (1, &json!(role)), "{args:?}: {found}");
        assert_eq!(found.get("spec").and_then(Value::as_str), args.get(1).copied());
    }
    let said = format!("roles by the seats of the slot {SECOND}");
    tool(channel, "who", &["--layout", SECOND]).end().code(0).says(&[&said]);
    let shown = object(channel, "stat", &["--json", "--layout", SECOND]);
    assert_eq!((&shown["writer"]["pid"], &shown["reader"]), (&json!(me), &Value::Null), "{shown}");
}

#[test]
fn rm_refuses_what_is_used_or_unread() {
    let channel = Channel::new();
    let mut writer = writer(&channel, SHIP);
    let reader = reader(&channel, SHIP);
    tool(&channel, "rm", &["--layout", SHIP]).end().code(1).says(&["in use", "pid"]);
    tool(&channel, "rm", &["--force", "--layout", SHIP]).end().code(1).says(&["in use"]);
    writer.send(&ship([0; 8])).unwrap();
    drop((reader, writer));
    let unread = tool(&channel, "rm", &["--layout", SHIP]).end();
    unread.code(1).says(&["1 message lies unread in it", "--layout flag=i32@0,empty=-1,full=3,", " --count 1"]);
    tool(&channel, "rm", &["--layout=text[16]"]).end().code(1).says(&["was asked for"]);
    let would = printed(&tool(&channel, "rm", &["-n", "--force", "--layout", SHIP]).end());
    assert!(would.contains("(declared slot, 1 unread)"), "{would}");
    assert_eq!(channel.stat().map(|stat| stat.size), Some(28));
    printed(&tool(&channel, "rm", &["--force", "--layout", SHIP]).end());
    channel.assert_nothing_left();
}

#[test]
fn rm_takes_the_seats_of_a_slot_that_begins_elsewhere_too() {
    let slots = Slots::new();
    let channel = &slots.0;
    slots.left_by_a_killed_writer();
    let mut first = reader(channel, FIRST);
    tool(channel, "rm", &["--layout", SECOND]).end().code(1).says(&["in use", "is the reader"]);
    assert_eq!(first.try_recv(&mut [0; 2048]), Err(shm_handoff::RecvError::WouldBlock));
    drop(first);
    printed(&tool(channel, "rm", &["--layout", SECOND]).end());
    channel.assert_nothing_left();
    assert!(slots.set().is_none(), "the seats of the second slot are left behind");
}

/// What `doctor --json` finds about a key, in `stale` and `key`.
fn findings(channel: &Channel, args: &[&str]) -> Vec<String> {
    let ended = tool(channel, "doctor", &[args, &["--json"]].concat()).end();
    let report: Value = serde_json::from_slice(&ended.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap().iter();
    let about = findings.filter(|found| ["stale", "key"].contains(&found["check"].as_str().unwrap()));
    about.map(|found| format!("{} {} {} {}", found["check"], found["level"], found["what"], found["command"])).collect()
}

#[test]
fn doctor_knows_a_declared_slot_and_its_seats() {
    let slots = Slots::new();
    let channel = &slots.0;
    let number = channel.key().number();
    // The key to which the second slot's seats would belong if it began at 0.
    let other = format!("key {} ", number ^ slots.second() ^ channel.key().seats());
    let about = |findings: &[String], what: &str| findings.iter().filter(|found| found.contains(what)).count();
    slots.left_by_a_killed_writer();
    let without = findings(channel, &[]);
    assert_eq!((about(&without, &other), about(&without, "no handoff channel")), (0, 1), "{without:?}");
    let with = findings(channel, &["--layout", SECOND]);
    assert_eq!((about(&with, &other), about(&with, "a declared slot with 0 messages")), (0, 1), "{with:?}");
    let way_out = format!("shm-handoff rm --layout {SECOND} {number}");
    assert_eq!(about(&with, &way_out), 1, "{with:?}");
    // The segment goes, and the seats are what is left.
    channel.remove_segment();
    let alone = findings(channel, &["--layout", SECOND]);
    let what = format!("key {number} (0x{number:x}): seats that nobody sits on, without a segment");
    assert_eq!((about(&alone, &what), about(&alone, &way_out), about(&alone, &other)), (1, 1, 0), "{alone:?}");
    printed(&tool(channel, "rm", &["--layout", SECOND]).end());
    assert!(slots.set().is_none());
}

#[test]
fn a_race_in_the_user_s_struct() {
    for (spec, terms, has_end) in [
        ("text[16]", "flag=i32@0,text=16@4,size=20", true),
        ("struct { char full; int mat[9]; },empty=2,full=5", "flag=i8@0,empty=2,full=5,data=36@4,size=40", false),
    ] {
        let channel = Channel::new();
        let mut run = Command::new(SHM_HANDOFF);
        run.args(["race", "--seconds=1", "--json", "--layout", spec]).arg(format!("--key={}", channel.key().number()));
        let seen: Value = serde_json::from_str(&printed(&Run::new(run).end())).unwrap();
        channel.assert_nothing_left();
        assert_eq!(seen["layout"], terms);
        let protocols = seen["protocols"].as_array().unwrap();
        let [tutorial, ours] = &protocols[..] else { panic!("{seen}") };
        assert_eq!((&tutorial["protocol"], &ours["protocol"]), (&json!("tutorial"), &json!("ours")));
        assert_eq!((&tutorial["clean"], &ours["clean"]), (&json!(false), &json!(true)), "{seen}");
        let rows = |protocol: &Value| protocol["rows"].as_array().unwrap().clone();
        for row in [rows(tutorial), rows(ours)].concat() {
            assert!(row["sent"].as_u64() > Some(0), "{row}");
            let is_second = row["scenario"] == "two writers" || row["scenario"] == "together";
            assert_eq!(row["ends"].as_u64() > Some(0), has_end && (is_second || row["hung"] == 0), "{row}");
        }
        // D4: by construction the reader starts after the first message.
        let waits = &tutorial["rows"][1];
        assert!(waits["lost"].as_u64() >= waits["sessions"].as_u64(), "{waits}");
    }
}

#[test]
fn a_race_needs_room_to_tell_messages_apart() {
    for spec in ["text[9]", "struct { int flag; short angle; }"] {
        let mut run = Command::new(SHM_HANDOFF);
        run.args(["race", "--layout", spec]);
        Run::new(run).end().code(2).says(&["too few to tell messages apart"]);
    }
}

/// A tool that was not told the layout says that there is one.
#[test]
fn a_layout_that_a_side_was_told_is_asked_for() {
    let channel = Channel::new();
    let reader = reader(&channel, SHIP);
    let told = ["the segment is no handoff channel", "was told its layout: name the same with --layout"];
    tool(&channel, "stat", &[]).end().code(4).says(&told);
    drop(reader);
    let untold = tool(&channel, "stat", &[]).end();
    assert!(!untold.code(4).stderr.contains("was told its layout"), "{untold}: nobody is there");
}
