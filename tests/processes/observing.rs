//! Tools that look are taken for nobody, at any rate of looking.

use crate::support::{Apart, Channel, DEADLINE, Peer, SHM_HANDOFF, eventually, ipc};
use shm_handoff::backend::sysv::Observer;
use shm_handoff::error::Role;
use shm_handoff::sync::{AtomicU32, Ordering};
use std::process::{Command, Stdio};
use std::time::Instant;

/// How often was looked so far: by this process through the library, without a pause, or by the tools.
#[derive(Default)]
struct Looks {
    done: AtomicU32,
    count: AtomicU32,
}

/// Ends the looking, also when the test fails.
struct End<'a>(&'a Looks);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.done.store(1, Ordering::Relaxed);
    }
}

/// Runs `test` while `lookers` look again and again, each in a thread of its own.
fn while_looking(lookers: &[&(dyn Fn() + Sync)], test: impl FnOnce(&Looks)) {
    let looks = Looks::default();
    std::thread::scope(|scope| {
        let _end = End(&looks);
        for look in lookers {
            let looks = &looks;
            scope.spawn(move || {
                while looks.done.load(Ordering::Relaxed) == 0 {
                    look();
                    looks.count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        test(&looks);
    });
}

impl Looks {
    fn count(&self) -> u32 {
        self.count.load(Ordering::Relaxed)
    }

    /// Waits until `more` looks have been taken; `peer` goes on meanwhile, and prints nothing.
    fn await_more(&self, more: u32, peer: &mut Peer) {
        let (before, started) = (self.count(), Instant::now());
        while self.count() < before + more && started.elapsed() < DEADLINE {
            peer.stays("");
        }
        assert!(self.count() > before, "nothing looked");
    }
}

#[test]
fn a_waiting_reader_is_not_ended_by_looks() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&[]);
    let look = || drop(Observer::open(channel.key()).unwrap());
    while_looking(&[&look, &look, &look], |looks| looks.await_more(20_000, &mut reader));
    channel.writer(["end"]).end().code(0);
    reader.end().code(0);
    channel.assert_nothing_left();
}

/// In a namespace of its own, for some of them look at everybody's segments.
#[test]
fn a_waiting_reader_is_not_ended_by_tools() {
    let Some(place) = Apart::new("true") else { return };
    let mut reader = place.reader(&[]).start();
    let key = place.key();
    let enter = place.entrance();
    let tool = |args: &[&str]| drop(enter(SHM_HANDOFF).args(args).stdin(Stdio::null()).output().unwrap());
    eventually("a reader in its seat", || {
        let shown = place.run(SHM_HANDOFF, &["stat", "--json", &key]).end();
        String::from_utf8_lossy(&shown.stdout).contains(&format!("\"pid\":{}", reader.pid())).then_some(())
    });
    let tools = || {
        tool(&["stat", &key]);
        tool(&["ls"]);
        tool(&["who", &key]);
        tool(&["rm", &key]);
        tool(&["rm", "--dry-run", &key]);
    };
    let doctor = || tool(&["doctor", &key]);
    while_looking(&[&tools, &doctor], |looks| looks.await_more(20, &mut reader));
    place.writer(&["end"]).end().code(0);
    reader.end().code(0);
}

#[test]
fn a_writer_does_not_send_to_a_tool() {
    let channel = Channel::new();
    let mut writer = channel.writer(["hello"]).start();
    channel.await_seated(Role::Writer, &mut writer);
    let look = || drop(Observer::open(channel.key()).unwrap());
    while_looking(&[&look, &look, &look], |looks| looks.await_more(20_000, &mut writer));
    assert!(!channel.is_full(), "it published, and no reader is there");
    channel.reader(["--count=1"]).end().code(0).prints("hello\n");
    writer.end().code(0);
}

/// A tool that is stopped or killed in the middle of a look is no C program either.
#[test]
fn a_look_that_is_stopped_harms_nobody() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&[]);
    let observer = Observer::open(channel.key()).unwrap();
    let set = ipc::find_set(channel.key().seats()).unwrap();
    assert_eq!((channel.attached(), ipc::value(set, 5)), (2, Some(1)), "attached, and marked");
    reader.stays("");
    drop(observer);
    assert_eq!((channel.attached(), ipc::value(set, 5)), (1, Some(0)));
    reader.stays("");
    channel.writer(["end"]).end().code(0);
    reader.end().code(0);
    channel.assert_nothing_left();
}

/// One that leaves after both sides takes the set away, which they left to it.
#[test]
fn a_look_that_outlives_both_sides_leaves_nothing() {
    let channel = Channel::new();
    let reader = channel.seated_reader(&[]);
    let observer = Observer::open(channel.key()).unwrap();
    channel.writer(["end"]).end().code(0);
    reader.end().code(0);
    assert!(ipc::find_set(channel.key().seats()).is_some(), "the mark is in it");
    drop(observer);
    channel.assert_nothing_left();
}

/// The control: what is no tool is still seen, and its death noticed.
#[test]
fn a_c_writer_is_seen_and_its_death_noticed_beside_looks() {
    let channel = Channel::new();
    let mut reader = channel.seated_reader(&[]);
    let key = channel.key().number().to_string();
    let look = || {
        let mut command = Command::new(SHM_HANDOFF);
        command.args(["stat", &key]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    };
    while_looking(&[&look, &look], |looks| {
        let mut writer = channel.c_writer().open_input().start();
        writer.type_in("hello\n");
        reader.until_prints("hello\n");
        // Long enough beside it to be known: it is the count alone that tells.
        let before = looks.count();
        writer.until("some looks", |_| looks.count() > before + 40);
        reader.stays("hello\n");
        drop(writer.kill());
        reader.until("the end", Peer::has_ended);
    });
    reader.end().code(3).says(&["the writer died"]);
}
