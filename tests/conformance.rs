//! One suite for every backend: the numbered contract B1 to B8 of the trait,
//! and the protocol on top of it. Each case is a test of its own for each
//! backend; a new backend joins by a `Harness` and one line at the end.
#![cfg(not(model))]

mod common;

use common::{Harness, InProcess, SystemV, soon};
use shm_handoff::backend::Backend;
use shm_handoff::protocol::flag::{EMPTY, FULL};
use shm_handoff::protocol::message::Uncarriable;
use shm_handoff::protocol::{Tick, WaitingFor};
use shm_handoff::sync::Ordering;
use shm_handoff::{Error, Patience, Reader, RecvError, Role, SendError, Writer};
use std::ops::ControlFlow;
use std::thread;
use std::time::{Duration, Instant};

/// Room for any text.
const ROOM: usize = 2048;

fn guest<H: Harness>(place: &H) -> H::Backend {
    H::Backend::open(place.address(), Role::Guest).unwrap()
}

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
    backend.flag().load(Ordering::Acquire)
}

/// What lies in the slot, as a C program would see it.
fn text_of<B: Backend>(backend: &B) -> Vec<u8> {
    let mut text = vec![0; ROOM];
    let len = backend.payload().read_text(&mut text).unwrap();
    text.truncate(len);
    text
}

/// Publishes as a C program does.
fn publish<B: Backend>(backend: &B, flag: u32, text: &[u8]) {
    backend.payload().write_text(text);
    backend.flag().store(flag, Ordering::Release);
}

fn receive<B: Backend>(reader: &mut Reader<B>) -> Vec<u8> {
    let mut text = vec![0; ROOM];
    let len = reader.recv_deadline(&mut text, soon()).unwrap();
    text.truncate(len);
    text
}

fn try_receive<B: Backend>(reader: &mut Reader<B>) -> Result<usize, RecvError> {
    reader.try_recv(&mut [0; ROOM])
}

// B1 to B8.

fn b1_one_memory_for_all_handles<H: Harness>(place: &H) {
    let writer = H::Backend::open(place.address(), Role::Writer).unwrap();
    let reader = H::Backend::open(place.address(), Role::Reader).unwrap();
    let guest = guest(place);
    assert_eq!(flag_of(&guest), EMPTY, "new memory is zero");
    let mut whole = [0xEE; ROOM];
    assert_eq!(guest.payload().read_text(&mut whole), Some(0));
    for handle in [&writer, &reader, &guest] {
        assert_eq!(handle.payload().len(), ROOM);
    }
    publish(&writer, 7, b"seen by all");
    for handle in [&writer, &reader, &guest] {
        assert_eq!(flag_of(handle), 7);
        assert_eq!(text_of(handle), b"seen by all");
    }
}

fn b2_flag_and_text_apart_and_untouched<H: Harness>(place: &H) {
    let mut writer = H::Backend::open(place.address(), Role::Writer).unwrap();
    let mut reader = H::Backend::open(place.address(), Role::Reader).unwrap();
    let full = vec![0xFF; ROOM - 1];
    writer.payload().write_text(&full);
    assert_eq!(flag_of(&writer), EMPTY, "the text does not reach into the flag");
    writer.flag().store(u32::MAX, Ordering::Release);
    assert_eq!(text_of(&reader), full, "nor the flag into the text");
    // Nothing that the backend does itself touches either.
    for handle in [&mut writer, &mut reader] {
        handle.wake();
        handle.sleep(Duration::from_micros(1));
        handle.census().unwrap();
        handle.forget_failure().unwrap();
    }
    let guest = guest(place);
    reader.leave().unwrap();
    writer.leave().unwrap();
    assert_eq!((flag_of(&guest), text_of(&guest)), (u32::MAX, full));
}

fn b3_one_handle_a_seat<H: Harness>(place: &H) {
    for role in [Role::Writer, Role::Reader] {
        let first = H::Backend::open(place.address(), role).unwrap();
        let second = H::Backend::open(place.address(), role).map(drop);
        assert!(
            matches!(second, Err(Error::SeatTaken { role: taken, pid, .. })
            if taken == role && pid == std::process::id()),
            "{second:?}"
        );
        drop(first);
        H::Backend::open(place.address(), role).unwrap().leave().unwrap();
        H::Backend::open(place.address(), role).unwrap();
    }
    let guests = [guest(place), guest(place)];
    let _seated = pair(place);
    drop(guests);
}

fn b3_a_seat_after_detaching<H: Harness>(place: &H) {
    let mut reader = H::Backend::open(place.address(), Role::Reader).unwrap();
    for in_order in [true, false] {
        let writer = H::Backend::open(place.address(), Role::Writer).unwrap();
        let here = reader.census().unwrap();
        assert!(here.peer_seated);
        assert_eq!(here.attached, 2);
        thread::scope(|scope| {
            scope.spawn(move || if in_order { writer.leave().unwrap() } else { drop(writer) });
            let deadline = soon();
            while reader.census().unwrap().peer_seated {
                assert!(Instant::now() < deadline, "the seat was not given back");
            }
            // Who is not seated any more is not attached any more.
            assert_eq!(reader.census().unwrap().attached, 1);
        });
    }
}

fn b4_what_a_leaver_wrote_is_seen<H: Harness>(place: &H) {
    let mut reader = H::Backend::open(place.address(), Role::Reader).unwrap();
    for round in 1..=50_u32 {
        let writer = H::Backend::open(place.address(), Role::Writer).unwrap();
        thread::scope(|scope| {
            scope.spawn(move || {
                // Relaxed: the seat alone orders it.
                writer.flag().store(round, Ordering::Relaxed);
                writer.leave().unwrap();
            });
            let deadline = soon();
            while reader.census().unwrap().peer_seated {
                assert!(Instant::now() < deadline, "the seat was not given back");
            }
            assert_eq!(reader.flag().load(Ordering::Relaxed), round);
        });
    }
}

fn b5_a_dropped_writer_failed<H: Harness>(place: &H) {
    let mut reader = H::Backend::open(place.address(), Role::Reader).unwrap();
    let open = || H::Backend::open(place.address(), Role::Writer).unwrap();
    let mut failed = || reader.census().unwrap().writer_failed;
    assert!(!failed(), "there was none yet");
    let writer = open();
    assert!(!failed(), "it is there");
    drop(writer);
    assert!(failed());
    assert!(failed(), "until further notice");
    let writer = open();
    assert!(!failed(), "the next one is seated");
    writer.leave().unwrap();
    assert!(!failed(), "it left in order");
    drop(open());
    assert!(failed());
    reader.forget_failure().unwrap();
    assert!(!reader.census().unwrap().writer_failed);
    let writer = open();
    reader.forget_failure().unwrap();
    drop(writer);
    assert!(reader.census().unwrap().writer_failed, "nothing is forgotten while a writer is seated");
}

fn b5_a_newcomer_does_not_inherit_a_failure<H: Harness>(place: &H) {
    // Somebody keeps the seats alive, so that there is something to inherit.
    let first = H::Backend::open(place.address(), Role::Reader).unwrap();
    drop(H::Backend::open(place.address(), Role::Writer).unwrap());
    drop(first);
    let mut second = H::Backend::open(place.address(), Role::Reader).unwrap();
    assert!(!second.census().unwrap().writer_failed);
}

fn b6_the_census_tells_the_truth<H: Harness>(place: &H) {
    let mut reader = H::Backend::open(place.address(), Role::Reader).unwrap();
    let told = |reader: &mut H::Backend| {
        let census = reader.census().unwrap();
        (census.peer_seated, census.attached, census.removed)
    };
    assert_eq!(told(&mut reader), (false, 1, false));
    let mut visitor = guest(place);
    assert_eq!(told(&mut reader), (false, 2, false));
    assert!(!visitor.census().unwrap().peer_seated, "a guest has no peer");
    let mut writer = H::Backend::open(place.address(), Role::Writer).unwrap();
    assert_eq!(told(&mut reader), (true, 3, false));
    assert_eq!(told(&mut writer), (true, 3, false));
    drop(visitor);
    assert_eq!(told(&mut reader), (true, 2, false));
    reader.remove().unwrap();
    assert_eq!(told(&mut reader), (true, 2, true));
    assert_eq!(told(&mut writer), (true, 2, true));
    reader.leave().unwrap();
    assert_eq!(told(&mut writer), (false, 1, true));
}

fn b7_sleep_is_bounded<H: Harness>(place: &H) {
    let backend = guest(place);
    let started = Instant::now();
    for micros in [0, 1, 100, 5_000] {
        backend.sleep(Duration::from_micros(micros));
        backend.wake();
    }
    assert!(started.elapsed() < Duration::from_secs(10));
}

fn b8_removed_memory_stays_usable<H: Harness>(place: &H) {
    let mut writer = H::Backend::open(place.address(), Role::Writer).unwrap();
    let mut reader = H::Backend::open(place.address(), Role::Reader).unwrap();
    publish(&writer, FULL, b"old");
    writer.remove().unwrap();
    writer.remove().unwrap();
    assert_eq!((flag_of(&reader), text_of(&reader)), (FULL, b"old".to_vec()));
    let newcomer = guest(place);
    assert_eq!((flag_of(&newcomer), text_of(&newcomer)), (EMPTY, vec![]), "newcomers meet at new memory");
    publish(&newcomer, FULL, b"new");
    // Removing the old one again must not take the new one.
    reader.remove().unwrap();
    reader.reopen().unwrap();
    assert_eq!(text_of(&reader), b"new");
    assert!(!reader.census().unwrap().removed);
    assert_eq!(text_of(&writer), b"old");
    writer.reopen().unwrap();
    assert_eq!(text_of(&writer), b"new");
    // The seats were kept over all of it.
    assert!(reader.census().unwrap().peer_seated && writer.census().unwrap().peer_seated);
    assert!(H::Backend::open(place.address(), Role::Writer).is_err());
}

// The protocol: messages.

fn messages_in_order<H: Harness>(place: &H) {
    let (mut reader, mut writer) = pair(place);
    thread::scope(|scope| {
        scope.spawn(move || {
            for number in 0..500 {
                writer.send_deadline(format!("{number}\n").as_bytes(), soon()).unwrap();
            }
            writer.leave().unwrap();
        });
        for number in 0..500 {
            assert_eq!(receive(&mut reader), format!("{number}\n").into_bytes());
        }
    });
    assert_eq!(try_receive(&mut reader), Err(RecvError::WouldBlock));
}

fn empty_and_longest_text<H: Harness>(place: &H) {
    let (mut reader, mut writer) = pair(place);
    assert_eq!((writer.capacity(), reader.capacity()), (ROOM - 1, ROOM));
    for len in [0, 1, 3, 4, 5, 63, 64, 65, ROOM - 2, ROOM - 1] {
        let text: Vec<u8> = (0..len).map(|at| u8::try_from(at % 255 + 1).unwrap()).collect();
        writer.send_deadline(&text, soon()).unwrap();
        assert_eq!(receive(&mut reader), text, "{len} bytes");
    }
}

fn what_cannot_be_carried_changes_nothing<H: Harness>(place: &H) {
    let (mut reader, mut writer) = pair(place);
    writer.send_deadline(b"before", soon()).unwrap();
    assert_eq!(receive(&mut reader), b"before");
    let refused: [(&[u8], Uncarriable); 3] = [
        (&[b'x'; ROOM], Uncarriable::TooLong { most: ROOM - 1 }),
        (b"a\0b", Uncarriable::Nul { at: 1 }),
        (b"endless\n", Uncarriable::BeginsWithEnd),
    ];
    for (text, why) in refused {
        assert_eq!(writer.try_send(text), Err(SendError::Uncarriable(why)));
        assert_eq!(flag_of(writer.backend()), EMPTY);
        assert_eq!(text_of(writer.backend()), b"before");
    }
    writer.try_send(b"after").unwrap();
    assert_eq!(receive(&mut reader), b"after");
}

/// For segments alone: nothing in a process can write such a text through the
/// library.
fn text_without_a_nul_is_all_of_it(place: &SystemV) {
    let mut reader = reader(place);
    place.attach().scribble(FULL, &[b'x'; ROOM]);
    assert_eq!(reader.look_with(&mut Patience::none()).unwrap().text(), [b'x'; ROOM]);
    assert_eq!(reader.try_recv(&mut [0; ROOM - 1]), Err(RecvError::BufferTooSmall { capacity: ROOM }));
    assert_eq!(receive(&mut reader), [b'x'; ROOM]);
}

fn any_flag_but_zero_is_a_message<H: Harness>(place: &H) {
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

fn a_small_buffer_releases_nothing<H: Harness>(place: &H) {
    let (mut reader, mut writer) = pair(place);
    writer.send_deadline(b"sixsix", soon()).unwrap();
    for room in 0..6 {
        let refused = reader.try_recv(&mut vec![0; room]);
        assert_eq!(refused, Err(RecvError::BufferTooSmall { capacity: ROOM }), "{room} bytes");
        assert_eq!(flag_of(reader.backend()), FULL);
    }
    let mut text = [0; 6];
    assert_eq!(reader.try_recv(&mut text), Ok(6));
    assert_eq!(&text, b"sixsix");
}

fn a_look_releases_nothing<H: Harness>(place: &H) {
    let (mut reader, mut writer) = pair(place);
    writer.send_deadline(b"one", soon()).unwrap();
    for _ in 0..3 {
        assert_eq!(reader.look_with(&mut Patience::none()).unwrap().text(), b"one");
        assert_eq!(writer.try_send(b"two"), Err(SendError::WouldBlock));
    }
    // Not even when the reader goes: the next one sees it again.
    reader.leave().unwrap();
    let mut reader = self::reader(place);
    reader.look_with(&mut Patience::none()).unwrap().release();
    assert_eq!(try_receive(&mut reader), Err(RecvError::WouldBlock));
    writer.try_send(b"two").unwrap();
    assert_eq!(receive(&mut reader), b"two");
}

fn close_removes_and_does_not_release<H: Harness>(place: &H) {
    let (mut reader, mut writer) = pair(place);
    let dying = guest(place);
    writer.send_deadline(b"end\n", soon()).unwrap();
    let end = reader.look_with(&mut Patience::none()).unwrap();
    assert!(end.ends_session());
    end.close().unwrap();
    assert_eq!(flag_of(&dying), FULL);
    assert!(reader.backend().payload().len() == ROOM, "those attached keep it");
    drop(reader);
    drop(dying);
    writer.settle(&mut Patience::until(soon())).unwrap();
    writer.leave().unwrap();
    assert_eq!(flag_of(&guest(place)), EMPTY, "the next session starts afresh");
}

// The protocol: waiting.

fn trying_does_not_wait<H: Harness>(place: &H) {
    let (mut reader, mut writer) = pair(place);
    let started = Instant::now();
    assert_eq!(try_receive(&mut reader), Err(RecvError::WouldBlock));
    writer.try_send(b"a").unwrap();
    assert_eq!(writer.try_send(b"b"), Err(SendError::WouldBlock));
    assert!(started.elapsed() < Duration::from_secs(10));
    assert_eq!(receive(&mut reader), b"a", "the refused one left no trace");
    assert_eq!(try_receive(&mut reader), Err(RecvError::WouldBlock));
}

fn a_deadline_ends_either_wait<H: Harness>(place: &H) {
    let (mut reader, mut writer) = pair(place);
    let wait = Duration::from_millis(20);
    let started = Instant::now();
    assert_eq!(reader.recv_deadline(&mut [0; ROOM], started + wait), Err(RecvError::TimedOut));
    assert!(started.elapsed() >= wait);
    writer.send_deadline(b"a", soon()).unwrap();
    let started = Instant::now();
    assert_eq!(writer.send_deadline(b"b", started + wait), Err(SendError::TimedOut));
    assert!(started.elapsed() >= wait);
    // A deadline that has passed ends no wait that need not be.
    assert_eq!(reader.recv_deadline(&mut [0; ROOM], started), Ok(1));
    assert_eq!(writer.send_deadline(b"b", started), Ok(()));
}

fn the_hook_interrupts_either_wait<H: Harness>(place: &H) {
    let mut reader = reader(place);
    let mut seen = Vec::new();
    let mut hook = |tick: Tick| {
        seen.push(tick.waiting_for);
        if seen.len() < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let met = reader.recv_with(&mut [0; ROOM], &mut Patience::endless().with_hook(&mut hook));
    assert_eq!(met, Err(RecvError::Interrupted));
    assert_eq!(seen, [WaitingFor::Message; 3]);

    let interrupt = |writer: &mut Writer<H::Backend>, expected| {
        let mut hook = |tick: Tick| {
            assert_eq!(tick.waiting_for, expected);
            ControlFlow::Break(())
        };
        let met = writer.send_with(b"x", &mut Patience::endless().with_hook(&mut hook));
        assert_eq!(met, Err(SendError::Interrupted));
    };
    let mut writer = writer(place);
    writer.send_deadline(b"a", soon()).unwrap();
    interrupt(&mut writer, WaitingFor::Room);
    assert_eq!(receive(&mut reader), b"a");
    assert_eq!(try_receive(&mut reader), Err(RecvError::WouldBlock), "the interrupted one was not sent");
    writer.leave().unwrap();
    reader.leave().unwrap();
    interrupt(&mut self::writer(place), WaitingFor::Reader);
}

// The protocol: who is there.

fn no_first_publish_without_a_reader<H: Harness>(place: &H) {
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

fn a_guest_is_waited_for_and_then_served<H: Harness>(place: &H) {
    let mut writer = writer(place);
    let stranger = guest(place);
    assert_eq!(writer.try_send(b"a"), Err(SendError::WouldBlock), "it may be about to wipe the flag");
    let started = Instant::now();
    writer.send_deadline(b"a", soon()).unwrap();
    assert!(started.elapsed() >= Duration::from_millis(40), "it must have been there for 50 ms");
    assert_eq!((flag_of(&stranger), text_of(&stranger)), (FULL, b"a".to_vec()));
    stranger.flag().store(EMPTY, Ordering::Release);
    writer.send_deadline(b"b", soon()).unwrap();
    assert_eq!(text_of(&stranger), b"b");
    drop(stranger);
    assert_eq!(writer.send_deadline(b"c", soon()), Err(SendError::ReaderGone));
}

fn a_reader_that_left_is_noticed<H: Harness>(place: &H) {
    let (reader, mut writer) = pair(place);
    writer.send_deadline(b"a", soon()).unwrap();
    reader.leave().unwrap();
    assert_eq!(writer.send_deadline(b"b", soon()), Err(SendError::ReaderGone));
    // The next reader gets what lies there, and the writer goes on.
    let mut reader = self::reader(place);
    assert_eq!(receive(&mut reader), b"a");
    writer.send_deadline(b"b", soon()).unwrap();
    assert_eq!(receive(&mut reader), b"b");
}

fn a_foreign_writer_that_left_is_noticed<H: Harness>(place: &H) {
    let mut reader = reader(place);
    let limit = soon();
    loop {
        let stranger = guest(place);
        publish(&stranger, FULL, b"a");
        assert_eq!(receive(&mut reader), b"a");
        // Long enough to be seen twice in a row, unless the machine had other
        // things to do: then it was not seen, and its going is no news.
        let short = Instant::now() + Duration::from_millis(60);
        assert_eq!(reader.recv_deadline(&mut [0; ROOM], short), Err(RecvError::TimedOut));
        publish(&stranger, FULL, b"b");
        drop(stranger);
        assert_eq!(receive(&mut reader), b"b", "what it sent comes first");
        let short = Instant::now() + Duration::from_secs(1);
        match reader.recv_deadline(&mut [0; ROOM], short) {
            Err(RecvError::WriterGone) => return,
            other => assert_eq!(other, Err(RecvError::TimedOut)),
        }
        assert!(Instant::now() < limit, "its going was never noticed");
    }
}

fn a_message_found_proves_no_peer<H: Harness>(place: &H) {
    let mut reader = reader(place);
    publish(reader.backend(), FULL, b"from an earlier writer");
    assert_eq!(receive(&mut reader), b"from an earlier writer");
    assert_eq!(
        reader.recv_deadline(&mut [0; ROOM], Instant::now() + Duration::from_millis(60)),
        Err(RecvError::TimedOut),
        "nobody was seen, so nobody has gone"
    );
}

fn a_dropped_writers_message_comes_first<H: Harness>(place: &H) {
    let (mut reader, mut writer) = pair(place);
    writer.send_deadline(b"last", soon()).unwrap();
    drop(writer);
    assert_eq!(receive(&mut reader), b"last");
    assert_eq!(reader.recv_deadline(&mut [0; ROOM], soon()), Err(RecvError::WriterGone));
    assert_eq!(try_receive(&mut reader), Err(RecvError::WriterGone), "until it is followed");
    reader.follow().unwrap();
    assert_eq!(try_receive(&mut reader), Err(RecvError::WouldBlock));
    let mut writer = self::writer(place);
    writer.send_deadline(b"next", soon()).unwrap();
    assert_eq!(receive(&mut reader), b"next");
    drop(writer);
    assert_eq!(reader.recv_deadline(&mut [0; ROOM], soon()), Err(RecvError::WriterGone), "a new failure is seen");
}

fn leaving_in_order_ends_nothing<H: Harness>(place: &H) {
    let mut reader = reader(place);
    for text in [b"one", b"two", b"thr"] {
        let mut writer = writer(place);
        writer.send_deadline(text, soon()).unwrap();
        writer.leave().unwrap();
        assert_eq!(receive(&mut reader), text);
        let short = Instant::now() + Duration::from_millis(15);
        assert_eq!(reader.recv_deadline(&mut [0; ROOM], short), Err(RecvError::TimedOut));
    }
}

fn a_successor_waits_for_its_turn<H: Harness>(place: &H) {
    let (mut reader, mut first) = pair(place);
    first.send_deadline(b"first", soon()).unwrap();
    assert!(matches!(Writer::<H::Backend>::open(place.address()), Err(Error::SeatTaken { role: Role::Writer, .. })));
    first.leave().unwrap();
    let mut second = writer(place);
    assert_eq!(second.try_send(b"second"), Err(SendError::WouldBlock), "the first one's message still lies there");
    assert_eq!(receive(&mut reader), b"first");
    second.send_deadline(b"second", soon()).unwrap();
    assert_eq!(receive(&mut reader), b"second");
}

// The protocol: memory that goes.

fn a_reader_drains_removed_memory<H: Harness>(place: &H) {
    let (mut reader, mut writer) = pair(place);
    writer.send_deadline(b"old", soon()).unwrap();
    guest(place).remove().unwrap();
    assert_eq!(receive(&mut reader), b"old");
    // Both find each other on new memory. What the writer publishes on the old
    // one before it notices is sent again when it leaves.
    thread::scope(|scope| {
        scope.spawn(move || {
            writer.send_deadline(b"new", soon()).unwrap();
            writer.leave().unwrap();
        });
        assert_eq!(receive(&mut reader), b"new");
    });
    assert_eq!(try_receive(&mut reader), Err(RecvError::WouldBlock), "nothing comes twice");
}

fn a_stranded_message_is_sent_again_once<H: Harness>(place: &H) {
    let (reader, mut writer) = pair(place);
    writer.send_deadline(b"stranded", soon()).unwrap();
    guest(place).remove().unwrap();
    assert_eq!(writer.stranded(), Ok(1));
    reader.leave().unwrap();
    let mut reader = self::reader(place);
    thread::scope(|scope| {
        scope.spawn(|| {
            writer.send_deadline(b"next", soon()).unwrap();
            writer.send_deadline(b"last", soon()).unwrap();
        });
        for expected in [b"stranded".as_slice(), b"next", b"last"] {
            assert_eq!(receive(&mut reader), expected);
        }
    });
    assert_eq!(writer.stranded(), Ok(0));
    assert_eq!(try_receive(&mut reader), Err(RecvError::WouldBlock));
}

fn leave_sends_a_stranded_message_again<H: Harness>(place: &H) {
    let (reader, mut writer) = pair(place);
    writer.send_deadline(b"stranded", soon()).unwrap();
    guest(place).remove().unwrap();
    drop(reader);
    let mut reader = self::reader(place);
    thread::scope(|scope| {
        scope.spawn(|| writer.leave().unwrap());
        assert_eq!(receive(&mut reader), b"stranded");
    });
    assert_eq!(try_receive(&mut reader), Err(RecvError::WouldBlock), "once, and left in order");
}

fn settle_can_be_cut_short_and_tried_again<H: Harness>(place: &H) {
    let (reader, mut writer) = pair(place);
    writer.send_deadline(b"stranded", soon()).unwrap();
    guest(place).remove().unwrap();
    drop(reader);
    for _ in 0..2 {
        let short = &mut Patience::until(Instant::now() + Duration::from_millis(10));
        assert_eq!(writer.settle(short), Err(SendError::TimedOut), "nobody is there");
        assert_eq!(writer.stranded(), Ok(1));
    }
    let mut reader = self::reader(place);
    writer.settle(&mut Patience::until(soon())).unwrap();
    assert_eq!(receive(&mut reader), b"stranded");
    writer.leave().unwrap();
    assert_eq!(try_receive(&mut reader), Err(RecvError::WouldBlock));
}

fn mend_moves_to_new_memory<H: Harness>(place: &H) {
    let (reader, mut writer) = pair(place);
    writer.mend(&mut Patience::none()).unwrap();
    writer.send_deadline(b"stranded", soon()).unwrap();
    writer.mend(&mut Patience::none()).unwrap();
    guest(place).remove().unwrap();
    drop(reader);
    let mut reader = self::reader(place);
    writer.mend(&mut Patience::until(soon())).unwrap();
    assert_eq!(receive(&mut reader), b"stranded");
    guest(place).remove().unwrap();
    // With nothing stranded it moves all the same.
    writer.mend(&mut Patience::none()).unwrap();
    assert_eq!(flag_of(&guest(place)), EMPTY);
    publish(writer.backend(), FULL, b"here");
    assert_eq!(text_of(&guest(place)), b"here");
}

fn an_end_on_removed_memory_was_received<H: Harness>(place: &H) {
    let (mut reader, mut writer) = pair(place);
    writer.send_deadline(b"end\n", soon()).unwrap();
    reader.look_with(&mut Patience::none()).unwrap().close().unwrap();
    assert_eq!(writer.stranded(), Ok(0));
    // Though the reader is still attached, nothing needs to be waited for.
    writer.settle(&mut Patience::none()).unwrap();
    writer.leave().unwrap();
    assert_eq!(flag_of(&guest(place)), EMPTY);
}

fn what_is_removed_twice_keeps_its_order<H: Harness>(place: &H) {
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
        reader.leave().unwrap();
        reader = self::reader(place);
        let limit = soon();
        while flag_of(reader.backend()) == EMPTY {
            assert!(Instant::now() < limit, "it was never sent again");
            assert_eq!(writer.send_deadline(b"two", short()), Err(SendError::TimedOut));
        }
        assert_eq!(text_of(reader.backend()), b"one");
        guest(place).remove().unwrap();
    }
    reader.leave().unwrap();
    let mut reader = self::reader(place);
    thread::scope(|scope| {
        scope.spawn(|| writer.send_deadline(b"two", soon()).unwrap());
        assert_eq!(receive(&mut reader), b"one");
        assert_eq!(receive(&mut reader), b"two");
    });
    assert_eq!(try_receive(&mut reader), Err(RecvError::WouldBlock));
}

fn a_foreign_peer_is_forgotten_on_new_memory<H: Harness>(place: &H) {
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

/// Each case as a test, on a fresh place.
macro_rules! conforms {
    ($harness:ty; $($case:ident)*) => {
        $(
            #[test]
            fn $case() {
                crate::$case(&<$harness as crate::Harness>::fresh());
            }
        )*
    };
}

macro_rules! suite {
    ($($backend:ident: $harness:ty;)*) => {
        $(mod $backend { conforms! { $harness;
            b1_one_memory_for_all_handles
            b2_flag_and_text_apart_and_untouched
            b3_one_handle_a_seat
            b3_a_seat_after_detaching
            b4_what_a_leaver_wrote_is_seen
            b5_a_dropped_writer_failed
            b5_a_newcomer_does_not_inherit_a_failure
            b6_the_census_tells_the_truth
            b7_sleep_is_bounded
            b8_removed_memory_stays_usable
            messages_in_order
            empty_and_longest_text
            what_cannot_be_carried_changes_nothing
            any_flag_but_zero_is_a_message
            a_small_buffer_releases_nothing
            a_look_releases_nothing
            close_removes_and_does_not_release
            trying_does_not_wait
            a_deadline_ends_either_wait
            the_hook_interrupts_either_wait
            no_first_publish_without_a_reader
            a_guest_is_waited_for_and_then_served
            a_reader_that_left_is_noticed
            a_foreign_writer_that_left_is_noticed
            a_message_found_proves_no_peer
            a_dropped_writers_message_comes_first
            leaving_in_order_ends_nothing
            a_successor_waits_for_its_turn
            a_reader_drains_removed_memory
            a_stranded_message_is_sent_again_once
            leave_sends_a_stranded_message_again
            settle_can_be_cut_short_and_tried_again
            mend_moves_to_new_memory
            an_end_on_removed_memory_was_received
            what_is_removed_twice_keeps_its_order
            a_foreign_peer_is_forgotten_on_new_memory
        }})*
    };
}

suite! {
    inproc: crate::InProcess;
    sysv: crate::SystemV;
}

mod sysv_alone {
    conforms! { crate::SystemV; text_without_a_nul_is_all_of_it }
}
