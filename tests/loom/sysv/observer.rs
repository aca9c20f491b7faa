//! A tool that looks, at any moment and killed at any step.

use super::{USER, a_pair_finds_all_well, key, killed_after, reads_a_session, ring, slot, wide_ring, writes_a_session};
use crate::MESSAGES;
use crate::explore::{Depth, actor, claim, claim_all, main_is};
use crate::killed::killed_at_every_step;
use shm_handoff::backend::Backend;
use shm_handoff::backend::memory::offsets::SLOT;
use shm_handoff::backend::sysv::simulated::Kernel;
use shm_handoff::backend::sysv::{Observer, Options, Segment, SysV};
use shm_handoff::{Error, Role};

/// Looks, and has detached again.
fn looks() {
    match Observer::open(key()) {
        Ok(observer) => drop(observer),
        // Nothing is there yet, or any more; or a ring that is being made.
        Err(Error::Missing { .. } | Error::Removed { .. } | Error::NotAChannel { .. }) => {}
        Err(error) => panic!("{error}"),
    }
}

/// A session on `kernel`, while a tool looks; whether the tool was killed.
fn a_session_and_a_tool(kernel: &Kernel, options: Options, spared: usize) -> bool {
    main_is("reader");
    let [writer, reader, tool] = [(); 3].map(|()| kernel.process(USER));
    let tool = actor("tool", move || killed_after(spared, &tool, looks));
    let writer = actor("writer", move || writer.run(|| writes_a_session(&options, &MESSAGES[..1])));
    reader.run(|| reads_a_session(&options, &MESSAGES[..1]));
    writer.join();
    tool.join()
}

/// **V23** A tool looks at any moment of a handover: no side notices, and nothing is left behind.
#[test]
fn v23_a_tool_at_any_moment() {
    claim_all(
        "V23",
        "a tool looks at any moment of a session: no side takes it for one, nothing is left behind",
        Depth::bound(1, 1088).deep(Depth::bound(2, 0)),
        [slot(), ring()].map(|options| {
            move || {
                let kernel = Kernel::new();
                a_session_and_a_tool(&kernel, options, usize::MAX);
                assert_eq!(kernel.left(), (0, 0));
            }
        }),
    );
}

/// **V31** V23 where memory goes with its last attachment: the writer does not leave before its message was
/// received.
#[test]
fn v31_memory_that_goes_with_its_last_attachment() {
    claim_all(
        "V31",
        "a tool looks at any moment of a session, where memory goes with its last attachment (`shm_rmid_forced`): nothing is lost",
        Depth::bound(1, 1870).deep(Depth::bound(2, 0)),
        [slot(), ring()].map(|options| {
            move || {
                let kernel = Kernel::new();
                kernel.remove_unattached();
                a_session_and_a_tool(&kernel, options, usize::MAX);
                assert_eq!(kernel.left(), (0, 0));
            }
        }),
    );
}

/// **V32** A tool does not take away by its detaching what a maker is about to attach: one that makes and attaches in
/// two calls and does not try again, as C programs are.
#[test]
fn v32_a_tool_beside_a_maker() {
    claim(
        "V32",
        "a tool looks at any moment while a program makes a segment and attaches it, where memory goes with its last attachment: it is there",
        Depth::whole(50_598),
        || {
            let kernel = Kernel::new();
            kernel.remove_unattached();
            main_is("maker");
            let (maker, tool) = (kernel.process(USER), kernel.process(USER));
            let tool = actor("tool", move || tool.run(looks));
            maker.run(|| drop(Segment::create_new(key(), SLOT.size, 0o600).unwrap()));
            tool.join();
            assert_eq!(kernel.left(), (0, 0));
        },
    );
}

/// **V24** The same with a tool that is killed at any step: what it leaves is in nobody's way.
#[test]
fn v24_a_tool_at_every_step() {
    killed_at_every_step(
        "V24",
        "a tool that looks, killed at every step: no side takes it for one, the next pair finds all well",
        26,
        Depth::bound(1, 15_171).deep(Depth::bound(2, 0)),
        |spared| {
            let kernel = Kernel::new();
            let died = a_session_and_a_tool(&kernel, slot(), spared);
            // A dead tool can't remove the set that the sides have left to it.
            assert_eq!(kernel.left().0, 0);
            a_pair_finds_all_well(&kernel, &wide_ring());
            died
        },
    );
}

/// **V25** However a tool's coming and going and a side's look meet, the look does not tell of company.
#[test]
fn v25_a_tool_is_no_company() {
    claim(
        "V25",
        "a tool comes and goes while a side that is alone counts: no count tells of company",
        Depth::bound(3, 2641).deep(Depth::bound(4, 0)),
        || {
            let kernel = Kernel::new();
            main_is("reader");
            let (reader, tool) = (kernel.process(USER), kernel.process(USER));
            reader.run(|| {
                let mut reader = SysV::open(&slot(), Role::Reader).unwrap();
                let tool = actor("tool", move || tool.run(looks));
                for _ in 0..2 {
                    let status = reader.status().unwrap();
                    assert!(!status.has_company() && !status.peer_seated, "{status:?}");
                }
                tool.join();
                reader.remove().unwrap();
                reader.leave().unwrap();
            });
            assert_eq!(kernel.left(), (0, 0));
        },
    );
}
