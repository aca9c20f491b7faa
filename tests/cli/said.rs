//! What the programs say where it is easily misunderstood.

use crate::support::{Channel, Ended, Peer, Run, SHM_HANDOFF, SHMREAD, for_everybody, ipc, is_root, skipped};
use shm_handoff::backend::sysv::{Key, Segment};
use std::os::unix::process::CommandExt;
use std::process::Command;

fn tool(args: &[&str]) -> Ended {
    let mut command = Command::new(SHM_HANDOFF);
    command.args(args);
    Run::new(command).end()
}

/// A key of few digits: its two hexadecimal forms differ.
fn short_key() -> Channel {
    let free = |key: &Key| ipc::find_segment(key.number()).is_none() && ipc::find_set(key.seats()).is_none();
    let own = (std::process::id() & 0xFFFF) << 4;
    let key = (own + 1..own + 15).filter_map(|number| Key::new(number).ok()).find(free);
    Channel::at(key.expect("a free one of a few"))
}

/// In a sentence decimal and hexadecimal; as `ipcs` has it where it is to be found there.
#[test]
fn a_key_is_named_in_one_way() {
    let channel = short_key();
    let number = channel.key().number().to_string();
    let [both, ipcs] =
        [format!("{number} ({:#x})", channel.key().number()), format!("{:#010x}", channel.key().number())];
    let seats = format!("{:#010x}", channel.key().seats());

    let stat = tool(&["stat", &number]);
    stat.code(1).says(&[&format!("key {both}: there is no segment")]);
    let alone = channel.writer(["--timeout=300ms", "x"]).end();
    alone
        .code(124)
        .says(&[&format!("no reader is at key {both} yet"), &format!("to key {both} in this IPC namespace")]);
    let wide = channel.writer(["--timeout=1ms", "x"]);
    let segment = ipc::find_segment(channel.key().number()).expect("the first one left it");
    ipc::set_permissions(true, segment, 0o666);
    wide.end().code(124).says(&[&format!("the segment at key {both} has mode 666")]);
    let shown = |ended: &Ended| String::from_utf8(ended.code(0).stdout.clone()).unwrap();
    assert!(shown(&tool(&["stat", &number])).contains(&format!("key        {both}\n")));
    assert!(shown(&tool(&["ls", "-o", "key"])).lines().any(|line| line == ipcs));
    channel.remove_segment();

    // What is to be typed, and what `ipcrm` is to find.
    drop(Segment::create_new(channel.key(), 5000, 0o600).unwrap());
    channel
        .reader([""; 0])
        .end()
        .code(4)
        .says(&[&format!("key {both}: "), &format!("shm-handoff rm --force {number}")]);
    let found = tool(&["doctor", &number]).stdout;
    assert!(String::from_utf8_lossy(&found).contains(&format!("$ shm-handoff rm --force {number}\n")));
    channel.remove_segment();
    channel.remove_seats();
    ipc::make_set(channel.key().seats(), 2);
    channel.reader([""; 0]).end().code(4).says(&[&format!("the seats' key {seats}"), &format!("ipcrm -S {seats}")]);
}

/// A word that was meant for the option before it, or as standard input, is sent as it is given:
/// that is said, and how to write what was meant.
#[test]
fn a_word_that_was_hardly_meant_as_a_message_is_named() {
    let channel = Channel::new();
    let sends = |args: &[&str]| channel.writer(["--timeout=1ms"].iter().chain(args)).end();
    for (args, word, hint) in [
        (&["--progress", "always", "hello"][..], "always", "with an equals sign: --progress=always"),
        (&["--ring", "2M", "hello"], "2M", "with an equals sign: --ring=2M"),
        (&["-"], "-", "leave it out, and the lines of standard input are sent"),
        (&["hello", "-"], "-", "leave it out, and the lines of standard input are sent"),
    ] {
        sends(args).says(&[&format!("warning: `{word}` is sent as a message\n  hint: "), hint]);
        let quiet = sends(&[&["-q"], args].concat());
        assert!(!quiet.stderr.contains("as a message"), "{quiet}");
        channel.remove_segment();
    }
    // Meant as they are.
    for args in
        [&["--", "-"][..], &["--progress", "--", "always"], &["always", "--progress"], &["--progress=always", "x"]]
    {
        let ended = sends(args);
        assert!(!ended.stderr.contains("as a message"), "{ended}");
    }
}

#[test]
fn a_value_that_is_none_is_answered_with_one_that_is() {
    let reader = |args: &[&str]| {
        let mut command = Command::new(SHMREAD);
        command.args(args);
        Run::new(command).end()
    };
    reader(&["--progress", "always"]).code(2).says(&["'always'", "with an equals sign: --progress=always"]);
    reader(&["--ring", "64K"]).code(2).says(&["'64K'", "with an equals sign: --ring=64K"]);
    reader(&["--count", "0"]).code(2).says(&["'0'", "the least is 1; without --count shmread prints until"]);
    reader(&["--count", "many"]).code(2).says(&["'many'", "not a number of messages, such as 1"]);
    reader(&["--timeout", "5"]).code(2).says(&["a unit is missing, as in 5s for seconds or 5ms for milliseconds"]);
    reader(&["--timeout", "soon"]).code(2).says(&["not a time, such as 500ms or 5s"]);
    for args in [&["stat", "1234", "--watch", "2s"][..], &["stat", "-w", "2s"]] {
        tool(args).code(2).says(&["'2s'", "with an equals sign: --watch=2s"]);
    }
    tool(&["stat", "--watch=5"]).code(2).says(&["a unit is missing, as in 5s"]);
}

/// The tools in a mount namespace where `mount` was done to `/proc`; `None`: it can't be had.
fn with_other_proc(mount: &str, run: &str) -> Option<Ended> {
    if !is_root() {
        skipped("only root can change what is mounted");
        return None;
    }
    let tried = Command::new("unshare").args(["--mount", "sh", "-c", mount]).output();
    if !tried.is_ok_and(|tried| tried.status.success()) {
        skipped(&format!("this can't be done here: unshare --mount; {mount}"));
        return None;
    }
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", &format!("{mount} && exec {run}")]);
    Some(Run::new(command).end())
}

fn shown(ended: &Ended) -> String {
    String::from_utf8_lossy(&ended.stdout).into_owned()
}

/// Each check that can't be made says so in its place; what can be told is told.
#[test]
fn without_proc_the_tools_say_what_they_can_not_see() {
    let channel = Channel::new();
    let reader = channel.seated_reader(&[]);
    let key = channel.key().number();
    let without = |run: &str| with_other_proc("umount --lazy /proc", run);
    let Some(ended) = without(&format!("{SHM_HANDOFF} doctor {key}")) else { return };
    let found = shown(ended.code(0));
    for finding in [
        "note     limits     their use is unknown: /proc/sysvipc can't be read",
        "note     removal    it is unknown whether memory outlives its last attachment",
        "note     namespace  the IPC namespace is unknown: /proc/self/ns/ipc can't be read",
        &format!("ok       key        {}: a classic slot with 0 messages, 1 attached", channel.key()),
        &format!(
            "note     stopped    pid {} has a seat at {}, and /proc does not show whether it is",
            reader.pid(),
            channel.key()
        ),
        "note     stale      can't be looked for: /proc/sysvipc can't be read",
        "note     orphans    can't be looked for",
        "note     modes      can't be looked for",
    ] {
        assert!(found.contains(finding), "{finding:?} is not in\n{found}");
    }
    let told = without(&format!("{SHM_HANDOFF} stat {key}")).unwrap();
    assert!(shown(told.code(0)).contains(&format!("reader     pid {}\n", reader.pid())), "{told}");
    let told = without(&format!("{SHM_HANDOFF} who {key}")).unwrap();
    told.code(0).says(&["1 more attachment of processes that can't be seen from here (/proc is not mounted)"]);
    let told = without(&format!("{SHM_HANDOFF} ls")).unwrap();
    told.code(1).says(&["/proc/sysvipc/shm", "hint: mount /proc, or look at one key: shm-handoff stat KEY"]);
    let alone = Channel::new();
    let told = without(&format!("{SHMREAD} --timeout 1ms -k {}", alone.key().number())).unwrap();
    told.code(124).says(&["in this IPC namespace (/proc/self/ns/ipc, which has its number, can't be read)"]);
}

#[test]
fn processes_that_proc_hides_are_not_taken_for_those_of_another_namespace() {
    let channel = Channel::new();
    let _reader = channel.seated_reader(&["--mode=644"]);
    let folder = for_everybody(&[SHM_HANDOFF.as_ref()]);
    let stranger = |command: &str| {
        format!("setpriv --reuid 65534 --regid 65534 --clear-groups {}/shm-handoff {command}", folder.path().display())
    };
    let key = channel.key().number();
    let hidden = |command: &str| with_other_proc("mount -t proc -o hidepid=2 proc /proc", &stranger(command));
    let Some(told) = hidden(&format!("who {key}")) else { return };
    told.code(0).says(&["1 more attachment", "/proc hides other users' processes by hidepid: run as root"]);
    let found = shown(&hidden(&format!("doctor {key}")).unwrap());
    assert!(found.contains("note     namespace  processes of other users are hidden (hidepid)"), "{found}");
    assert!(!found.contains("only root may see"), "{found}");
}

/// In a container root is told what it lacks, not to be root.
#[test]
fn root_is_not_told_to_be_root() {
    if !is_root() {
        return skipped("only root can give a capability away");
    }
    let channel = Channel::new();
    let _reader = channel.seated_reader(&[]);
    let without = |subcommand: &str| {
        let mut command = Command::new("setpriv");
        command.args(["--inh-caps=-all", "--bounding-set=-all", SHM_HANDOFF, subcommand]);
        command.arg(channel.key().number().to_string());
        Run::new(command).try_start().map(Peer::end)
    };
    match without("who") {
        Ok(told) if told.stderr.starts_with("setpriv:") => skipped(&told.stderr),
        Ok(told) => {
            told.code(0)
                .says(&["1 more attachment", "this root may not look into other processes, as without CAP_SYS_PTRACE"]);
            let found = shown(&without("doctor").unwrap());
            assert!(
                found.contains("it is unknown whether process 1 shares it: /proc/1/ns/ipc may not be read"),
                "{found}"
            );
        }
        Err(error) => skipped(&format!("setpriv: {error}")),
    }
}

/// A side is no guest because we may not look at the seats.
#[test]
fn a_role_that_can_not_be_told_is_unknown() {
    if !is_root() {
        return skipped("another user can be played by root alone");
    }
    let channel = Channel::new();
    let reader = channel.seated_reader(&["--mode=644"]);
    let set = ipc::find_set(channel.key().seats()).expect("the reader has one");
    ipc::set_permissions(false, set, 0o600);
    let folder = for_everybody(&[SHM_HANDOFF.as_ref()]);
    let key = channel.key().number().to_string();
    let run = |args: &[&str]| {
        let mut command = Command::new(folder.path().join("shm-handoff"));
        command.args(args).uid(65534).gid(65534);
        Run::new(command).end()
    };
    let told = shown(run(&["stat", &key]).code(0));
    for line in ["writer     unknown: the seats'", "reader     unknown: the seats'"] {
        assert!(told.contains(line), "{told}");
    }
    let told: serde_json::Value = serde_json::from_slice(&run(&["stat", "--json", &key]).stdout).unwrap();
    assert_eq!((&told["seats_hidden"], &told["reader"]), (&true.into(), &serde_json::Value::Null));
    let told = run(&["ls", "--no-headings", "-o", "key,reader,writer"]);
    // (How wide a column is depends on other tests' channels.)
    let expected = [&format!("{:#010x}", channel.key().number())[..], "unknown", "unknown"];
    let is_row = |line: &str| line.split_whitespace().eq(expected);
    assert!(shown(told.code(0)).lines().any(is_row), "{told}");
    // One that sees the process, and not its seat: as in a container with the host's processes.
    let told = tool(&["who", "--json", &key]);
    let told: serde_json::Value = serde_json::from_slice(&told.code(0).stdout).unwrap();
    assert_eq!(told["processes"][0]["role"], "reader");
    // Removed, its key is not known any more.
    let id = told["id"].to_string();
    let by_id = tool(&["who", "--json", "--id", &id]);
    let by_id: serde_json::Value = serde_json::from_slice(&by_id.code(0).stdout).unwrap();
    assert_eq!(by_id["processes"][0]["role"], "reader", "by its number, too");
    let mut reader = reader;
    reader.stop();
    channel.remove_segment();
    let by_id = tool(&["who", "--json", "--id", &id]);
    let by_id: serde_json::Value = serde_json::from_slice(&by_id.code(0).stdout).unwrap();
    assert_eq!(by_id["processes"][0]["role"], "unknown");
}

#[test]
fn one_of_a_thing_is_no_more_than_one() {
    let channel = Channel::new();
    let key = channel.key().number().to_string();
    channel.writer(["--ring=64K", "one"]).end().code(0);
    assert!(shown(tool(&["stat", &key]).code(0)).contains("waiting    1 message, 4 bytes\n"));
    assert!(shown(&tool(&["doctor", &key])).contains("a ring with 1 message, 0 attached"));
    channel.remove_segment();
    drop(Segment::create_new(channel.key(), 1, 0o600).unwrap());
    channel.reader([""; 0]).end().code(4).says(&["it has 1 byte; a classic"]);
}

/// A time-out says of a peer that is there that it did nothing, not that nobody came.
#[test]
fn a_peer_that_is_there_and_does_nothing_is_named() {
    let channel = Channel::new();
    let writer = channel.seated_writer(&[]);
    let seated = format!("the writer (pid {} shmwrite) did nothing", writer.pid());
    channel.reader(["--timeout=200ms"]).end().code(124).says(&[&seated, "shm-handoff doctor"]);
    drop(writer);
    let channel = Channel::new();
    let mut stranger = channel.c_writer().open_input().start();
    stranger.until("attached", |_| channel.attached() == 1);
    channel.reader(["--timeout=200ms"]).end().code(124).says(&["a program without a seat", "shm-handoff who"]);
}

#[test]
fn a_ring_that_nobody_reads_is_named() {
    let channel = Channel::new();
    let lines = "x".repeat(8000) + "\n";
    let writer = channel.writer(["--ring=64K", "--timeout=200ms"]).input(lines.repeat(20));
    writer.end().code(124).says(&["there is no room, and no reader came", &channel.key().to_string()]);
}

#[test]
fn a_mode_that_comes_too_late_is_told() {
    let channel = Channel::new();
    channel.reader(["--timeout=1ms"]).end().code(124);
    let late = channel.reader(["--timeout=1ms", "--mode=666"]).end();
    late.code(124).says(&["was there already, and keeps mode 600", "shm-handoff rm"]);
    let quiet = channel.reader(["--timeout=1ms", "--mode=600"]).end();
    assert!(!quiet.stderr.contains("keeps mode"), "{quiet}");
}
