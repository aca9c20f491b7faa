//! Both sides killed, and their successors: what is left is read by the last pair.

use super::{Ledger, USER, a_pair_finds_all_well, reads, ring, sends, slot};
use crate::MESSAGES;
use crate::explore::{Depth, actor, main_is};
use crate::killed::killed_at_every_step;
use shm_handoff::backend::sysv::Options;
use shm_handoff::backend::sysv::simulated::{Call, Fate, Kernel};

/// Two writers send a message each, and the first two readers read as long as they live. Of each side the first dies
/// before its call number `k` of `calls`, or lives, and so does the second; of the readers before call number `j`. A third pair
/// sends and reads the last message. Whether anybody was killed.
fn both_killed(options: Options, calls: usize, spared: usize) -> bool {
    let (k, j) = (spared / calls, spared % calls);
    let kernel = Kernel::new();
    main_is("reader");
    let writers = [(); 3].map(|()| kernel.process(USER));
    let readers = [(); 3].map(|()| kernel.process(USER));
    let dies = [(writers[0].pid(), k), (writers[1].pid(), k), (readers[0].pid(), j), (readers[1].pid(), j)];
    kernel.judge(move |call: Call| if dies.contains(&(call.pid, call.number)) { Fate::Dies } else { Fate::Goes });
    let writer = actor("writer", move || {
        let mut dead = 0;
        let mut sure = Vec::new();
        for (writer, line) in writers.iter().zip(MESSAGES) {
            let sent = Ledger::default();
            dead += usize::from(writer.run(|| sends(&options, &[line], &sent)).is_none());
            sure.extend(sent.take());
        }
        (dead, sure)
    });
    let out = Ledger::default();
    let mut begun = Vec::new();
    let mut dead = 0;
    for reader in readers {
        if out.borrow().last() == Some(&MESSAGES[2]) {
            break;
        }
        begun.push(out.borrow().len());
        dead += usize::from(reader.run(|| reads(&options, MESSAGES[2], &out)).is_none());
    }
    let (killed, sure) = writer.join();
    let mut out = out.take();
    // Only the last message that a reader put out may have come again to the next one.
    for at in begun.into_iter().rev() {
        if at > 0 && out.get(at) == Some(&out[at - 1]) {
            out.remove(at);
        }
    }
    assert!(out.is_sorted() && out.windows(2).all(|two| two[0] != two[1]), "order, and once: {out:?}");
    assert!(sure.iter().all(|line| out.contains(line)), "{sure:?} were sent, {out:?} came");
    a_pair_finds_all_well(&kernel, &options);
    killed + dead > 0
}

/// **V9** Both sides of a slot killed, and their successors: what was sent is read, in order.
#[test]
fn v9_both_sides_of_a_slot() {
    const CALLS: usize = 60;
    killed_at_every_step(
        "V9",
        "slot: both sides killed, each before every call of its life, and both successors before the same: the last pair reads what is left, in order; nothing that was sent is lost",
        2445,
        Depth::bound(0, 2446).deep(Depth::bound(1, 0)),
        |spared| both_killed(slot(), CALLS, spared),
    );
}

/// **V10** The same for a ring.
#[test]
fn v10_both_sides_of_a_ring() {
    const CALLS: usize = 60;
    killed_at_every_step("V10", "ring: the same", 2208, Depth::bound(0, 3338).deep(Depth::bound(1, 0)), |spared| {
        both_killed(ring(), CALLS, spared)
    });
}
