//! What holds.

use super::world::play::Setup;
use super::{Budget, Record, SourceHost, SourceRing, State, Stream, claim, host, restarted, setup, stream};
use shm_handoff_bridge::receiver::AckAt;

/// **N1** Everything arrives once, in order, and the end behind it, whatever the network loses, delays, reorders and repeats.
#[test]
fn n1_the_network_does_not_matter() {
    let budget = Budget { delays: 1, copies: 1, hurries: 1, ..Budget::default() };
    let initial = State::new(vec![host(1, stream(1..=2))], 2, budget);
    let numbers = claim(
        "N1",
        "everything arrives once, in order, and the end behind it",
        511_723,
        setup(AckAt::Ring, 1),
        initial,
    );
    assert!(numbers.duplicates > 0 && numbers.gaps > 0 && numbers.again > 0, "{numbers:?}");
}

/// **N2** The same where frames are late that older processes have sent, or that were sent to them.
#[test]
fn n2_late_frames_do_not_matter() {
    let budget = Budget { delays: 1, sender_kills: 1, receiver_kills: 1, ..Budget::default() };
    let initial = State::new(vec![host(1, stream(1..=2))], 2, budget);
    claim(
        "N2",
        "all that, too, with late frames of bridges that were killed",
        1_342_165,
        setup(AckAt::Ring, 1),
        initial,
    );
}

/// **N3** Either bridge is killed before each of its calls, again and again.
#[test]
fn n3_kills_do_not_matter() {
    let budget = Budget { sender_kills: 2, receiver_kills: 2, ..Budget::default() };
    let initial = State::new(vec![host(1, stream(1..=2))], 2, budget);
    claim(
        "N3",
        "all that, too, where either bridge is killed before any of its calls",
        457_292,
        setup(AckAt::Ring, 2),
        initial,
    );
}

/// **N4** A writer that comes after a killed receiver settles what was intended, before it appends a message of its own.
#[test]
fn n4_another_writer_settles_the_intent() {
    let budget = Budget { receiver_kills: 2, other_writers: 2, ..Budget::default() };
    let initial = State::new(vec![host(1, stream(1..=3))], 2, budget);
    claim("N4", "another writer's messages between do not matter", 671_167, setup(AckAt::Ring, 2), initial);
}

/// **N5** Where the ring there is full, nothing more is sent than the ring has room for, and one batch.
#[test]
fn n5_the_window_is_kept() {
    let budget = Budget { delays: 1, copies: 1, hurries: 1, ..Budget::default() };
    let initial = State::new(vec![host(1, stream(1..=3))], 1, budget);
    claim(
        "N5",
        "what the receiver holds beside its ring is at most one batch",
        726_107,
        setup(AckAt::Ring, 2),
        initial,
    );
}

/// **N6** Under `--ack received`, nothing is released before the reader there has released it.
#[test]
fn n6_received_is_acknowledged() {
    let budget = Budget { delays: 1, receiver_kills: 1, ..Budget::default() };
    let initial = State::new(vec![host(1, stream(1..=2))], 2, budget);
    claim("N6", "nothing is released before it was received there", 127_113, setup(AckAt::Received, 1), initial);
}

/// **N7** And so nothing is lost where that ring is removed with what lies in it.
#[test]
fn n7_a_removed_ring_loses_nothing() {
    let budget = Budget { sender_kills: 1, receiver_kills: 1, removals: 1, ..Budget::default() };
    let initial = State::new(vec![host(1, stream(1..=2))], 2, budget);
    let setup = Setup { repeats: true, ..setup(AckAt::Received, 1) };
    claim("N7", "nothing is lost where the ring there is removed", 343_978, setup, initial);
}

/// **N8** A writer's death is told behind everything that it wrote, and nothing else is taken for a death. What the next writer writes
/// is carried as well.
#[test]
fn n8_a_death_is_told_behind_everything() {
    let budget = Budget { delays: 1, hurries: 1, writer_deaths: 1, restarts: 2, ..Budget::default() };
    let ring = SourceRing::new(Stream(1), vec![Record::Message(1)]);
    let host = SourceHost::new(vec![ring], vec![Record::Message(2), Record::End]);
    let initial = State::new(vec![host], 1, budget);
    claim("N8", "a death is told behind everything, and a cut link is none", 928_081, setup(AckAt::Ring, 1), initial);
}

/// **N9** A reader's death there ends both bridges, and what it left is the next reader's.
#[test]
fn n9_a_dead_reader_loses_nothing() {
    let budget = Budget { delays: 1, reader_deaths: 1, restarts: 2, ..Budget::default() };
    let initial = State::new(vec![host(1, stream(1..=2))], 2, budget);
    claim("N9", "a reader's death there loses nothing", 159_016, setup(AckAt::Received, 1), initial);
}

/// **N10** Of two streams for one ring, one is refused, and nothing of it is carried; or it comes behind the end of the other.
#[test]
fn n10_a_second_stream_is_refused() {
    let budget = Budget { delays: 1, hurries: 1, ..Budget::default() };
    let initial = State::new(vec![host(1, stream([1])), host(2, stream([2]))], 2, budget);
    claim(
        "N10",
        "a second stream is refused, or comes behind the end of the first",
        89_125,
        setup(AckAt::Ring, 1),
        initial,
    );
}

/// **N11** Memory that was removed on the sender's side, and made anew, is gone over to when all of it was acknowledged.
#[test]
fn n11_new_memory_is_gone_over_to() {
    let budget = Budget { delays: 1, hurries: 1, receiver_kills: 1, ..Budget::default() };
    let mut old = SourceRing::new(Stream(1), vec![Record::Message(1)]);
    old.removed = true;
    let new = SourceRing::new(Stream(2), stream([2]));
    let initial = State::new(vec![SourceHost::new(vec![old, new], Vec::new())], 2, budget);
    let setup = Setup { repeats: true, ..setup(AckAt::Ring, 1) };
    claim("N11", "memory that was made anew is carried behind the old one", 788_503, setup, initial);
}

/// **N12** A slot's stream does not outlive its process, and so what was not acknowledged may come again. Nothing is lost.
#[test]
fn n12_a_slot_loses_nothing() {
    let budget = Budget { delays: 1, sender_kills: 1, ..Budget::default() };
    let slot = SourceRing::new(Stream::passing(0), stream(1..=2));
    let initial = State::new(vec![SourceHost::new(vec![slot], Vec::new())], 2, budget);
    let setup = Setup { repeats: true, ..setup(AckAt::Ring, 1) };
    claim("N12", "nothing of a slot is lost", 158_495, setup, initial);
}

/// **N20** With `--next-stream`, another stream comes when the sender of the one before is gone, or silent for long, and the reader there has
/// read everything. Whichever comes again goes on where it was.
#[test]
fn n20_the_next_stream_comes_behind_a_silent_one() {
    let budget = Budget { delays: 1, hurries: 1, ..Budget::default() };
    let hosts =
        [(1, stream([1, 3])), (2, stream([2]))].map(|(id, records)| SourceHost { insists: true, ..host(id, records) });
    let initial = State::new(hosts.into(), 2, budget);
    let setup = Setup { next_stream: true, ..setup(AckAt::Ring, 1) };
    claim("N20", "a next stream comes behind a silent one, and either goes on where it was", 780_379, setup, initial);
}

/// **N21** After a restart of the sender's machine its next stream is carried behind what had come of the one before.
#[test]
fn n21_a_restarted_machine_goes_on() {
    let budget = Budget { delays: 1, receiver_kills: 1, ..Budget::default() };
    let setup = Setup { next_stream: true, ..setup(AckAt::Ring, 1) };
    claim("N21", "a restarted machine's next stream comes behind what had come", 480_966, setup, restarted(budget));
}
