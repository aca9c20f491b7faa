//! Two sides that stay.

use super::{flow, messages, nothing_more, one_way, send_each};
use crate::bare::Bare;
use crate::explore::{Depth, actor, claim, main_is};
use loom::thread;
use shm_handoff::Received;
use shm_handoff::backend::inproc::Channel;

use shm_handoff::{RecvError, SendError};
use trace::ring_words_are_one_way;
type Reader<B> = shm_handoff::Reader<B, shm_handoff::Ring>;
type Writer<B> = shm_handoff::Writer<B, shm_handoff::Ring>;

/// **R1** Records of one, two and two units through a ring of four: in order,
/// each exactly once and whole. The second ends one unit before the wrap, over
/// which the third jumps; the writer waits for space twice, and nobody sleeps
/// forever.
#[test]
fn r1_a_jump_over_the_wrap() {
    // 12 s.
    claim(
        "R1",
        "records in order, once, whole, none torn; a jump over the wrap; a writer that waits for space; nobody sleeps forever",
        Depth::bound(3, 56_875).deep(Depth::bound(4, 752_530)),
        || flow(&one_way(4, 0), &[1, 2, 2]),
    );
}

/// **R2** A record that ends exactly at the wrap needs no jump: the next one lies
/// where the ring begins.
#[test]
fn r2_a_record_that_ends_at_the_wrap() {
    // 6 s.
    claim(
        "R2",
        "the same where a record ends exactly at the wrap",
        Depth::bound(3, 28_040).deep(Depth::bound(4, 374_536)),
        || flow(&one_way(4, 0), &[2, 2, 1]),
    );
}

/// **R3** A ring that is full to its last unit: four records, and the flag that is
/// kept free behind them. The fifth comes when some space was given back.
#[test]
fn r3_a_full_ring() {
    // 2 s.
    claim(
        "R3",
        "a full ring: a record more than there is room for; the flag behind the last one is kept free",
        Depth::bound(2, 7817).deep(Depth::bound(3, 200_116)),
        || flow(&one_way(8, 0), &[2, 2, 2, 1, 2]),
    );
}

/// **R4** A record that fills the ring but for one unit, of which less than a
/// quarter was released and not given back: the reader gives that back before it
/// sleeps. (Half a ring is more than a record may have where it is a ring of the
/// real size: there this makes room early, and is no matter of life and death.)
#[test]
fn r4_released_when_dry() {
    // 10 s.
    claim(
        "R4",
        "what was released, however little, is given back before the reader sleeps",
        Depth::bound(3, 45_670).deep(Depth::bound(4, 597_991)),
        || {
            ring_words_are_one_way(true);
            flow(&Channel::ring_from(64, 24, 0), &[4, 1, 4]);
        },
    );
}

/// **R5** Sides that never sleep, but try again: a refused try changes nothing,
/// on a full ring or an empty one.
#[test]
fn r5_trying_again() {
    claim(
        "R5",
        "sides that try again instead of waiting; a refused try changes nothing, on a full ring or an empty one",
        Depth::whole(2324),
        || {
            let ring = one_way(4, 0);
            main_is("reader");
            let mut reader = Reader::<Bare>::open(&ring).unwrap();
            let mut writer = Writer::<Bare>::open(&ring).unwrap();
            let units = &[2, 2];
            let writer = actor("writer", move || {
                for message in messages(units) {
                    while let Err(error) = writer.try_send(&message) {
                        assert_eq!(error, SendError::WouldBlock);
                        thread::yield_now();
                    }
                }
                writer
            });
            let mut bytes = [0; 8];
            for expected in messages(units) {
                let len = loop {
                    match reader.try_recv(&mut bytes) {
                        Ok(Received::Message(len)) => break len,
                        Ok(Received::End) => panic!("no end was sent"),
                        Err(error) => assert_eq!(error, RecvError::WouldBlock),
                    }
                    thread::yield_now();
                };
                assert_eq!(bytes[..len], *expected);
            }
            drop(writer.join());
            nothing_more(&mut reader);
        },
    );
}

/// **R6** Positions go over 2^32 as over any other wrap.
#[test]
fn r6_over_two_to_the_32() {
    // 1 s.
    claim("R6", "R1 with positions that go over 2^32", Depth::bound(2, 3172), || {
        flow(&one_way(4, (1 << 29) - 4), &[1, 2, 2]);
    });
}

/// **R7** And over 2^64, from where they begin with 0.
#[test]
fn r7_over_two_to_the_64() {
    // 1 s.
    claim("R7", "R1 with positions that go over 2^64", Depth::bound(2, 3172), || {
        flow(&one_way(4, (1 << 61) - 4), &[1, 2, 2]);
    });
}

/// **R8** A message that does not fit into the buffer stays, for the next peek.
#[test]
fn r8_a_peek_leaves_the_message() {
    claim(
        "R8",
        "a peek, or too small a buffer, leaves the message as it was",
        Depth::bound(2, 1016).deep(Depth::bound(4, 80_786)),
        || {
            let ring = one_way(4, 3);
            main_is("reader");
            let mut reader = Reader::<Bare>::open(&ring).unwrap();
            let mut writer = Writer::<Bare>::open(&ring).unwrap();
            let units = &[2, 1];
            let writer = actor("writer", move || {
                send_each(&mut writer, &messages(units));
                writer
            });
            assert_eq!(reader.peek().unwrap().text(), messages(units)[0]);
            assert_eq!(reader.recv(&mut [0; 4]), Err(RecvError::BufferTooSmall { capacity: 8 }));
            super::expect(&mut reader, &messages(units));
            drop(writer.join());
            nothing_more(&mut reader);
        },
    );
}

/// **R25** In a ring that was in use, a reader at the writer's heels never takes
/// what is left of another lap for a record: the flag behind a record is emptied
/// before it is published.
#[test]
fn r25_another_lap() {
    // 1 s.
    claim(
        "R25",
        "what is left of another lap is never taken for a record",
        Depth::bound(3, 4662).deep(Depth::bound(5, 146_345)),
        || {
            let ring = one_way(4, 0);
            main_is("reader");
            let mut reader = Reader::<Bare>::open(&ring).unwrap();
            let mut writer = Writer::<Bare>::open(&ring).unwrap();
            let all = messages(&[2, 2, 1, 1]);
            for message in all[..2].chunks(1) {
                send_each(&mut writer, message);
                super::expect(&mut reader, message);
            }
            let theirs = all[2..].to_vec();
            let writer = actor("writer", move || {
                send_each(&mut writer, &theirs);
                writer
            });
            super::expect(&mut reader, &all[2..]);
            drop(writer.join());
            nothing_more(&mut reader);
        },
    );
}

/// **R33** A ring so large that nothing is given back at once: what is sent and received at a glance, by the
/// shortest way of all, next to what is waited for. (In the rings of the other rows each receive gives
/// something back, which is no glance any more.)
#[test]
fn r33_at_a_glance() {
    claim(
        "R33",
        "sent and received at a glance, with nothing to give back: in order, once, whole, nobody sleeps forever",
        Depth::bound(3, 17_120).deep(Depth::bound(4, 0)),
        || {
            let ring = one_way(16, 0);
            main_is("reader");
            let mut reader = Reader::<Bare>::open(&ring).unwrap();
            let mut writer = Writer::<Bare>::open(&ring).unwrap();
            let units = &[2, 1, 2];
            let writer = actor("writer", move || {
                send_each(&mut writer, &messages(units));
                writer
            });
            let mut bytes = [0; 8];
            for expected in messages(units) {
                assert_eq!(reader.recv(&mut bytes), Ok(Received::Message(expected.len())));
                assert_eq!(bytes[..expected.len()], *expected);
            }
            drop(writer.join());
            nothing_more(&mut reader);
        },
    );
}
