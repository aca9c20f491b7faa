//! Many at once.

use super::{expect, flow_by, messages, nothing_more, one_way, send_each};
use crate::bare::Bare;
use crate::explore::{Depth, actor, claim, main_is};
use shm_handoff::WaitPolicy;
use shm_handoff::backend::inproc::Channel;

use trace::ring_words_are_one_way;
type Reader<B> = shm_handoff::Reader<B, shm_handoff::Ring>;
type Writer<B> = shm_handoff::Writer<B, shm_handoff::Ring>;

fn send_all(writer: &mut Writer<Bare>, messages: &[Vec<u8>]) {
    let messages: Vec<_> = messages.iter().map(Vec::as_slice).collect();
    writer.send_all(&messages).unwrap();
}

/// **R9** Three records and a jump over the wrap by one publish: only the first
/// flag is stored with an order.
#[test]
fn r9_one_publish_for_many() {
    claim("R9", "`send_all`: three records and a jump over the wrap, by one publish", Depth::whole(2000), || {
        flow_by(&one_way(8, 6), &[1, 2, 2], send_all);
    });
}

/// **R10** A batch for which there is no room all at once: what is withheld is
/// published before the writer waits.
#[test]
fn r10_more_than_there_is_room_for() {
    // 5 s.
    claim(
        "R10",
        "`send_all` of more than there is room for at a time",
        Depth::bound(3, 25_586).deep(Depth::bound(4, 195_529)),
        || flow_by(&one_way(4, 1), &[2, 1, 2], send_all),
    );
}

/// **R11** Several records peeked at and released together: none of them is
/// written over before.
#[test]
fn r11_one_release_for_many() {
    // 1 s.
    claim(
        "R11",
        "several peeked at and released together: none is written over before",
        Depth::bound(2, 3696).deep(Depth::bound(3, 54_285)),
        || {
            let ring = one_way(4, 2);
            main_is("reader");
            let mut reader = Reader::<Bare>::open(&ring).unwrap();
            let mut writer = Writer::<Bare>::open(&ring).unwrap();
            let units = &[2, 1, 2];
            let writer = actor("writer", move || {
                send_each(&mut writer, &messages(units));
                writer
            });
            let all = messages(units);
            for expected in &all[..2] {
                assert_eq!(reader.peek_next(&mut WaitPolicy::forever()).unwrap().text(), *expected);
            }
            // From the first that is not released, once more.
            assert_eq!(reader.peek().unwrap().text(), all[0]);
            assert_eq!(reader.peek_next(&mut WaitPolicy::forever()).unwrap().text(), all[1]);
            reader.release_peeked();
            expect(&mut reader, &all[2..]);
            drop(writer.join());
            nothing_more(&mut reader);
        },
    );
}

/// **R12** A reservation is sent when it is committed, and one that is given up
/// has left nothing, wherever it lay and whatever was written to it. One can be
/// committed in part.
#[test]
fn r12_reservations() {
    claim(
        "R12",
        "reserved, given up, reserved and committed, in part too: only what was committed comes",
        Depth::bound(2, 2278).deep(Depth::bound(3, 66_672)),
        || {
            ring_words_are_one_way(true);
            let ring = Channel::ring_from(32, 8, 16);
            flow_by(&ring, &[1, 2, 2], |writer, messages| {
                // At first before the wrap, then beyond it.
                for message in messages {
                    // Given up.
                    writer.reserve(8).unwrap().write_at(0, b"........");
                    // The first is empty, and committed as what is left of more.
                    let mut reserved = writer.reserve(8).unwrap();
                    reserved.write_at(0, b"--------");
                    reserved.write_at(0, message);
                    reserved.commit_first(message.len());
                }
            });
        },
    );
}
