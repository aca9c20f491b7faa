//! Two slots in one segment, one for each direction: the C program on both sides.

use crate::programs::{attached, await_empty, c_program, run};
use crate::support::{Channel, Run, numbers};

/// What the side `a` writes into.
pub(crate) const A: &str = "pair.h:slot,size=2*2052";
/// What the side `b` writes into.
pub(crate) const B: &str = "pair.h:slot,size=2*2052,at=2052";

/// The C program that writes into this slot and reads the other one, not started yet.
pub(crate) fn talker(slot: &str, channel: &Channel) -> Run {
    run(&c_program("pair"), &[slot], channel, &[])
}

#[test]
fn both_directions_at_once() {
    let channel = Channel::new();
    let (up, down) = (numbers(0..100) + "end\n", numbers(1000..1100) + "end\n");
    let a = attached(talker("a", &channel).input(up.clone()));
    let b = talker("b", &channel).input(down.clone()).start();
    a.end().code(0).prints(down);
    b.end().code(0).prints(up);
    channel.assert_nothing_left();
}

#[test]
fn one_side_is_killed_and_started_again() {
    let channel = Channel::new();
    let mut a = attached(talker("a", &channel).open_input());
    let mut b = attached(talker("b", &channel).open_input());
    a.type_in("one\n");
    b.type_in("eins\n");
    a.until_prints("eins\n");
    b.until_prints("one\n");
    await_empty(A, &channel);
    b.kill();
    a.type_in("two\nend\n");
    talker("b", &channel).input("zwei\nend\n").end().code(0).prints("two\nend\n");
    a.end().code(0).prints("eins\nzwei\nend\n");
    channel.assert_nothing_left();
}
