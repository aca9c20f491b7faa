//! The protocol in a ring: what the other layout does not have.

use crate::common::{Harness, len_of, soon};
use crate::{guest, until};
use shm_handoff::backend::memory::offsets::ring::SMALLEST;
use shm_handoff::backend::{Backend, Layout};
use shm_handoff::error::Unsendable;
use shm_handoff::sync::Ordering;
use shm_handoff::{Error, Received, RecvError, Ring, SendError, Slot, WaitPolicy};
use std::thread;

type Reader<B> = shm_handoff::Reader<B, Ring>;
type Writer<B> = shm_handoff::Writer<B, Ring>;

fn reader<H: Harness>(place: &H) -> Reader<H::Backend> {
    Reader::open(place.address()).unwrap()
}

fn writer<H: Harness>(place: &H) -> Writer<H::Backend> {
    Writer::open(place.address()).unwrap()
}

fn in_time() -> WaitPolicy<'static> {
    WaitPolicy::deadline(soon())
}

fn receive<B: Backend>(reader: &mut Reader<B>) -> Vec<u8> {
    let mut bytes = vec![0; SMALLEST / 4];
    let len = len_of(reader.recv_deadline(&mut bytes, soon()).unwrap());
    bytes.truncate(len);
    bytes
}

// Messages.

pub(crate) fn a_ring_is_no_slot<H: Harness>(place: &H) {
    let met = shm_handoff::Writer::<H::Backend, Slot>::open(place.address()).map(drop);
    assert!(matches!(met, Err(Error::WrongLayout { found: Layout::Ring { capacity: SMALLEST }, .. })), "{met:?}");
    let met = shm_handoff::Reader::<H::Backend, Slot>::open(place.address()).map(drop);
    assert!(matches!(met, Err(Error::WrongLayout { wanted: "a classic slot", .. })), "{met:?}");
    let _seats_are_free = (reader(place), writer(place));
}

pub(crate) fn a_message_waits_for_its_reader<H: Harness>(place: &H) {
    let mut writer = writer(place);
    for text in [b"end\n".as_slice(), b"a\0b", b"", b"\xff\xfe"] {
        writer.try_send(text).unwrap();
    }
    writer.close().unwrap();
    let mut reader = reader(place);
    for text in [b"end\n".as_slice(), b"a\0b", b"", b"\xff\xfe"] {
        let message = reader.peek_with(&mut WaitPolicy::non_blocking()).unwrap();
        assert!(message.text() == text && !message.ends_session());
        message.release();
    }
    assert_eq!(reader.try_recv(&mut []), Err(RecvError::WouldBlock));
}

pub(crate) fn the_longest_is_a_quarter<H: Harness>(place: &H) {
    let (mut reader, mut writer) = (reader(place), writer(place));
    let most = SMALLEST / 4;
    assert_eq!((writer.capacity(), reader.capacity()), (most, most));
    let bytes: Vec<u8> = (0..=most).map(|at| u8::try_from(at % 251).unwrap()).collect();
    for round in 0..20 {
        let refused = Err(SendError::Unsendable(Unsendable::TooLong { most }));
        assert_eq!(writer.try_send(&bytes), refused);
        assert_eq!(writer.send_all(&[&bytes]), refused);
        assert_eq!(writer.reserve_with(most + 1, &mut WaitPolicy::non_blocking()).map(drop), refused.map(drop));
        assert_eq!(reader.try_recv(&mut []), Err(RecvError::WouldBlock), "what is refused changes nothing");
        // From one place after the other, the wrap's among them.
        for len in [most - round, most] {
            writer.send_deadline(&bytes[..len], soon()).unwrap();
            assert!(receive(&mut reader) == bytes[..len], "{len} bytes");
        }
    }
}

pub(crate) fn a_batch_is_one_publish<H: Harness>(place: &H) {
    let (mut reader, mut writer) = (reader(place), writer(place));
    for round in 0..50_u8 {
        let texts: Vec<Vec<u8>> = (0..40).map(|number| vec![round; number * 23]).collect();
        let texts: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
        writer.send_all(&texts).unwrap();
        for text in texts {
            let message = reader.try_peek_next().unwrap().expect("all are there at once");
            assert_eq!(message.text(), text);
        }
        assert!(reader.try_peek_next().unwrap().is_none());
        reader.release_peeked();
    }
    writer.send_all(&[]).unwrap();
    assert_eq!(reader.try_recv(&mut []), Err(RecvError::WouldBlock));
}

pub(crate) fn a_batch_that_gets_stuck_says_how_far_it_came<H: Harness>(place: &H) {
    let (mut reader, mut writer) = (reader(place), writer(place));
    let block = vec![b'x'; SMALLEST / 8];
    let mut texts: Vec<&[u8]> = vec![&block; 20];
    let (sent, why) = writer.send_all_with(&texts, &mut WaitPolicy::non_blocking()).unwrap_err();
    assert_eq!((sent, why), (7, SendError::TimedOut), "8 with their headers are more than the ring");
    for _ in 0..sent {
        assert!(receive(&mut reader) == block);
    }
    assert_eq!(reader.try_recv(&mut []), Err(RecvError::WouldBlock), "no more than it says");
    // One that can't be carried in the middle: those before it were sent.
    let long = vec![0; SMALLEST / 4 + 1];
    texts = vec![b"a", b"b", &long, b"c"];
    let (sent, why) = writer.send_all_with(&texts, &mut WaitPolicy::non_blocking()).unwrap_err();
    assert_eq!((sent, why), (2, SendError::Unsendable(Unsendable::TooLong { most: SMALLEST / 4 })));
    assert_eq!((receive(&mut reader), receive(&mut reader)), (b"a".to_vec(), b"b".to_vec()));
    assert_eq!(reader.try_recv(&mut []), Err(RecvError::WouldBlock));
}

/// What just fits before the wrap is not put behind it.
pub(crate) fn a_record_may_end_at_the_wrap<H: Harness>(place: &H) {
    let (mut reader, mut writer) = (reader(place), writer(place));
    // With its header a quarter of the ring.
    let quarter = vec![b'q'; SMALLEST / 4 - 8];
    for at in 0..8 {
        for _ in 0..3 {
            writer.try_send(&quarter).unwrap_or_else(|why| panic!("quarters beyond {at}: {why}"));
        }
        assert_eq!(writer.try_send(&quarter), Err(SendError::WouldBlock));
        for _ in 0..3 {
            assert!(receive(&mut reader) == quarter);
        }
        assert_eq!(reader.try_recv(&mut []), Err(RecvError::WouldBlock));
    }
}

/// A reader that went to other memory has left its parked word set: the next send but one looks.
pub(crate) fn a_parked_word_without_a_sleeper_tells_of_a_removal<H: Harness>(place: &H) {
    let mut writer = writer(place);
    let mut gone = guest(place);
    gone.ring().reader_parked().store(1, Ordering::Relaxed);
    gone.remove().unwrap();
    drop(gone);
    let mut reader = reader(place);
    writer.send(b"into the old memory").unwrap();
    assert_eq!(reader.try_recv(&mut [0; 99]), Err(RecvError::WouldBlock));
    writer.send_deadline(b"next", soon()).unwrap();
    assert_eq!(receive(&mut reader), b"into the old memory");
    assert_eq!(receive(&mut reader), b"next");
}

/// A writer whose end was met leaves no new memory behind, though its last publish met a parked word
/// without a sleeper.
pub(crate) fn who_has_nothing_to_take_along_makes_no_memory<H: Harness>(place: &H) {
    let (mut reader, mut writer) = (reader(place), writer(place));
    writer.backend().ring().reader_parked().store(1, Ordering::Relaxed);
    writer.end_with(&mut WaitPolicy::non_blocking()).unwrap();
    reader.peek().unwrap().end_session().unwrap();
    drop(reader);
    writer.flush(&mut in_time()).unwrap();
    assert_eq!(writer.backend().ring().closed().load(Ordering::Relaxed), 1, "it is where it was");
}

pub(crate) fn released_up_to_a_cursor<H: Harness>(place: &H) {
    let mut writer = writer(place);
    writer.send_all(&[b"one", b"two", b"three"]).unwrap();
    let mut first = reader(place);
    assert_eq!(first.try_peek_next().unwrap().unwrap().text(), b"one");
    let then = first.cursor();
    assert_eq!(first.try_peek_next().unwrap().unwrap().text(), b"two");
    first.release_up_to(then);
    assert_eq!(first.try_peek_next().unwrap().unwrap().text(), b"three", "what was peeked at since stays peeked at");
    drop(first);
    let mut second = reader(place);
    assert_eq!(second.peek().unwrap().text(), b"two", "released so far, and no further");
    // Of before: there is nothing left to release.
    second.release_up_to(then);
    assert_eq!(second.peek().unwrap().text(), b"two");
}

/// A cursor of memory that was removed since says nothing of the new one, wherever its position
/// falls there: at the end of a record, or within one.
pub(crate) fn a_cursor_of_removed_memory_releases_nothing<H: Harness>(place: &H) {
    for lengths in [[5, 6], [400, 400], [3, 2000]] {
        let (mut reader, mut writer) = (reader(place), writer(place));
        let old = [1; 20];
        writer.send(&old).unwrap();
        assert_eq!(reader.peek_next(&mut in_time()).unwrap().text(), old);
        let cursor = reader.cursor();
        guest(place).remove().unwrap();
        // Nothing lies behind it: the reader moves, and finds what the writer brought along.
        thread::scope(|scope| {
            scope.spawn(|| {
                writer.recover(&mut in_time()).unwrap();
                for len in lengths {
                    writer.send_deadline(&vec![2; len], soon()).unwrap();
                }
            });
            for len in [old.len(), lengths[0], lengths[1]] {
                assert_eq!(reader.peek_next(&mut in_time()).unwrap().text().len(), len);
            }
        });
        reader.release_up_to(cursor);
        assert_eq!(reader.backend().ring().released().load(Ordering::Relaxed), 0, "nothing of this was released");
        assert_eq!(receive(&mut reader), old);
        // And one of this memory does release.
        reader.peek_next(&mut in_time()).unwrap();
        reader.release_up_to(reader.cursor());
        assert_eq!(receive(&mut reader).len(), lengths[1]);
        writer.close().unwrap();
        reader.close().unwrap();
    }
}

/// What was peeked at before the reader started over was not peeked at.
pub(crate) fn a_cursor_from_before_a_new_start_releases_nothing<H: Harness>(place: &H) {
    let (mut reader, mut writer) = (reader(place), writer(place));
    let peek = |reader: &mut Reader<H::Backend>| reader.peek_next(&mut in_time()).unwrap().text().to_vec();
    writer.send_all(&[b"one", b"two", b"three"]).unwrap();
    let mut cursors = vec![reader.cursor()];
    for text in [b"one".as_slice(), b"two", b"three"] {
        assert_eq!(peek(&mut reader), text);
        cursors.push(reader.cursor());
    }
    reader.rewind();
    for cursor in &cursors {
        reader.release_up_to(*cursor);
        assert_eq!(reader.cursor(), cursors[0], "there is nothing to release");
    }
    assert_eq!(peek(&mut reader), b"one");
    reader.release_up_to(cursors[2]);
    assert_eq!(peek(&mut reader), b"two", "it has come as far as `one`");
    // As far as it has come by now: and `two` stays peeked at.
    reader.release_up_to(cursors[1]);
    assert_eq!(peek(&mut reader), b"three");
    reader.rewind();
    assert_eq!(peek(&mut reader), b"two", "`one` was released, and no more");
}

/// Memory that was removed for another reason than its end is not closed: what lies there is
/// sent again.
pub(crate) fn who_closes_in_the_middle_has_met_no_end<H: Harness>(place: &H) {
    let mut writer = writer(place);
    writer.send_all(&[b"one", b"two"]).unwrap();
    writer.end_with(&mut in_time()).unwrap();
    let dying = guest(place);
    let mut first = reader(place);
    first.peek().unwrap().end_session().unwrap();
    assert_eq!(dying.ring().closed().load(Ordering::Relaxed), 0);
    drop((first, dying));
    writer.flush(&mut in_time()).unwrap();
    let mut second = reader(place);
    assert_eq!(receive(&mut second), b"one");
    assert_eq!(receive(&mut second), b"two");
    let dying = guest(place);
    let end = second.peek_with(&mut in_time()).unwrap();
    assert!(end.ends_session());
    assert_eq!(dying.ring().closed().load(Ordering::Relaxed), 0, "a peek closes nothing");
    end.end_session().unwrap();
    assert_eq!(dying.ring().closed().load(Ordering::Relaxed), 1);
}

/// An end on memory that somebody removed, and that nobody has met, comes again.
pub(crate) fn an_end_that_nobody_met_comes_again<H: Harness>(place: &H) {
    let mut writer = writer(place);
    writer.end_with(&mut WaitPolicy::non_blocking()).unwrap();
    guest(place).remove().unwrap();
    writer.flush(&mut in_time()).unwrap();
    let mut reader = reader(place);
    assert!(reader.peek_with(&mut in_time()).unwrap().ends_session());
}

/// Also if the reader died right after it had released it, and before it gave the space back.
pub(crate) fn an_end_that_was_released_is_in_nobodys_way<H: Harness>(place: &H) {
    let mut ending = writer(place);
    ending.end_with(&mut WaitPolicy::non_blocking()).unwrap();
    ending.close_flushed().unwrap();
    guest(place).ring().released().store(8, Ordering::Relaxed);
    writer(place).try_send(b"next").unwrap();
    assert_eq!(reader(place).peek().unwrap().text(), b"next");
}

pub(crate) fn a_successor_begins_with_what_was_not_released<H: Harness>(place: &H) {
    let mut writer = writer(place);
    let expect = |reader: &mut Reader<H::Backend>, text: &[u8]| {
        assert_eq!(reader.peek_next(&mut in_time()).unwrap().text(), text);
    };
    writer.send_all(&[b"one", b"two", b"three", b"four"]).unwrap();
    let mut first = reader(place);
    expect(&mut first, b"one");
    expect(&mut first, b"two");
    first.release_peeked();
    expect(&mut first, b"three");
    expect(&mut first, b"four");
    first.close().unwrap();
    let mut second = reader(place);
    expect(&mut second, b"three");
    second.rewind();
    expect(&mut second, b"three");
    second.peek_next(&mut in_time()).unwrap().release();
    // A writer that comes now goes on behind all of them.
    writer.close().unwrap();
    self::writer(place).send(b"five").unwrap();
    expect(&mut second, b"five");
    drop(second);
    expect(&mut reader(place), b"five");
}

pub(crate) fn nothing_comes_behind_an_end<H: Harness>(place: &H) {
    let (mut reader, mut first) = (reader(place), writer(place));
    first.send(b"a").unwrap();
    first.end_with(&mut in_time()).unwrap();
    assert_eq!(first.try_send(b"b"), Err(SendError::WouldBlock));
    first.close().unwrap();
    let mut second = writer(place);
    assert_eq!(second.try_send(b"b"), Err(SendError::WouldBlock));
    assert_eq!(second.reserve_with(1, &mut WaitPolicy::non_blocking()).map(drop), Err(SendError::TimedOut));
    assert_eq!(second.send_all_with(&[b"b"], &mut WaitPolicy::non_blocking()), Err((0, SendError::TimedOut)));
    assert_eq!(receive(&mut reader), b"a");
    assert_eq!(second.try_send(b"b"), Err(SendError::WouldBlock));
    // Released, it is over.
    reader.peek().unwrap().release();
    second.try_send(b"b").unwrap();
    assert_eq!(receive(&mut reader), b"b");
    // Removed, it goes on elsewhere.
    second.end_with(&mut in_time()).unwrap();
    second.close().unwrap();
    let mut third = writer(place);
    thread::scope(|scope| {
        scope.spawn(|| third.send_deadline(b"c", soon()).unwrap());
        reader.peek().unwrap().end_session().unwrap();
        drop(reader);
    });
    assert_eq!(receive(&mut self::reader(place)), b"c");
}

pub(crate) fn an_end_is_peeked_at_and_not_received<H: Harness>(place: &H) {
    let (mut reader, mut writer) = (reader(place), writer(place));
    writer.end_with(&mut in_time()).unwrap();
    for _ in 0..2 {
        assert_eq!(reader.try_recv(&mut [0; 8]), Ok(Received::End));
        let end = reader.peek_next(&mut WaitPolicy::non_blocking()).unwrap();
        assert!(end.ends_session() && end.text().is_empty());
        let end = reader.peek_in_place(&mut WaitPolicy::non_blocking()).unwrap();
        assert!(end.ends_session() && end.is_empty());
        assert!(reader.try_peek_next().unwrap().unwrap().ends_session(), "it is never passed over");
        reader.release_peeked();
    }
}

pub(crate) fn messages_up_to_the_end<H: Harness>(place: &H) {
    let (mut reader, mut writer) = (reader(place), writer(place));
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..300 {
                writer.send_deadline(&vec![7; number * 10], soon()).unwrap();
            }
            writer.end_with(&mut in_time()).unwrap();
        });
        let lengths: Vec<_> = reader.messages().map(|message| message.unwrap().len()).collect();
        assert_eq!(lengths, (0..300).map(|number| number * 10).collect::<Vec<_>>());
    });
    assert_eq!(reader.messages().count(), 0, "the end stays");
}

// Sleep: without a wake either would take its next look a second later at best.

pub(crate) fn a_sleeping_reader_is_woken<H: Harness>(place: &H) {
    let (mut reader, mut writer) = (reader(place), writer(place));
    let watch = guest(place);
    for number in 0..20_u32 {
        thread::scope(|scope| {
            let reader = scope.spawn(|| receive(&mut reader));
            until("a reader that sleeps", || watch.ring().reader_parked().load(Ordering::Relaxed) == 1);
            writer.send(&number.to_ne_bytes()).unwrap();
            assert_eq!(reader.join().unwrap(), number.to_ne_bytes());
        });
        assert_eq!(watch.ring().reader_parked().load(Ordering::Relaxed), 0);
    }
}

pub(crate) fn a_sleeping_writer_is_woken<H: Harness>(place: &H) {
    let (mut reader, mut writer) = (reader(place), writer(place));
    let watch = guest(place);
    let block = vec![1; SMALLEST / 4];
    while writer.try_send(&block).is_ok() {}
    for _ in 0..10 {
        thread::scope(|scope| {
            let writer = scope.spawn(|| writer.send_deadline(&block, soon()));
            until("a writer that sleeps", || watch.ring().writer_parked().load(Ordering::Relaxed) == 1);
            while !writer.is_finished() {
                match reader.try_recv(&mut vec![0; SMALLEST / 4]) {
                    Ok(received) => assert_eq!(received, Received::Message(block.len())),
                    met => assert_eq!(met, Err(RecvError::WouldBlock)),
                }
            }
            writer.join().unwrap().unwrap();
        });
        while writer.try_send(&block).is_ok() {}
    }
}

pub(crate) fn what_is_removed_twice_keeps_its_order<H: Harness>(place: &H) {
    let (mut reader, mut writer) = (reader(place), writer(place));
    writer.send_all(&[b"taken", b"one", b"two"]).unwrap();
    assert_eq!(receive(&mut reader), b"taken");
    for round in 0..3 {
        guest(place).remove().unwrap();
        assert_eq!(writer.stranded(), Ok(2 + round));
        reader.close().unwrap();
        reader = self::reader(place);
        writer.recover(&mut in_time()).unwrap();
        assert_eq!(writer.stranded(), Ok(0));
        writer.send(format!("more {round}").as_bytes()).unwrap();
    }
    for expected in [b"one".as_slice(), b"two", b"more 0", b"more 1", b"more 2"] {
        assert_eq!(receive(&mut reader), expected);
    }
    assert_eq!(reader.try_recv(&mut []), Err(RecvError::WouldBlock));
}

pub(crate) fn coalescing_changes_no_message<H: Harness>(place: &H) {
    for coalesce in [true, false] {
        let (mut reader, mut writer) = (reader(place), writer(place));
        reader.coalesce(coalesce);
        thread::scope(|scope| {
            scope.spawn(move || {
                for number in 0..20_000_u32 {
                    writer.send_deadline(&number.to_ne_bytes(), soon()).unwrap();
                }
                writer.close().unwrap();
            });
            for number in 0..20_000_u32 {
                assert_eq!(receive(&mut reader), number.to_ne_bytes());
            }
        });
    }
}

/// Both sides sleep at nearly every record: a wake that is lost costs a sleep's bound each
/// time, and a record that is written over is another one's.
pub(crate) fn hardly_a_look_before_each_sleep<H: Harness>(place: &H) {
    for spins in [0, 1, 20] {
        let (mut reader, mut writer) = (reader(place), writer(place));
        let longest = writer.capacity();
        let message = move |number: u32| number.to_ne_bytes().repeat(1 + number as usize * 7 % (longest / 4));
        thread::scope(|scope| {
            scope.spawn(move || {
                for number in 0..5000 {
                    writer.send_with(&message(number), &mut in_time().spins(spins)).unwrap();
                }
                writer.close().unwrap();
            });
            let mut bytes = vec![0; longest];
            for number in 0..5000 {
                let len = len_of(reader.recv_with(&mut bytes, &mut in_time().spins(spins)).unwrap());
                assert!(bytes[..len] == message(number), "message {number}");
            }
        });
    }
}

pub(crate) fn a_reader_that_leaves_gives_back<H: Harness>(place: &H) {
    let mut writer = writer(place);
    while writer.try_send(&[1; 64]).is_ok() {}
    let mut reader = shm_handoff::Reader::<H::Backend>::open(place.address()).unwrap();
    for _ in 0..3 {
        reader.peek().unwrap().release();
    }
    assert_eq!(writer.try_send(&[2; 64]), Err(SendError::WouldBlock), "three are few: they come with the next ones");
    reader.close().unwrap();
    assert_eq!(writer.try_send(&[2; 64]), Ok(()));
}

/// A piece that is written over another one changes no byte behind it, whatever its length.
pub(crate) fn a_reservation_is_patched_byte_by_byte<H: Harness>(place: &H) {
    let (mut reader, mut writer) = (reader(place), writer(place));
    for len in 0..=20 {
        for at in [0, 4, 8, 12] {
            let mut expected = [1; 32];
            expected[at..at + len].fill(2);
            let mut reserved = writer.reserve(32).unwrap();
            reserved.write_at(0, &[1; 32]);
            reserved.write_at(at, &vec![2; len]);
            reserved.commit();
            assert_eq!(receive(&mut reader), expected, "{len} bytes at {at}");
        }
    }
}

/// What a hostile writer says of a record is looked at before the record is, by each way to take it: one that goes
/// beyond the wrap, one that is longer than any can be, and one of an unknown kind.
pub(crate) fn a_record_that_can_not_be_is_taken_by_nobody<H: Harness>(place: &H) {
    let at = SMALLEST - 64;
    let stranger = guest(place);
    let mut room = vec![0; SMALLEST];
    let records = [(at, 100, 0), (at, 57, 0), (0, SMALLEST / 4 + 8, 0), (0, SMALLEST / 4 + 1, 0), (0, 8, 2), (0, 8, 7)];
    for (offset, len, kind) in records {
        let (mut reader, mut writer) = (reader(place), writer(place));
        while reader.backend().ring().offset(position(&reader)) != offset {
            writer.send(b"8 bytes.").unwrap();
            assert_eq!(reader.recv(&mut room), Ok(Received::Message(8)));
        }
        // All of it is given back: nothing but the record itself is odd.
        assert_eq!(reader.try_recv(&mut room), Err(RecvError::WouldBlock));
        let (ring, position) = (stranger.ring(), position(&reader));
        ring.set_kind(position, kind);
        ring.flag(position).store(u32::try_from(len).unwrap() + 1, Ordering::Release);
        let told = format!("{len} bytes at {offset}, kind {kind}");
        let corrupt = |met: Option<RecvError>| {
            assert!(matches!(met, Some(RecvError::Backend(Error::Corrupt(_)))), "{told}: {met:?}");
        };
        corrupt(reader.recv(&mut room).err());
        corrupt(reader.try_recv(&mut room).err());
        corrupt(reader.peek().err());
        corrupt(reader.try_peek_next().err());
        corrupt(reader.peek_in_place(&mut WaitPolicy::non_blocking()).err());
        corrupt(reader.next_message().err());
        corrupt(reader.end_session().err());
        ring.flag(position).store(0, Ordering::Release);
        reader.close().unwrap();
        writer.close().unwrap();
    }
}

fn position<B: Backend>(reader: &Reader<B>) -> u64 {
    reader.backend().ring().released().load(Ordering::Relaxed)
}
