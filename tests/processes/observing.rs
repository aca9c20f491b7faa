//! Tools that look are taken for nobody, at any rate of looking.

use crate::support::{Apart, Channel, DEADLINE, Peer, Run, SHM_HANDOFF, eventually, ipc, rounds};
use shm_handoff::backend::Backend;
use shm_handoff::backend::memory::offsets::SLOT;
use shm_handoff::backend::sysv::{Key, Observer, Options, Segment, SysV};
use shm_handoff::sync::{AtomicU32, Ordering};
use shm_handoff::{Error, Role};
use std::io::Read;
use std::process::Command;
use std::sync::Barrier;
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
        assert!(self.count() >= before + more, "{} looks, and not {more}, within {DEADLINE:?}", self.count() - before);
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
    let tool =
        |args: &[&str], code| _ = Run::new(enter(SHM_HANDOFF)).with(|command| _ = command.args(args)).end().code(code);
    eventually("a reader in its seat", || {
        let shown = place.run(SHM_HANDOFF, &["stat", "--json", &key]).end();
        String::from_utf8_lossy(&shown.stdout).contains(&format!("\"pid\":{}", reader.pid())).then_some(())
    });
    let tools = || {
        tool(&["stat", &key], 0);
        tool(&["ls"], 0);
        tool(&["who", &key], 0);
        // The reader uses it.
        tool(&["rm", &key], 1);
        tool(&["rm", "--dry-run", &key], 1);
    };
    let doctor = || tool(&["doctor", &key], 0);
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

/// Set in a process that looks for as long as its input is open: the key.
const LOOKS_AT: &str = "SHM_HANDOFF_LOOKS_AT";

/// A tool that is stopped or killed in the middle of a look is no C program either.
#[test]
fn a_look_that_is_stopped_or_killed_harms_nobody() {
    if let Ok(key) = std::env::var(LOOKS_AT) {
        let _observer = Observer::open(Key::new(key.parse().unwrap()).unwrap()).unwrap();
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        return;
    }
    for is_killed in [false, true] {
        let channel = Channel::new();
        let mut reader = channel.seated_reader(&[]);
        let set = ipc::find_set(channel.key().seats()).unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "observing::a_look_that_is_stopped_or_killed_harms_nobody"]);
        command.env(LOOKS_AT, channel.key().number().to_string());
        let mut tool = Run::new(command).open_input().start();
        let seen = || (channel.attached(), ipc::value(set, 5));
        tool.until("attached, and marked", |_| seen() == (2, Some(1)));
        tool.stop();
        reader.stays("");
        channel.writer(["--no-end", "beside it"]).end().code(0);
        reader.until_prints("beside it\n");
        if is_killed {
            tool.kill();
        } else {
            assert_eq!(seen(), (2, Some(1)), "it was stopped all the time");
            tool.go_on();
            tool.close_input();
            tool.end().code(0);
        }
        assert_eq!(seen(), (1, Some(0)));
        reader.stays("beside it\n");
        channel.writer(["end"]).end().code(0);
        reader.end().code(0);
        channel.assert_nothing_left();
    }
}

/// What counts the looks begins again behind its largest value, whoever comes at that moment.
#[test]
fn all_that_look_at_the_end_of_the_count_are_attached() {
    let channel = Channel::new();
    let _reader = SysV::open(&Options::slot(channel.key()), Role::Reader).unwrap();
    let set = ipc::find_set(channel.key().seats()).unwrap();
    for _ in 0..rounds(200) {
        ipc::set_value(set, 13, 32_766);
        let start = Barrier::new(4);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    start.wait();
                    assert!(Observer::open(channel.key()).unwrap().is_attached());
                });
            }
        });
        assert!(ipc::value(set, 13).is_some_and(|looks| looks < 5), "it has begun again");
    }
    assert_eq!(ipc::value(set, 5), Some(0));
}

/// A removal between the steps of a look is none of its errors: there is nothing, or what came next.
#[test]
fn a_look_in_the_middle_of_a_removal_says_what_is_there() {
    let channel = Channel::new();
    let (key, is_over) = (channel.key(), AtomicU32::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while is_over.load(Ordering::Relaxed) == 0 {
                Segment::create_new(key, SLOT.size, 0o600).unwrap().remove().unwrap();
            }
        });
        let looked: Vec<_> = (0..rounds(20_000)).map(|_| Observer::open(key).map(drop)).collect();
        is_over.store(1, Ordering::Relaxed);
        for looked in looked {
            assert!(matches!(looked, Ok(()) | Err(Error::Missing { .. })), "{looked:?}");
        }
    });
}

/// Nobody uses it: a look in the middle of the removal is waited for.
#[test]
fn rm_works_beside_looks() {
    let Some(place) = Apart::new("true") else { return };
    let key = place.key();
    let enter = place.entrance();
    let tool = |args: &[&str]| Run::new(enter(SHM_HANDOFF)).with(|command| _ = command.args(args)).end();
    let ls = || _ = tool(&["ls"]).code(0);
    let stat = || {
        // Now and then there is nothing.
        let shown = tool(&["stat", &key]);
        assert!(shown.status.success() || shown.stderr.contains("there is no segment"), "{shown}");
    };
    while_looking(&[&ls, &stat], |_| {
        for _ in 0..rounds(30) {
            // A ring that is left empty.
            place.writer(&["--ring=64K", "--no-end"]).end().code(0);
            tool(&["rm", &key]).code(0).says_nothing();
        }
    });
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
        command.args(["stat", &key]);
        Run::new(command).end().code(0);
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

/// One that is stopped while it attaches may be counted twice, or not at all: two sides of ours meet all the same.
#[test]
fn a_look_that_is_stopped_half_attached_keeps_nobody_apart() {
    let channel = Channel::new();
    let reader = channel.seated_reader(&[]);
    let set = ipc::find_set(channel.key().seats()).unwrap();
    assert!(ipc::change(set, &[(5, 2), (13, 1)], true), "as an observer marks itself");
    channel.writer([""; 0]).input("a\nb\n").end().code(0);
    reader.end().code(0).prints("a\nb\n");
    assert!(ipc::change(set, &[(5, -2)], true), "the mark kept the set");
}
