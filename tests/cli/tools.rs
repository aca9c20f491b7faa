//! `shm-handoff ls`, `who` and `rm`: what they show, and whom they leave alone.

use crate::support::{
    Apart, Channel, Ended, Run, SHM_HANDOFF, SHMREAD, eventually, for_everybody, ipc, is_root, skipped,
};
use serde_json::Value;
use shm_handoff::backend::sysv::{Options, Segment, SysV};
use shm_handoff::{Reader, Role, Writer};
use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

fn tool(args: &[&str]) -> Run {
    let mut command = Command::new(SHM_HANDOFF);
    command.args(args);
    Run::new(command)
}

fn at(channel: &Channel, subcommand: &str, args: &[&str]) -> Ended {
    tool(&[&[subcommand, &channel.key().number().to_string()], args].concat()).end()
}

fn json(ended: &Ended) -> Value {
    serde_json::from_slice(&ended.code(0).stdout).unwrap()
}

fn text(ended: &Ended) -> String {
    String::from_utf8(ended.stdout.clone()).unwrap()
}

/// The row of this channel in `ls`.
fn listed(channel: &Channel, args: &[&str]) -> Option<Value> {
    let all = json(&tool(&[&["ls", "--json"], args].concat()).end());
    assert_eq!(all["schema"], "shm-handoff/ls/1");
    let rows = all["segments"].as_array().unwrap();
    rows.iter().find(|row| row["key"] == channel.key().number()).cloned()
}

#[test]
fn ls_tells_what_is_used_from_what_waits_and_what_lies_about() {
    let channel = Channel::new();
    assert_eq!(listed(&channel, &[]), None);
    let reader = channel.seated_reader(&["--count=1"]);
    let row = listed(&channel, &[]).unwrap();
    assert_eq!((&row["status"], &row["layout"], &row["attached"]), (&"used".into(), &"classic".into(), &1.into()));
    assert_eq!(row["reader"], serde_json::json!({ "pid": reader.pid(), "command": "shmread" }));
    drop(reader);
    assert_eq!(listed(&channel, &[]).unwrap()["status"], "unused");
    channel.remove_segment();
    channel.writer(["--ring=64K", "one", "two"]).end().code(0);
    let row = listed(&channel, &[]).unwrap();
    assert_eq!((&row["status"], &row["messages"], &row["bytes"]), (&"waiting".into(), &2.into(), &8.into()));
}

/// It is no message, and yet the next reader meets it, and a writer waits for that.
#[test]
fn the_end_of_a_session_that_nobody_has_met_is_shown() {
    let channel = Channel::new();
    channel.writer(["--ring=64K"]).input("").end().code(0);
    let row = listed(&channel, &[]).unwrap();
    assert_eq!((&row["status"], &row["messages"], &row["ended"]), (&"ended".into(), &0.into(), &true.into()));
    let said = "waiting    0 messages, 0 bytes, and the end of the session\n";
    assert!(text(at(&channel, "stat", &[]).code(0)).contains(said));
    assert!(text(at(&channel, "rm", &["--dry-run"]).code(0)).contains("the end of a session unread"));
    channel.remove_segment();
    channel.writer(["--ring=64K"]).input("one\n").end().code(0);
    let row = listed(&channel, &[]).unwrap();
    assert_eq!((&row["status"], &row["messages"], &row["ended"]), (&"waiting".into(), &1.into(), &true.into()));
    channel.remove_segment();
    // That of records is told beside them.
    let spec = "flag=i32@0,data=8@4,size=12";
    let options = Options::declared(channel.key(), &spec.parse().unwrap());
    let reader = Reader::<SysV>::open(&options).unwrap();
    Writer::<SysV>::open(&options).unwrap().end().unwrap();
    drop(reader);
    let row = listed(&channel, &["--layout", spec]).unwrap();
    assert_eq!((&row["status"], &row["messages"], &row["ended"]), (&"ended".into(), &0.into(), &true.into()));
}

#[test]
fn ls_shows_what_could_be_ours_and_all_of_it_if_asked() {
    let foreign = Channel::new();
    let segment = Segment::create_new(foreign.key(), 5000, 0o600).unwrap();
    assert_eq!(listed(&foreign, &[]), None);
    assert_eq!(listed(&foreign, &["--all"]).unwrap()["status"], "foreign");
    drop(segment);
    // The size of a ring, and none.
    let half = Channel::new();
    drop(Segment::create_new(half.key(), 8192 + 65536, 0o600).unwrap());
    assert_eq!(listed(&half, &[]).unwrap()["layout"], "foreign");
}

#[test]
fn columns_are_chosen_as_with_lsipc() {
    let channel = Channel::new();
    channel.writer(["--ring=64K", "one"]).end().code(0);
    let key = format!("{:#010x}", channel.key().number());
    let ended = tool(&["ls", "--output=messages,key,writer", "--no-headings"]).end();
    let line = text(ended.code(0)).lines().find(|line| line.contains(&key)).unwrap().to_owned();
    assert_eq!(line.split_whitespace().collect::<Vec<_>>(), ["1", &key, "-"]);
    let ended = tool(&["ls", "-o", "key"]).end();
    assert!(text(ended.code(0)).starts_with("KEY\n"), "{ended}");
    tool(&["ls", "-o", "colour"]).end().code(2).says(&["no column \"colour\"", "known: KEY,ID"]);
    tool(&["ls", "--json", "-o", "key"]).end().code(2);
}

#[test]
fn who_finds_every_process_a_c_program_too() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&[]);
    let mut guest = channel.c_writer().open_input().start();
    guest.until("attached", |_| channel.attached() == 2);
    let found = json(&at(&channel, "who", &["--json"]));
    assert_eq!((&found["attached"], &found["unseen"]), (&2.into(), &0.into()));
    let mut rows: Vec<_> = found["processes"].as_array().unwrap().clone();
    rows.sort_by_key(|row| row["role"].as_str().unwrap().to_owned());
    let [first, second] = &rows[..] else { panic!("two processes: {found}") };
    assert_eq!((&first["pid"], &first["role"]), (&guest.pid().into(), &"guest".into()));
    assert_eq!((&second["pid"], &second["role"]), (&reader.pid().into(), &"reader".into()));
    assert_eq!((&second["command"], &second["writes"]), (&"shmread".into(), &true.into()));
    // Removed and still attached: by its id alone.
    let id = found["id"].to_string();
    channel.remove_segment();
    reader.stop();
    let found = json(&tool(&["who", "--json", "--id", &id]).end());
    assert!(found["processes"].as_array().unwrap().iter().any(|row| row["pid"] == guest.pid()), "{found}");
    reader.go_on();
    tool(&["who", "--id", "2147483647"]).end().code(1).says(&["no segment with id", "shm-handoff ls"]);
}

/// Whoever names a program could have it clear the screen of who looks.
#[test]
fn names_of_programs_are_no_commands_to_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let named = folder.path().join("\x1b[2Jx");
    std::os::unix::fs::symlink(SHMREAD, &named).unwrap();
    let channel = Channel::new();
    let mut reader = Run::new(channel.command(&named, [""; 0])).start();
    channel.await_seated(Role::Reader, &mut reader);
    for ended in [tool(&["ls", "-a"]).end(), at(&channel, "who", &[]), at(&channel, "who", &["--json"])] {
        let shown = String::from_utf8_lossy(&ended.stdout).into_owned();
        assert!(shown.contains("?[2Jx") && !shown.contains("\x1b[2J"), "{shown}");
    }
}

/// What can't be looked into is counted, not passed over.
#[test]
fn who_says_how_many_it_can_not_see() {
    if !is_root() {
        return skipped("only root can become somebody else");
    }
    let folder = for_everybody(&[Path::new(SHM_HANDOFF)]);
    let channel = Channel::new();
    let _reader = channel.seated_reader(&[]);
    let mut command = Command::new(folder.path().join("shm-handoff"));
    command.args(["who", &channel.key().number().to_string()]).uid(65534).gid(65534);
    Run::new(command).end().code(0).says(&["1 more attachment of processes that can't be seen", "as root"]);
}

#[test]
fn rm_removes_what_nobody_uses_and_nothing_else() {
    let channel = Channel::new();
    at(&channel, "rm", &[]).code(1).says(&["there is no segment"]);
    let reader = channel.seated_reader(&[]);
    for force in [&[][..], &["--force"], &["--dry-run"]] {
        at(&channel, "rm", force).code(1).says(&["in use", &format!("pid {} shmread is the reader", reader.pid())]);
    }
    drop(reader);
    assert_eq!(text(at(&channel, "rm", &["-n"]).code(0)), would_or_did("would remove", &channel));
    assert!(channel.stat().is_some(), "--dry-run removed it");
    let did = would_or_did("removed", &channel);
    assert_eq!(text(at(&channel, "rm", &[]).code(0)), did);
    channel.assert_nothing_left();
}

fn would_or_did(what: &str, channel: &Channel) -> String {
    let (id, key) = (ipc::find_segment(channel.key().number()).unwrap(), channel.key().number());
    format!("{what} segment {id} (classic slot) at key {key} ({key:#x})\n")
}

#[test]
fn rm_leaves_a_bystander_alone_whatever_it_is_asked_for() {
    let channel = Channel::new();
    let mut guest = channel.c_writer().open_input().start();
    guest.until("attached", |_| channel.attached() == 1);
    for force in [&[][..], &["--force"], &["--dry-run", "--force"]] {
        at(&channel, "rm", force).code(1).says(&["in use: 1 attachment", "shm-handoff who"]);
    }
    assert_eq!(channel.attached(), 1);
    assert!(!channel.is_seated(Role::Reader) && !channel.is_seated(Role::Writer), "the seats were given back");
}

#[test]
fn rm_takes_unread_messages_and_what_is_no_channel_only_by_force() {
    let channel = Channel::new();
    channel.writer(["--ring=64K", "one", "two"]).end().code(0);
    at(&channel, "rm", &[]).code(1).says(&["2 messages lie unread", "--force"]);
    let ended = at(&channel, "rm", &["--force"]);
    assert!(text(ended.code(0)).contains("a ring of 64 KiB, 2 unread"), "{ended}");
    channel.assert_nothing_left();
    drop(Segment::create_new(channel.key(), 5000, 0o600).unwrap());
    at(&channel, "rm", &[]).code(1).says(&["no handoff channel"]);
    at(&channel, "rm", &["--force"]).code(0);
    channel.assert_nothing_left();
}

/// One that fails keeps none of the others, before it or behind it.
#[test]
fn rm_does_all_of_its_keys_and_says_each_failure() {
    let channels: [Channel; 5] = std::array::from_fn(|_| Channel::new());
    let [gone, empty, full, last, foreign] = &channels;
    for channel in [empty, last] {
        channel.seated_reader(&[]).kill();
    }
    full.writer(["--ring=64K", "one"]).end().code(0);
    drop(Segment::create_new(foreign.key(), 5000, 0o600).unwrap());
    let keys: Vec<_> = channels.iter().map(|channel| channel.key().number().to_string()).collect();
    let keys: Vec<_> = ["rm"].into_iter().chain(keys.iter().map(String::as_str)).collect();
    for more in [&["--dry-run"][..], &[]] {
        let ended = tool(&[&keys, more].concat()).end();
        ended.code(1);
        let failures: Vec<_> = ended.stderr.lines().filter(|line| line.starts_with("shm-handoff rm: key ")).collect();
        assert_eq!(failures.len(), 3, "{ended}");
        for (failure, (channel, what)) in
            failures.iter().zip([(gone, "there is no segment"), (full, "lies unread"), (foreign, "no handoff channel")])
        {
            assert!(failure.contains(&format!("key {} ", channel.key().number())) && failure.contains(what), "{ended}");
        }
        assert_eq!(ended.stderr.matches("hint:").count(), 3, "{ended}");
        assert_eq!(text(&ended).lines().count(), 2, "{ended}");
    }
    for channel in [empty, last] {
        channel.assert_nothing_left();
    }
    assert!(full.stat().is_some() && foreign.stat().is_some());
    let keys = [full, foreign].map(|channel| channel.key().number().to_string());
    tool(&["rm", "--force", &keys[0], &keys[1]]).end().code(0).says_nothing();
    full.assert_nothing_left();
    foreign.assert_nothing_left();
}

/// Whoever shares the pipe may have made it so.
#[test]
fn a_pipe_that_does_not_block_gets_all_of_it() {
    let channels: Vec<_> = std::iter::repeat_with(Channel::new).take(30).collect();
    for channel in &channels {
        drop(Segment::create_new(channel.key(), 2052, 0o600).unwrap());
    }
    for args in [&["ls", "--json"][..], &["ls", "--json", "--color=always"]] {
        let (mut output, pipe) = std::io::pipe().unwrap();
        // SAFETY: these take numbers alone.
        unsafe {
            assert!(libc::fcntl(pipe.as_raw_fd(), libc::F_SETPIPE_SZ, 4096) > 0);
            assert_eq!(libc::fcntl(pipe.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK), 0);
        }
        let mut ls = tool(args).output_to(pipe).start();
        ls.until("a full pipe", |_| {
            let mut bytes = 0;
            // SAFETY: FIONREAD writes one number, for which there is room.
            unsafe { libc::ioctl(output.as_raw_fd(), libc::FIONREAD, &raw mut bytes) };
            bytes == 4096
        });
        let mut all = Vec::new();
        output.read_to_end(&mut all).unwrap();
        ls.end().code(0).says_nothing();
        let shown: Value = serde_json::from_slice(&all).unwrap();
        let keys: Vec<_> = shown["segments"].as_array().unwrap().iter().map(|row| row["key"].clone()).collect();
        assert!(channels.iter().all(|channel| keys.contains(&channel.key().number().into())), "{keys:?}");
    }
}

#[test]
fn rm_clears_seats_without_a_segment() {
    let channel = Channel::new();
    channel.seated_writer(&[]).kill();
    channel.remove_segment();
    assert!(ipc::find_set(channel.key().seats()).is_some());
    let ended = at(&channel, "rm", &[]);
    assert!(text(ended.code(0)).contains("removed the seats"), "{ended}");
    channel.assert_nothing_left();
}

/// The ids of segments are given anew in each IPC namespace.
#[test]
fn who_lists_nobody_of_another_namespace() {
    let (Some(ours), Some(theirs)) = (Apart::new("true"), Apart::new("true")) else { return };
    let seated = |place: &Apart, name: &str| {
        let peer = place.run(name, &["--timeout=60s"]).start();
        let listed = eventually("it is attached", || {
            let ended = place.run(SHM_HANDOFF, &["who", "--json", &place.key()]).end();
            let listed = String::from_utf8_lossy(&ended.stdout).into_owned();
            listed.contains(&format!("\"pid\":{}", peer.pid())).then_some(listed)
        });
        (peer, listed)
    };
    let (_stranger, _) = seated(&theirs, SHMREAD);
    let (_peer, listed) = seated(&ours, SHMREAD);
    assert_eq!(listed.matches("\"pid\":").count(), 1, "{listed}");
}
