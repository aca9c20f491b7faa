//! The shipping System V backend on the simulated kernel: models of `seats`, `removal` and `ring`, with a process
//! a thread. Where a side of one process has a step, it has five to eight system calls here, and others run between them.

use crate::explore::{PREEMPTED, Size, claim};
use crate::place::Simulated;
use crate::ring::sides;
use crate::{removal, seats};

const SIZE: Size = Size { executions: 10, messages: 200 };

/// **S17** Seats change hands, on the shipping System V backend: writers come and go.
#[test]
fn s17_writers_come_and_go() {
    let floors = [(PREEMPTED, 70_000), ("left", 800), ("failed", 1_600), ("failure heard", 900)];
    claim("S17", "System V: writers leave or fail, as S3", SIZE, &floors, |messages| {
        seats::writers_come_and_go(&Simulated::slot(), messages);
    });
}

/// **S17** The same with readers that come and go.
#[test]
fn s17_readers_come_and_go() {
    let floors = [
        (PREEMPTED, 130_000),
        ("refused", 2_500),
        ("not released", 2_000),
        ("came again", 2_000),
        ("reader gone", 200),
    ];
    claim("S17", "System V: readers go without a release, as S4", SIZE, &floors, |messages| {
        seats::readers_come_and_go(&Simulated::slot(), messages);
    });
}

/// **S17** The same at a ring, with both.
#[test]
fn s17_sides_of_a_ring_come_and_go() {
    let floors = [
        (PREEMPTED, 160_000),
        ("left", 900),
        ("failed", 900),
        ("failure heard", 15),
        ("not released", 2_000),
        ("reader gone", 60),
    ];
    claim("S17", "System V, ring: sides come and go, or fail, as S14", SIZE, &floors, |messages| {
        sides::sides_come_and_go(&Simulated::ring(), messages);
    });
}

/// **S18** A third party removes the segment, the seats or both at any moment, while a writer and a reader are at
/// work, whatever system calls it comes between.
#[test]
fn s18_removed_by_a_third_party() {
    let floors = [(PREEMPTED, 150_000), ("removed", 900), ("seats removed", 1_800), ("came again", 1_000)];
    claim("S18", "System V: segment, seats or both removed at random moments, as S5", SIZE, &floors, |messages| {
        removal::removed_by_a_third_party(&Simulated::slot(), messages);
    });
}

/// **S18** The same for writers that leave after a message or two. (A reader that has heard nothing of a writer since
/// it took its own seat anew takes it for a C program, and its leaving for a death.)
#[test]
fn s18_removed_while_writers_leave() {
    let floors = [(PREEMPTED, 150_000), ("removed", 600), ("seats removed", 600)];
    claim("S18", "the same with writers that leave after a message or two", SIZE, &floors, |messages| {
        removal::removed_while_writers_leave(&Simulated::slot(), messages);
    });
}

/// **S18** The same at a ring.
#[test]
fn s18_a_ring_removed_by_a_third_party() {
    let floors = [(PREEMPTED, 80_000), ("removed", 350), ("seats removed", 700), ("came again", 1_000), ("batch", 900)];
    claim(
        "S18",
        "System V, ring: segment, seats or both removed at random moments, as S15",
        SIZE,
        &floors,
        |messages| {
            sides::removed_by_a_third_party(&Simulated::ring(), messages);
        },
    );
}

/// **S19** Session after session.
#[test]
fn s19_session_after_session() {
    let floors =
        [(PREEMPTED, 90_000), ("ended", 1_400), ("closed early", 450), ("came again", 450), ("new writer", 600)];
    claim("S19", "System V: sessions with `end` and close, as S6", SIZE, &floors, |messages| {
        removal::session_after_session(&Simulated::slot(), messages);
    });
}

/// **S19** The same at a ring.
#[test]
fn s19_session_after_session_in_a_ring() {
    let floors = [(PREEMPTED, 60_000), ("ended", 1_500), ("released", 700), ("closed", 650), ("new writer", 700)];
    claim(
        "S19",
        "System V, ring: sessions with an end that is closed or released, as S16",
        SIZE,
        &floors,
        |messages| {
            sides::session_after_session(&Simulated::ring(), messages);
        },
    );
}

/// **S20** Three writers and three readers contend for the two seats.
#[test]
fn s20_second_ones_are_refused() {
    let floors = [(PREEMPTED, 450_000), ("refused", 15_000), ("admitted", 6_500)];
    claim("S20", "System V: three writers and three readers contend for the seats, as S7", SIZE, &floors, |messages| {
        seats::second_ones_are_refused(&Simulated::slot(), messages);
    });
}

/// **S20** The same at a ring.
#[test]
fn s20_second_ones_are_refused_at_a_ring() {
    let floors = [(PREEMPTED, 400_000), ("refused", 10_000), ("admitted", 6_500)];
    claim(
        "S20",
        "System V, ring: three writers and three readers contend for the seats, as S7",
        SIZE,
        &floors,
        |messages| {
            seats::second_ones_are_refused(&Simulated::ring(), messages);
        },
    );
}
