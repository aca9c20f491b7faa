//! What the claims rest on: without it, they fail.

use super::world::UNIT;
use super::world::play::Setup;
use super::{Budget, SourceHost, State, Weakness, host, rejected, restarted, setup, stream};
use shm_handoff_bridge::frame::{Ack, Frame};
use shm_handoff_bridge::receiver::AckAt;

fn kills(records: u32) -> State {
    let budget = Budget { delays: 1, sender_kills: 1, receiver_kills: 1, other_writers: 1, ..Budget::default() };
    State::new(vec![host(1, stream(1..=records))], 2, budget)
}

/// **N13** Without an intent, a new receiver does not know how far the ring is.
#[test]
fn n13_without_an_intent() {
    let setup = setup(AckAt::Ring, 1);
    rejected("N13", "without an intent, a message comes twice", "in one ring", Weakness::NoIntent, setup, kills(1));
}

/// **N14** With one place for intents, a kill inside that store forgets the one before.
#[test]
fn n14_with_one_place() {
    let setup = setup(AckAt::Ring, 1);
    rejected(
        "N14",
        "with one place for intents, a kill in it forgets",
        "in one ring",
        Weakness::OnePlace,
        setup,
        kills(2),
    );
}

/// **N15** Another writer's message behind an open intent is taken for what was intended.
#[test]
fn n15_without_settling() {
    let claim = "without settling, another writer's message is taken for the intended one";
    rejected("N15", claim, "lost", Weakness::NoSettling, setup(AckAt::Ring, 1), kills(1));
}

/// **N16** What is released when it is sent gets lost on the way.
#[test]
fn n16_released_before_acknowledged() {
    let claim = "what is released before it is acknowledged gets lost";
    rejected("N16", claim, "lost", Weakness::ReleaseOnSend, setup(AckAt::Ring, 1), kills(1));
}

/// **N17** What is acknowledged before it is published dies with the receiver.
#[test]
fn n17_acknowledged_before_published() {
    let claim = "what is acknowledged before it is published gets lost";
    rejected("N17", claim, "lost", Weakness::AckBeforePublish, setup(AckAt::Ring, 1), kills(1));
}

/// **N18** What a receiver said whose ring was removed is taken for what the next one says, which then is not sent again what it lacks.
#[test]
fn n18_sessions_without_names() {
    let budget = Budget { delays: 1, ..Budget::default() };
    let mut initial = State::new(vec![host(1, stream([1]))], 2, budget);
    let (session, turn, again) = (0, 0, false);
    initial.late.push(Frame::Ack(Ack { session, held: UNIT, taken: UNIT, acked: 0, room: UNIT, turn, again }));
    let claim = "where sessions have no names of their own, another ring's acknowledgement counts";
    rejected("N18", claim, "it does not end", Weakness::SessionsRepeat, setup(AckAt::Received, 1), initial);
}

/// **N19** A new ring that begins with whatever comes first lacks what got lost before.
#[test]
fn n19_any_beginning() {
    let budget = Budget { delays: 1, ..Budget::default() };
    let initial = State::new(vec![host(1, stream(1..=2))], 2, budget);
    let claim = "a new ring that begins with whatever comes first has a gap";
    rejected("N19", claim, "in one ring", Weakness::AnyBase, setup(AckAt::Ring, 1), initial);
}

/// **N22** Where the next stream does not wait for the reader, what waits for room here gets lost.
#[test]
fn n22_without_the_wait_for_the_reader() {
    let setup = Setup { next_stream: true, ..setup(AckAt::Ring, 1) };
    let initial = State::new(restarted(Budget::default()).sources, 1, Budget::default());
    let claim = "without the wait for the reader, what had come of the stream before gets lost";
    rejected("N22", claim, "lost", Weakness::SaysRead, setup, initial);
}

/// **N23** The receiver's process alone remembers the streams before: so a stream that is not over must not come back to the next process.
#[test]
fn n23_a_stream_that_comes_back_to_a_new_receiver() {
    let budget = Budget { delays: 1, hurries: 1, receiver_kills: 1, ..Budget::default() };
    let hosts =
        [(1, stream([1])), (2, stream([2]))].map(|(id, records)| SourceHost { insists: true, ..host(id, records) });
    let setup = Setup { next_stream: true, ..setup(AckAt::Ring, 1) };
    let claim = "a stream that comes back to a new receiver, behind the next one, comes twice";
    rejected("N23", claim, "in one ring", Weakness::None, setup, State::new(hosts.into(), 4, budget));
}
