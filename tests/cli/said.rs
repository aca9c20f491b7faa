//! What the programs say where it is easily misunderstood.

use crate::support::{Channel, Ended, Run, SHM_HANDOFF, SHMREAD, ipc};
use shm_handoff::backend::sysv::{Key, Segment};
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
