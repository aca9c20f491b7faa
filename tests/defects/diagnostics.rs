//! D15: the address through an `int`, and `shmget`'s failure as `shmat`'s.

use crate::support::{Channel, Peer};
use shm_handoff::backend::sysv::Segment;

/// Where the kernel has mapped the channel's segment in this process.
fn mapped_at(channel: &Channel, peer: &Peer) -> u64 {
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", peer.pid())).unwrap();
    let name = format!("/SYSV{:08x}", channel.key().number());
    let line = maps.lines().find(|line| line.contains(&name)).expect("it is attached");
    u64::from_str_radix(line.split_once('-').unwrap().0, 16).unwrap()
}

/// The hexadecimal number that follows in a line of `text`.
fn printed_after(text: &str, label: &str) -> u64 {
    let number = text.lines().find_map(|line| line.strip_prefix(label)).expect("an address");
    u64::from_str_radix(number, 16).unwrap()
}

/// Shown: a C peer prints the lower 32 bits of the address.
#[test]
fn d15_shown_address() {
    let channel = Channel::new();
    let mut reader = channel.c_reader_in_steps();
    let mut writer = channel.c_writer_in_steps("hello\n");
    for peer in [&mut reader, &mut writer] {
        let printed = printed_after(&String::from_utf8_lossy(peer.printed()), "Memory attached at ");
        let real = mapped_at(&channel, peer);
        assert_eq!(printed, real & 0xFFFF_FFFF);
        if cfg!(target_pointer_width = "64") {
            assert_ne!(printed, real);
        }
    }
}

/// Absent: ours print all of it.
#[test]
fn d15_absent_address() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&["-v"]);
    let mut writer = channel.seated_writer(&["-v"]);
    for peer in [&mut reader, &mut writer] {
        peer.until_says("\n");
        assert_eq!(printed_after(&peer.said(), "Memory attached at 0x"), mapped_at(&channel, peer));
    }
}

/// Shown: where `shmget` fails, since the segment at the key is too small, the C
/// reader blames `shmat`; neither side gives a reason.
#[test]
fn d15_shown_failure() {
    let channel = Channel::new();
    drop(Segment::create_new(channel.key(), 1, 0o600).unwrap());
    for (run, said) in [(channel.c_reader(), "shmat failed\n"), (channel.c_writer(), "shmget failed\n")] {
        let ended = run.end();
        ended.code(1).prints("");
        assert_eq!(ended.stderr, said);
    }
}

/// Absent: ours say what is the matter with what, and what to do.
#[test]
fn d15_absent_failure() {
    let channel = Channel::new();
    drop(Segment::create_new(channel.key(), 1, 0o600).unwrap());
    let key = format!("key {}", channel.key().number());
    for run in [channel.reader([""; 0]), channel.writer([""; 0])] {
        let ended = run.end();
        ended.code(4).prints("").says(&[&key, "1 byte;", "a classic slot has 2052,", "shm-handoff rm --force"]);
        assert!(!ended.stderr.contains("shmat"), "{ended}");
    }
}
