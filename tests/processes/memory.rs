//! Memory stays flat, whatever goes through.

use crate::support::{Channel, Peer, eventually};
use shm_handoff::Role;

const MIB: u64 = 1024 * 1024;

/// Sends `block` until 64 MiB are through, and looks at both sides' most
/// memory while they are still there.
fn stays_flat(block: &[u8], both: &[&str], writer: &[&str]) {
    const MOST: u64 = 16 * 1024;
    let channel = Channel::new();
    let output = tempfile::NamedTempFile::new().unwrap();
    let mut reader = channel.reader(both).output_to(output.reopen().unwrap()).start();
    channel.await_seated(Role::Reader, &mut reader);
    let mut writer = channel.seated_writer(&[both, writer].concat());
    let mut sent = 0;
    while sent < 64 * MIB {
        writer.type_in(block);
        sent += u64::try_from(block.len()).unwrap();
    }
    // All but what can't be cut yet, as the line goes on.
    let arrived = || output.as_file().metadata().unwrap().len();
    eventually("64 MiB at the other end", || (arrived() + 64 * 1024 > sent).then_some(()));
    for (name, peer) in [("shmwrite", &writer), ("shmread", &reader)] {
        let most = peer.most_memory();
        println!("{name}: at most {most} KiB of memory");
        assert!(most < MOST, "{name} grew to {most} KiB, more than {MOST}");
    }
    writer.close_input();
    writer.end().code(0);
    reader.end().code(0);
    let got = std::fs::read(output.path()).unwrap();
    assert_eq!(u64::try_from(got.len()).unwrap(), sent);
    assert!(got.chunks(block.len()).all(|chunk| chunk == block), "the bytes are others");
}

#[test]
fn over_many_lines() {
    let line = [&vec![b'x'; 2000][..], b"\n"].concat();
    stays_flat(&line.repeat(64), &[], &[]);
    stays_flat(&line.repeat(64), &["--ring=64K"], &[]);
}

#[test]
fn over_raw_bytes() {
    let block: Vec<u8> = (0..=255).cycle().take(64 * 1024).collect();
    stays_flat(&block, &["--ring=64K", "--raw"], &[]);
}

#[test]
fn over_one_line_without_an_end() {
    let block: Vec<u8> = (b'a'..=b'z').cycle().take(64 * 1024).collect();
    stays_flat(&block, &[], &["--long", "split"]);
    stays_flat(&block, &["--ring=64K"], &["--long", "split"]);
}

#[test]
fn over_one_line_that_is_passed_over() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&[]);
    let mut writer: Peer = channel.seated_writer(&["--long", "truncate"]);
    let block = vec![b'x'; 64 * 1024];
    for _ in 0..1024 {
        writer.type_in(&block);
    }
    writer.type_in("\nnext\n");
    let expected = format!("{}\nnext\n", "x".repeat(2046));
    reader.until_prints(&expected);
    let most = writer.most_memory();
    assert!(most < 16 * 1024, "shmwrite grew to {most} KiB");
    writer.close_input();
    writer.end().code(0);
    reader.end().code(0).prints(expected);
}
