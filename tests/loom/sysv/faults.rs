//! Limits, signals, and processes that are stopped.

use super::{
    Reader, USER, Writer, a_pair_finds_all_well, comes, is_taken, reads_a_session, ring, slot, wide_ring,
    writes_a_session,
};
use crate::MESSAGES;
use crate::explore::{Depth, actor, claim_all, main_is};
use crate::killed::killed_at_every_step;
use shm_handoff::backend::sysv::Observer;
use shm_handoff::backend::sysv::simulated::{Call, Fate, Kernel, Process};
use shm_handoff::error::Limit;
use shm_handoff::{Error, Role};
#[allow(clippy::disallowed_types)] // what the test counts, and loom must not see
use std::sync::atomic::{AtomicUsize, Ordering};

/// Whether an error says which limit was reached, or which call of the kernel's has failed how.
fn is_told(error: &Error) -> bool {
    matches!(error, Error::Limit { .. } | Error::Os { errno: nix::errno::Errno::ENOMEM, .. })
}

/// Number `which` of all that the calls of `processes` can meet, in their order, is met.
#[allow(clippy::disallowed_types)] // see above
fn fails_once(kernel: &Kernel, processes: &[u32], which: usize) {
    let (processes, met) = (processes.to_vec(), AtomicUsize::new(0));
    kernel.judge(move |call: Call| {
        if !processes.contains(&call.pid) {
            return Fate::Goes;
        }
        let before = met.fetch_add(call.meets.len(), Ordering::Relaxed);
        let errno = which.checked_sub(before).and_then(|at| call.meets.get(at));
        errno.map_or(Fate::Goes, |errno| Fate::Fails(*errno))
    });
}

/// **V18** A limit is reached, or memory is short, at one call that can meet it, for each such call and each that it can
/// meet: the error says so, and the next one gets in. (What tidies up can fail as well: then a set stays that says nothing.)
#[test]
fn v18_limits_at_every_call() {
    killed_at_every_step(
        "V18",
        "a limit reached at each call that can meet it, both sides coming: an error that names it, the next try works, nothing is left",
        21,
        Depth::bound(1, 862).deep(Depth::bound(2, 0)),
        |spared| {
            let kernel = Kernel::new();
            main_is("reader");
            let options = wide_ring();
            let [writer, next_writer, reader, next_reader] = [(); 4].map(|()| kernel.process(USER));
            fails_once(&kernel, &[writer.pid(), reader.pid()], spared);
            let tries = move |role, first: &Process, next: &Process| {
                let came = first.run(|| comes(role, &options)).expect("nobody is killed");
                assert!(came.as_ref().err().is_none_or(is_told), "{came:?}");
                if came.is_err() {
                    next.run(|| comes(role, &options)).expect("nobody is killed").unwrap();
                }
                came.is_err()
            };
            let writer = actor("writer", move || tries(Role::Writer, &writer, &next_writer));
            let failed = tries(Role::Reader, &reader, &next_reader);
            let failed = writer.join() || failed;
            a_pair_finds_all_well(&kernel, &options);
            failed
        },
    );
}

/// **V26** The same for one that comes alone: where its coming fails there is nothing afterwards, no segment and no set.
#[test]
fn v26_limits_where_nobody_is() {
    killed_at_every_step(
        "V26",
        "the same for a side that comes where nobody is: if it can't come in, nothing is left, be it a segment or a set",
        9,
        Depth::bound(0, 10),
        |spared| {
            let options = ring();
            let failed = [Role::Writer, Role::Reader].map(|role| {
                let kernel = Kernel::new();
                let process = kernel.process(USER);
                fails_once(&kernel, &[process.pid()], spared);
                let opened = process.run(|| match role {
                    Role::Writer => Writer::open(&options).map(std::mem::forget),
                    _ => Reader::open(&options).map(std::mem::forget),
                });
                let opened = opened.expect("nobody is killed");
                assert!(opened.as_ref().err().is_none_or(is_told), "{opened:?}");
                assert!(opened.is_ok() || kernel.left() == (0, 0), "{:?} left behind {opened:?}", kernel.left());
                opened.is_err()
            });
            failed.contains(&true)
        },
    );
}

/// **V19** Where no segment or no set can be made, the limit is named, and nothing is left behind.
#[test]
fn v19_no_room_for_an_object() {
    claim_all(
        "V19",
        "no segment, or no set, can be made: the limit is named, nothing is left, and later there is room",
        Depth::bound(2, 607),
        [(0, 1, Limit::Shmmni), (1, 0, Limit::Sem)].map(|(segments, sets, named)| {
            move || {
                let kernel = Kernel::new();
                main_is("reader");
                let options = wide_ring();
                kernel.allow(segments, sets);
                let (writer, reader) = (kernel.process(USER), kernel.process(USER));
                let fails = move |role| {
                    let came = comes(role, &options);
                    assert!(matches!(came, Err(Error::Limit { limit, .. }) if limit == named), "{came:?}");
                };
                let writer = actor("writer", move || writer.run(|| fails(Role::Writer)));
                reader.run(|| fails(Role::Reader));
                writer.join();
                assert_eq!(kernel.left(), (0, 0));
                kernel.allow(1, 1);
                a_pair_finds_all_well(&kernel, &options);
            }
        }),
    );
}

/// **V20** A signal ends every wait of every process, before the kernel would: nothing is different. (Every second call
/// is interrupted, then every other one: a call that is made again and again would never wait.)
#[test]
fn v20_signals_at_every_call() {
    let models = [(slot(), 0), (slot(), 1), (ring(), 0), (ring(), 1)];
    claim_all(
        "V20",
        "signals at every call of two creators and of a tool that looks: the same results as without",
        Depth::bound(1, 2176).deep(Depth::bound(2, 0)),
        models.map(|(options, odd)| {
            move || {
                let kernel = Kernel::new();
                main_is("reader");
                kernel.judge(move |call: Call| if call.number % 2 == odd { Fate::Interrupted } else { Fate::Goes });
                let [writer, reader, tool] = [(); 3].map(|()| kernel.process(USER));
                let tool = actor("tool", move || tool.run(|| drop(Observer::open(super::key()))));
                let writer = actor("writer", move || writer.run(|| writes_a_session(&options, &MESSAGES[..1])));
                reader.run(|| reads_a_session(&options, &MESSAGES[..1]));
                writer.join();
                tool.join();
                assert_eq!(kernel.left(), (0, 0));
            }
        }),
    );
}

/// How many turns of others a process is stopped for.
const TURNS: usize = 4;

/// A writer that is stopped at a call, while somebody else comes.
fn stopped(role: Role, spared: usize) -> bool {
    let kernel = Kernel::new();
    main_is("newcomer");
    let options = wide_ring();
    let [writer, newcomer] = [(); 2].map(|()| kernel.process(USER));
    let pid = writer.pid();
    kernel.judge(
        move |call: Call| {
            if (call.pid, call.number) == (pid, spared) { Fate::Stops(TURNS) } else { Fate::Goes }
        },
    );
    let told = move |came: &Result<(), Error>, role: Role, by: u32| match came {
        Err(Error::Locked { pid, .. }) => *pid == by,
        came => came.is_ok() || is_taken(came, role),
    };
    let theirs = (writer.clone(), newcomer.pid());
    let stopped = actor("writer", move || {
        let (writer, newcomer) = theirs;
        let came = writer.run(|| comes(Role::Writer, &options)).expect("nobody is killed");
        // What the newcomer did is as much in the way of one that went on as of any other.
        assert!(told(&came, Role::Writer, newcomer), "{came:?}");
    });
    let came = newcomer.run(|| comes(role, &options)).expect("nobody is killed");
    assert!(told(&came, role, writer.pid()), "{came:?}");
    stopped.join();
    assert!(kernel.left().1 == 0, "both have left in order");
    let calls = kernel.calls(&writer);
    a_pair_finds_all_well(&kernel, &options);
    calls > spared
}

/// **V21** A process is stopped at any call of its life, while another one comes, of its role or of the other: that one gets
/// in, or is told who has the lock or the seat. Once the stopped one goes on, nothing is broken.
#[test]
fn v21_stopped_at_every_call() {
    killed_at_every_step(
        "V21",
        "a writer stopped at every call, while another writer comes: it gets in, or is told who has the lock or the seat; then the first goes on, and nothing is broken",
        39,
        Depth::bound(1, 1412).deep(Depth::bound(2, 0)),
        |spared| stopped(Role::Writer, spared),
    );
}

/// **V22** The same while a reader comes.
#[test]
fn v22_stopped_while_a_reader_comes() {
    killed_at_every_step(
        "V22",
        "the same, while a reader comes",
        39,
        Depth::bound(1, 1183).deep(Depth::bound(2, 0)),
        |spared| stopped(Role::Reader, spared),
    );
}
