//! The protocol in a classic slot: what the other layout does not have.

use crate::common::{Harness, SystemV, len_of, soon};
use crate::guest;
use shm_handoff::backend::{Backend, Layout};
use shm_handoff::error::Unsendable;
use shm_handoff::inside::slot::flag::{EMPTY, FULL};
use shm_handoff::sync::Ordering;
use shm_handoff::{Error, Received, RecvError, Ring, SendError, Slot, WaitPolicy};
use std::ops::ControlFlow;
use std::thread;
use std::time::{Duration, Instant};

type Reader<B> = shm_handoff::Reader<B, Slot>;
type Writer<B> = shm_handoff::Writer<B, Slot>;

/// Room for any text.
const ROOM: usize = 2048;

fn reader<H: Harness>(place: &H) -> Reader<H::Backend> {
    Reader::open(place.address()).unwrap()
}

fn writer<H: Harness>(place: &H) -> Writer<H::Backend> {
    Writer::open(place.address()).unwrap()
}

fn pair<H: Harness>(place: &H) -> (Reader<H::Backend>, Writer<H::Backend>) {
    (reader(place), writer(place))
}

fn flag_of<B: Backend>(backend: &B) -> u32 {
    backend.slot().flag.load(Ordering::Acquire)
}

/// What lies in the slot, as a C program would see it.
fn text_of<B: Backend>(backend: &B) -> Vec<u8> {
    let mut text = vec![0; ROOM];
    let len = backend.slot().text.read_text(&mut text).unwrap();
    text.truncate(len);
    text
}

/// Publishes as a C program does.
fn publish<B: Backend>(backend: &B, flag: u32, text: &[u8]) {
    backend.slot().text.write_text(text);
    backend.slot().flag.store(flag, Ordering::Release);
}

fn receive<B: Backend>(reader: &mut Reader<B>) -> Vec<u8> {
    let mut text = vec![0; ROOM];
    let len = len_of(reader.recv_deadline(&mut text, soon()).unwrap());
    text.truncate(len);
    text
}

fn try_receive<B: Backend>(reader: &mut Reader<B>) -> Result<Received, RecvError> {
    reader.try_recv(&mut [0; ROOM])
}

pub(crate) fn empty_and_longest_text<H: Harness>(place: &H) {
    let (mut reader, mut writer) = pair(place);
    assert_eq!((writer.capacity(), reader.capacity()), (ROOM - 1, ROOM));
    for len in [0, 1, 3, 4, 5, 63, 64, 65, ROOM - 2, ROOM - 1] {
        let text: Vec<u8> = (0..len).map(|at| u8::try_from(at % 255 + 1).unwrap()).collect();
        writer.send_deadline(&text, soon()).unwrap();
        assert_eq!(receive(&mut reader), text, "{len} bytes");
    }
}

pub(crate) fn what_cannot_be_carried_changes_nothing<H: Harness>(place: &H) {
    let (mut reader, mut writer) = pair(place);
    writer.send_deadline(b"before", soon()).unwrap();
    assert_eq!(receive(&mut reader), b"before");
    let refused: [(&[u8], Unsendable); 3] = [
        (&[b'x'; ROOM], Unsendable::TooLong { most: ROOM - 1 }),
        (b"a\0b", Unsendable::Nul { at: 1 }),
        (b"endless\n", Unsendable::BeginsWithEnd),
    ];
    for (text, why) in refused {
        assert_eq!(writer.try_send(text), Err(SendError::Unsendable(why)));
        assert_eq!(flag_of(writer.backend()), EMPTY);
        assert_eq!(text_of(writer.backend()), b"before");
    }
    writer.try_send(b"after").unwrap();
    assert_eq!(receive(&mut reader), b"after");
}

/// For segments alone: nothing in a process can write such a text through the
/// library.
pub(crate) fn text_without_a_nul_is_all_of_it(place: &SystemV) {
    let mut reader = reader(place);
    place.attach().scribble(FULL, &[b'x'; ROOM]);
    assert_eq!(reader.peek_with(&mut WaitPolicy::non_blocking()).unwrap().text(), [b'x'; ROOM]);
    assert_eq!(reader.try_recv(&mut [0; ROOM - 1]), Err(RecvError::BufferTooSmall { capacity: ROOM }));
    assert_eq!(receive(&mut reader), [b'x'; ROOM]);
}

pub(crate) fn any_flag_but_zero_is_a_message<H: Harness>(place: &H) {
    let (mut reader, mut writer) = pair(place);
    writer.send_deadline(b"ours", soon()).unwrap();
    assert_eq!(flag_of(writer.backend()), 1, "we write 1 and nothing else");
    assert_eq!(receive(&mut reader), b"ours");
    for flag in [2, (-1_i32).cast_unsigned(), 0x100, 0x8000_0000] {
        publish(writer.backend(), flag, b"theirs");
        assert_eq!(writer.try_send(b"x"), Err(SendError::WouldBlock), "flag {flag} is nothing to write over");
        assert_eq!(receive(&mut reader), b"theirs");
        assert_eq!(flag_of(writer.backend()), EMPTY);
    }
}

/// The hook ends the wait while it spins, and the look around that comes next finds the memory removed.
pub(crate) fn what_the_hook_said_holds_on_new_memory<H: Harness>(place: &H) {
    let (mut reader, mut writer) = pair(place);
    writer.send_deadline(b"x", soon()).unwrap();
    reader.peek_with(&mut WaitPolicy::deadline(soon())).unwrap().end_session().unwrap();
    drop(reader);
    let mut asked = 0;
    let mut hook = |_| {
        asked += 1;
        if asked == 1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let policy = &mut WaitPolicy::deadline(soon()).on_tick(&mut hook);
    assert_eq!(writer.send_with(b"y", policy), Err(SendError::Interrupted));
}

pub(crate) fn no_first_publish_without_a_reader<H: Harness>(place: &H) {
    let mut writer = writer(place);
    for _ in 0..3 {
        assert_eq!(writer.try_send(b"a"), Err(SendError::WouldBlock));
    }
    let deadline = Instant::now() + Duration::from_millis(80);
    assert_eq!(writer.send_deadline(b"a", deadline), Err(SendError::TimedOut));
    assert_eq!(flag_of(writer.backend()), EMPTY);
    let mut reader = reader(place);
    writer.try_send(b"a").unwrap();
    assert_eq!(receive(&mut reader), b"a");
}

pub(crate) fn a_guest_is_waited_for_and_then_served<H: Harness>(place: &H) {
    let mut writer = writer(place);
    let stranger = guest(place);
    assert_eq!(writer.try_send(b"a"), Err(SendError::WouldBlock), "it may be about to wipe the flag");
    let started = Instant::now();
    writer.send_deadline(b"a", soon()).unwrap();
    assert!(started.elapsed() >= Duration::from_millis(40), "it must have been there for 50 ms");
    assert_eq!((flag_of(&stranger), text_of(&stranger)), (FULL, b"a".to_vec()));
    stranger.slot().flag.store(EMPTY, Ordering::Release);
    let started = Instant::now();
    writer.send_deadline(b"b", soon()).unwrap();
    assert!(started.elapsed() >= Duration::from_millis(5), "a C reader looks at the slot once more (D3)");
    assert_eq!(text_of(&stranger), b"b");
    drop(stranger);
    assert_eq!(writer.send_deadline(b"c", soon()), Err(SendError::ReaderGone));
}

pub(crate) fn a_foreign_writer_that_left_is_noticed<H: Harness>(place: &H) {
    let mut reader = reader(place);
    for attempt in 1..20 {
        let stranger = guest(place);
        publish(&stranger, FULL, b"a");
        assert_eq!(receive(&mut reader), b"a");
        // Long enough to be seen twice in a row, unless the machine had other
        // things to do (a yield can take as long as others have work): then it was
        // not seen, and its going is no news.
        let short = Instant::now() + Duration::from_millis(60 * attempt);
        assert_eq!(reader.recv_deadline(&mut [0; ROOM], short), Err(RecvError::TimedOut));
        publish(&stranger, FULL, b"b");
        drop(stranger);
        assert_eq!(receive(&mut reader), b"b", "what it sent comes first");
        let short = Instant::now() + Duration::from_secs(1);
        match reader.recv_deadline(&mut [0; ROOM], short) {
            Err(RecvError::WriterGone) => return,
            other => assert_eq!(other, Err(RecvError::TimedOut)),
        }
    }
    panic!("its going was never noticed");
}

pub(crate) fn a_message_found_proves_no_peer<H: Harness>(place: &H) {
    let mut reader = reader(place);
    publish(reader.backend(), FULL, b"from an earlier writer");
    assert_eq!(receive(&mut reader), b"from an earlier writer");
    assert_eq!(
        reader.recv_deadline(&mut [0; ROOM], Instant::now() + Duration::from_millis(60)),
        Err(RecvError::TimedOut),
        "nobody was seen, so nobody has gone"
    );
}

pub(crate) fn flush_can_be_cut_short_and_tried_again<H: Harness>(place: &H) {
    let (reader, mut writer) = pair(place);
    writer.send_deadline(b"stranded", soon()).unwrap();
    guest(place).remove().unwrap();
    drop(reader);
    for _ in 0..2 {
        let short = &mut WaitPolicy::deadline(Instant::now() + Duration::from_millis(10));
        assert_eq!(writer.flush(short), Err(SendError::TimedOut), "nobody is there");
        assert_eq!(writer.stranded(), Ok(1));
    }
    let mut reader = self::reader(place);
    writer.flush(&mut WaitPolicy::deadline(soon())).unwrap();
    assert_eq!(receive(&mut reader), b"stranded");
    writer.close().unwrap();
    assert_eq!(try_receive(&mut reader), Err(RecvError::WouldBlock));
}

pub(crate) fn what_is_removed_twice_keeps_its_order<H: Harness>(place: &H) {
    let (mut reader, mut writer) = pair(place);
    let short = || Instant::now() + Duration::from_millis(10);
    writer.send_deadline(b"one", soon()).unwrap();
    guest(place).remove().unwrap();
    assert_eq!(
        writer.send_deadline(b"two", short()),
        Err(SendError::TimedOut),
        "what lies there is the reader's to take while it is attached"
    );
    for _ in 0..2 {
        // Sent again, onto memory that goes as well.
        reader.close().unwrap();
        reader = self::reader(place);
        let limit = soon();
        while flag_of(reader.backend()) == EMPTY {
            assert!(Instant::now() < limit, "it was never sent again");
            assert_eq!(writer.send_deadline(b"two", short()), Err(SendError::TimedOut));
        }
        assert_eq!(text_of(reader.backend()), b"one");
        guest(place).remove().unwrap();
    }
    reader.close().unwrap();
    let mut reader = self::reader(place);
    thread::scope(|scope| {
        scope.spawn(|| writer.send_deadline(b"two", soon()).unwrap());
        assert_eq!(receive(&mut reader), b"one");
        assert_eq!(receive(&mut reader), b"two");
    });
    assert_eq!(try_receive(&mut reader), Err(RecvError::WouldBlock));
}

pub(crate) fn a_foreign_peer_is_forgotten_on_new_memory<H: Harness>(place: &H) {
    let mut reader = reader(place);
    let stranger = guest(place);
    let short = Instant::now() + Duration::from_millis(60);
    assert_eq!(reader.recv_deadline(&mut [0; ROOM], short), Err(RecvError::TimedOut));
    guest(place).remove().unwrap();
    let short = Instant::now() + Duration::from_millis(60);
    assert_eq!(reader.recv_deadline(&mut [0; ROOM], short), Err(RecvError::TimedOut), "it is alone there, and waits");
    drop(stranger);
    assert_eq!(try_receive(&mut reader), Err(RecvError::WouldBlock));
}

pub(crate) fn a_slot_is_no_ring<H: Harness>(place: &H) {
    let met = shm_handoff::Writer::<H::Backend, Ring>::open(place.address()).map(drop);
    assert!(matches!(met, Err(Error::WrongLayout { found: Layout::Slot, wanted: "a ring" })), "{met:?}");
    let met = shm_handoff::Reader::<H::Backend, Ring>::open(place.address()).map(drop);
    assert!(matches!(met, Err(Error::WrongLayout { found: Layout::Slot, wanted: "a ring" })), "{met:?}");
    // Neither keeps the seat.
    pair(place);
}

pub(crate) fn received_into_the_callers_own<H: Harness>(place: &H) {
    let (mut reader, mut writer) = pair(place);
    for text in
        [b"four".as_slice(), b"", b"seventy: longer than what lies beside the flag in the first line of 64 bytes"]
    {
        writer.send(text).unwrap();
        let mut own = [0xEE; ROOM];
        assert_eq!(reader.recv(&mut own), Ok(Received::Message(text.len())));
        assert_eq!(own[..text.len()], *text);
    }
}
