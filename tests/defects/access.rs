//! D13: mode 0666.

use crate::support::{Channel, Peer, Run, c_peer, for_everybody, ipc, is_root, skipped};
use std::os::unix::process::CommandExt;
use tempfile::TempDir;

/// `nobody`, or any user that is not root.
const STRANGER: u32 = 65534;

/// A C reader as another user runs it, and the folder that it is in.
fn strangers_reader(channel: &Channel) -> (TempDir, Run) {
    let folder = for_everybody(&[&c_peer("reader-in-steps")]);
    let run = channel
        .c_program(&folder.path().join("reader-in-steps"))
        .with(|command| _ = command.uid(STRANGER).gid(STRANGER));
    (folder, run)
}

/// Shown: the C peers' segment has mode 666, and another user's reader takes
/// the message.
#[test]
fn d13_shown() {
    let channel = Channel::new();
    let mut writer = channel.c_writer().open_input().start();
    channel.await_attached(1);
    assert_eq!(channel.stat().unwrap().mode, 0o666);
    if !is_root() {
        return skipped("another user can be played by root alone");
    }
    let (_folder, stranger) = strangers_reader(&channel);
    let mut stranger = stranger.start();
    stranger.until_asleep(1);
    writer.type_in("secret\n");
    channel.await_full(&mut writer);
    assert!(stranger.second());
    assert_eq!(stranger.messages(), "secret\n");
}

/// Absent: what ours make, segment and seats, has mode 600, and another user's
/// reader gets nowhere.
#[test]
fn d13_absent() {
    let started: [fn(&Channel) -> Peer; 2] =
        [|channel| channel.seated_reader(&[]), |channel| channel.seated_writer(&[])];
    for start in started {
        let channel = Channel::new();
        let _peer = start(&channel);
        let modes = (channel.stat().unwrap().mode, ipc::set_mode(channel.key().seats()).unwrap());
        assert_eq!(modes, (0o600, 0o600), "segment and seats");
        if is_root() {
            let (_folder, stranger) = strangers_reader(&channel);
            let ended = stranger.end();
            ended.code(1).prints("");
        } else {
            skipped("another user can be played by root alone");
        }
    }
}

/// What remains where a C peer was there first: its segment's mode. Ours say so.
#[test]
fn d13_shown_with_a_warning() {
    let channel = Channel::new();
    let _c_peer = channel.c_reader_in_steps();
    for (args, warned) in [(&[][..], true), (&["--mode", "666"], false), (&["-q"], false)] {
        let runs = [channel.reader(args), channel.writer(args).with(|run| _ = run.arg("--no-end"))];
        for run in runs {
            let ended = run.with(|run| _ = run.args(["--timeout", "1ms"])).end();
            for text in ["warning: ", "mode 666", "--mode 666"] {
                assert_eq!(ended.stderr.contains(text), warned, "{text:?}: {ended}");
            }
        }
    }
}
