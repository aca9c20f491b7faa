//! `shm-handoff stat`: looks, and changes nothing.

use crate::support::{Channel, Run, SHM_HANDOFF, eventually, for_everybody, ipc, is_root, skipped};
use nix::fcntl::{FcntlArg, OFlag};
use shm_handoff::backend::sysv::{Options, SysV};
use shm_handoff::{Ring, Role, WaitPolicy, Writer};
use std::path::Path;
use std::process::Command;

fn stat(channel: &Channel, args: &[&str]) -> Run {
    let mut command = Command::new(SHM_HANDOFF);
    command.args(["stat", &channel.key().number().to_string()]).args(args);
    Run::new(command)
}

fn json(channel: &Channel) -> serde_json::Value {
    let ended = stat(channel, &["--json"]).end();
    ended.code(0).says_nothing();
    serde_json::from_slice(&ended.stdout).unwrap()
}

#[test]
fn of_a_classic_slot() {
    let channel = Channel::new();
    stat(&channel, &[]).end().code(1).says(&["there is no"]);
    let mut reader = channel.seated_reader(&["--count=1"]);
    reader.stop();
    let mut writer = channel.writer(["hello"]).start();
    channel.await_full(&mut writer);
    writer.end().code(0);
    let shown = json(&channel);
    for (field, value) in [("flag", 1), ("messages", 1), ("bytes", 6), ("size", 2052), ("attached", 1)] {
        assert_eq!(shown[field], value, "{field} of {shown}");
    }
    assert_eq!((&shown["layout"], &shown["mode"]), (&"classic".into(), &"600".into()));
    assert_eq!(shown["schema"], "shm-handoff/stat/1");
    assert_eq!((&shown["reader"]["pid"], &shown["writer"]), (&reader.pid().into(), &serde_json::Value::Null));
    let text = stat(&channel, &[]).end();
    let text = String::from_utf8_lossy(&text.code(0).stdout).into_owned();
    assert!(text.contains("1 message, 6 bytes") && text.contains(&format!("pid {} shmread", reader.pid())), "{text}");
    reader.go_on();
    reader.end().code(0).prints("hello\n");
}

#[test]
fn of_a_ring() {
    let channel = Channel::new();
    channel.writer(["--ring=64K", "one", "two"]).end().code(0);
    let shown = json(&channel);
    for (field, value) in [("messages", 2), ("bytes", 8), ("attached", 0)] {
        assert_eq!(shown[field], value, "{field} of {shown}");
    }
    let ring = &shown["ring"];
    for (field, value) in [("capacity", 65536), ("head", 0), ("released", 0), ("tail", 32)] {
        assert_eq!(ring[field], value, "{field} of {shown}");
    }
    assert!(ring["carried"].is_null(), "{shown}");
    let mut bridge = Writer::<SysV, Ring>::open(&Options::any_ring(channel.key())).unwrap();
    bridge.carry(0xabc, 0, &[(16, b"of another ring")], &mut WaitPolicy::forever()).unwrap();
    bridge.close().unwrap();
    let on = serde_json::json!({"stream": "0000000000000abc", "position": 16, "ended": false});
    assert_eq!(json(&channel)["ring"]["carried"], on);
    let text = String::from_utf8(stat(&channel, &[]).end().code(0).stdout.clone()).unwrap();
    assert!(text.contains("\ncarried    stream 0x0000000000000abc of another ring, up to 16\n"), "{text}");
    // A writer that was killed has failed.
    channel.seated_writer(&[]).kill();
    assert_eq!((&json(&channel)["writer_failed"], channel.is_seated(Role::Writer)), (&true.into(), false));
}

/// Attached for reading alone: who may read and not write can look.
#[test]
fn by_somebody_who_may_only_read() {
    if !is_root() {
        return skipped("only root can become somebody else");
    }
    let folder = for_everybody(&[Path::new(SHM_HANDOFF)]);
    let channel = Channel::new();
    channel.writer(["--ring=64K", "one"]).end().code(0);
    let as_stranger = || {
        use std::os::unix::process::CommandExt;
        let mut command = Command::new(folder.path().join("shm-handoff"));
        command.args(["stat", &channel.key().number().to_string()]).uid(65534).gid(65534);
        Run::new(command)
    };
    as_stranger().end().code(1).says(&["mode 600", "uid 0"]);
    // 0604: others read. The set is gone with the writer, who left nobody behind.
    ipc::set_permissions(true, ipc::find_segment(channel.key().number()).unwrap(), 0o604);
    if let Some(set) = ipc::find_set(channel.key().seats()) {
        ipc::set_permissions(false, set, 0o604);
    }
    let ended = as_stranger().end();
    assert!(String::from_utf8_lossy(&ended.code(0).stdout).contains("1 message, 4 bytes"), "{ended}");
}

/// A reader of its output that does not read on can't keep it.
#[test]
fn a_signal_ends_it_where_nobody_reads_on() {
    let channel = Channel::new();
    let _writer = channel.seated_writer(&["--ring=64K"]);
    let (reads, writes) = nix::unistd::pipe2(OFlag::O_NONBLOCK).unwrap();
    while nix::unistd::write(&writes, &[b'x'; 4096]).is_ok() {}
    nix::fcntl::fcntl(&writes, FcntlArg::F_SETFL(OFlag::empty())).unwrap();
    for args in [&["--json", "--watch=100ms"][..], &["--watch=100ms"]] {
        let watch = stat(&channel, args).output_to(writes.try_clone().unwrap()).start();
        eventually("it waits", || watch.waits().then_some(()));
        watch.signal(libc::SIGTERM);
        watch.end().code(143);
    }
    drop(reads);
}

/// A line for each look, until a signal; the rates are those of what went over between two.
#[test]
fn again_and_again() {
    let channel = Channel::new();
    let mut writer = channel.writer(["--ring=64K"]).open_input().start();
    writer.type_in("one\n");
    channel.await_seated(Role::Writer, &mut writer);
    let mut watch = stat(&channel, &["--json", "--watch=100ms"]).start();
    let looks = |seen: &[u8]| -> Vec<serde_json::Value> {
        // A line that is not whole yet is none.
        let text = std::str::from_utf8(seen).unwrap();
        let whole = text.rsplit_once('\n').map_or("", |(lines, _)| lines);
        whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    watch.until("a look", |watch| looks(watch.printed()).iter().any(|look| look["messages"] == 1));
    writer.type_in("two\n");
    watch.until("what came in", |watch| {
        looks(watch.printed()).iter().any(|look| look["bytes_in_per_second"].as_u64() > Some(0))
    });
    writer.close_input();
    writer.end().code(0);
    channel.reader(["--count=2"]).end().code(0);
    channel.reader([""; 0]).end().code(0);
    watch.until("the end", |watch| looks(watch.printed()).last().is_some_and(|look| look["missing"] == true));
    watch.signal(libc::SIGTERM);
    watch.end().code(143);
    stat(&channel, &["--watch=1ms"]).end().code(2).says(&["100ms at least"]);
}

/// The grammar is tried in `cli::metrics`, and by two parsers in `ci/deploy.sh`.
#[test]
fn as_metrics() {
    let channel = Channel::new();
    stat(&channel, &["--metrics"]).end().code(1).says(&["there is no"]);
    channel.writer(["--ring=64K", "one", "two"]).end().code(0);
    channel.reader(["--count=1"]).end().code(0);
    let id = ipc::find_segment(channel.key().number()).unwrap();
    let about = format!("key=\"0x{:08x}\",layout=\"ring\",id=\"{id}\"", channel.key().number());
    let every = {
        let mut command = Command::new(SHM_HANDOFF);
        command.args(["stat", "--metrics"]);
        Run::new(command)
    };
    for run in [stat(&channel, &["--metrics"]), every] {
        let ended = run.end();
        ended.code(0).says_nothing();
        let text = String::from_utf8(ended.stdout.clone()).unwrap();
        for line in [
            format!("shm_handoff_published_bytes_total{{{about}}} 32\n"),
            format!("shm_handoff_released_bytes_total{{{about}}} 16\n"),
            format!("shm_handoff_waiting_messages{{{about}}} 1\n"),
            format!("shm_handoff_waiting_bytes{{{about}}} 4\n"),
            format!("shm_handoff_seated{{{about},role=\"writer\"}} 0\n"),
            format!("shm_handoff_status{{{about},status=\"waiting\"}} 1\n"),
        ] {
            assert!(text.contains(&line), "no {line} in {text}");
        }
        assert!(text.ends_with("\n# EOF\n"), "{text}");
    }
    stat(&channel, &["--metrics", "--json"]).end().code(2);
    stat(&channel, &["--metrics", "--all"]).end().code(2);
    stat(&channel, &["--all"]).end().code(2);
}

/// Memory of a layout that has to be named can come and go.
#[test]
fn a_watch_outlives_another_layout() {
    for (args, says) in [
        (&["--watch=100ms"][..], "segment is no handoff channel"),
        (&["--json", "--watch=100ms"], "\"unreadable\":\"key "),
    ] {
        let channel = Channel::new();
        let reader = channel.seated_reader(&[""; 0]);
        let mut watch = stat(&channel, args).start();
        watch.until("a look", |peer| peer.printed().contains(&b'\n'));
        let mut writer = channel.seated_writer(&["--layout=text[100]"]);
        watch.until("another layout", |peer| String::from_utf8_lossy(peer.printed()).contains(says));
        writer.close_input();
        writer.end().code(0);
        reader.end().code(0);
        let before = watch.printed().len();
        watch.until("no segment", |peer| {
            let text = String::from_utf8_lossy(&peer.printed()[before..]).into_owned();
            text.contains("there is no segment") || text.contains("\"missing\":true")
        });
        watch.signal(libc::SIGINT);
        watch.end().code(130);
    }
}
