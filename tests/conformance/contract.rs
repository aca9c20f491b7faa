//! B1 to B10: what a backend promises.

use crate::common::{Harness, soon};
use crate::{got, guest, put, until};
use shm_handoff::backend::memory::RingView;
use shm_handoff::backend::memory::offsets::ring::SMALLEST;
use shm_handoff::backend::{Backend, Layout};
use shm_handoff::inside::slot::flag::EMPTY;
use shm_handoff::sync::{AtomicU32, Ordering};
use shm_handoff::{Error, Role};
use std::thread;
use std::time::{Duration, Instant};

/// Room for any text.
const ROOM: usize = 2048;

/// So long that only who is woken comes back before a test gives up.
const LONG: Duration = Duration::from_secs(60);

fn text_of<B: Backend>(backend: &B) -> Vec<u8> {
    let mut text = vec![0; ROOM];
    let len = backend.slot().text.read_text(&mut text).unwrap();
    text.truncate(len);
    text
}

pub(crate) fn b1_one_memory_for_all_handles<H: Harness>(place: &H) {
    let writer = H::Backend::open(place.address(), Role::Writer).unwrap();
    let reader = H::Backend::open(place.address(), Role::Reader).unwrap();
    let guest = guest(place);
    assert_eq!(got(&guest), EMPTY, "new memory is zero");
    let mut whole = [0xEE; ROOM];
    assert_eq!(guest.slot().text.read_text(&mut whole), Some(0));
    for handle in [&writer, &reader, &guest] {
        assert_eq!(handle.slot().text.len(), ROOM);
    }
    writer.slot().text.write_text(b"seen by all");
    put(&writer, 7);
    for handle in [&writer, &reader, &guest] {
        assert_eq!(got(handle), 7);
        assert_eq!(text_of(handle), b"seen by all");
    }
}

pub(crate) fn b2_flag_and_text_apart_and_untouched<H: Harness>(place: &H) {
    let mut writer = H::Backend::open(place.address(), Role::Writer).unwrap();
    let mut reader = H::Backend::open(place.address(), Role::Reader).unwrap();
    let full = vec![0xFF; ROOM - 1];
    writer.slot().text.write_text(&full);
    assert_eq!(got(&writer), EMPTY, "the text does not reach into the flag");
    writer.slot().flag.store(u32::MAX, Ordering::Release);
    assert_eq!(text_of(&reader), full, "nor the flag into the text");
    // Nothing that the backend does itself touches either.
    for handle in [&mut writer, &mut reader] {
        handle.wake();
        handle.sleep(Duration::from_micros(1));
        handle.status().unwrap();
        handle.forget_failure().unwrap();
    }
    let guest = guest(place);
    reader.leave().unwrap();
    writer.leave().unwrap();
    assert_eq!((got(&guest), text_of(&guest)), (u32::MAX, full));
}

pub(crate) fn b3_one_handle_a_seat<H: Harness>(place: &H) {
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
    let _seated = [Role::Writer, Role::Reader].map(|role| H::Backend::open(place.address(), role).unwrap());
    drop(guests);
}

pub(crate) fn b3_a_seat_after_detaching<H: Harness>(place: &H) {
    let mut reader = H::Backend::open(place.address(), Role::Reader).unwrap();
    for in_order in [true, false] {
        let writer = H::Backend::open(place.address(), Role::Writer).unwrap();
        let here = reader.status().unwrap();
        assert!(here.peer_seated);
        assert_eq!(here.attached, 2);
        thread::scope(|scope| {
            scope.spawn(move || if in_order { writer.leave().unwrap() } else { drop(writer) });
            let deadline = soon();
            while reader.status().unwrap().peer_seated {
                assert!(Instant::now() < deadline, "the seat was not given back");
            }
            // Who is not seated any more is not attached any more.
            assert_eq!(reader.status().unwrap().attached, 1);
        });
    }
}

pub(crate) fn b4_what_a_leaver_wrote_is_seen<H: Harness>(place: &H) {
    let mut reader = H::Backend::open(place.address(), Role::Reader).unwrap();
    for round in 1..=50_u32 {
        let writer = H::Backend::open(place.address(), Role::Writer).unwrap();
        thread::scope(|scope| {
            scope.spawn(move || {
                // Relaxed: the seat alone orders it.
                put(&writer, round);
                writer.leave().unwrap();
            });
            let deadline = soon();
            while reader.status().unwrap().peer_seated {
                assert!(Instant::now() < deadline, "the seat was not given back");
            }
            assert_eq!(got(&reader), round);
        });
    }
}

pub(crate) fn b5_a_dropped_writer_failed<H: Harness>(place: &H) {
    let mut reader = H::Backend::open(place.address(), Role::Reader).unwrap();
    let open = || H::Backend::open(place.address(), Role::Writer).unwrap();
    let mut failed = || reader.status().unwrap().writer_failed;
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
    assert!(!reader.status().unwrap().writer_failed);
    let writer = open();
    reader.forget_failure().unwrap();
    drop(writer);
    assert!(reader.status().unwrap().writer_failed, "nothing is forgotten while a writer is seated");
}

pub(crate) fn b5_a_newcomer_does_not_inherit_a_failure<H: Harness>(place: &H) {
    // Somebody keeps the seats alive, so that there is something to inherit.
    let first = H::Backend::open(place.address(), Role::Reader).unwrap();
    drop(H::Backend::open(place.address(), Role::Writer).unwrap());
    drop(first);
    let mut second = H::Backend::open(place.address(), Role::Reader).unwrap();
    assert!(!second.status().unwrap().writer_failed);
}

pub(crate) fn b6_the_status_tells_the_truth<H: Harness>(place: &H) {
    let mut reader = H::Backend::open(place.address(), Role::Reader).unwrap();
    let told = |reader: &mut H::Backend| {
        let status = reader.status().unwrap();
        (status.peer_seated, status.attached, status.removed)
    };
    assert_eq!(told(&mut reader), (false, 1, false));
    let mut visitor = guest(place);
    assert_eq!(told(&mut reader), (false, 2, false));
    assert!(!visitor.status().unwrap().peer_seated, "a guest has no peer");
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

pub(crate) fn b7_sleep_is_bounded<H: Harness>(place: &H) {
    let backend = guest(place);
    let started = Instant::now();
    for micros in [0, 1, 100, 5_000] {
        backend.sleep(Duration::from_micros(micros));
        backend.wake();
    }
    assert!(started.elapsed() < Duration::from_secs(10));
}

pub(crate) fn b8_removed_memory_stays_usable<H: Harness>(place: &H) {
    let mut writer = H::Backend::open(place.address(), Role::Writer).unwrap();
    let mut reader = H::Backend::open(place.address(), Role::Reader).unwrap();
    put(&writer, 8);
    writer.remove().unwrap();
    writer.remove().unwrap();
    assert_eq!(got(&reader), 8);
    let newcomer = guest(place);
    assert_eq!(got(&newcomer), 0, "newcomers meet at new memory");
    put(&newcomer, 16);
    // Removing the old one again must not take the new one.
    reader.remove().unwrap();
    reader.reopen().unwrap();
    assert_eq!(got(&reader), 16);
    assert!(!reader.status().unwrap().removed);
    assert_eq!(got(&writer), 8);
    writer.reopen().unwrap();
    assert_eq!(got(&writer), 16);
    assert_eq!((reader.layout(), writer.layout()), (newcomer.layout(), newcomer.layout()));
    // The seats were kept over all of it.
    assert!(reader.status().unwrap().peer_seated && writer.status().unwrap().peer_seated);
    assert!(H::Backend::open(place.address(), Role::Writer).is_err());
}

/// All of a ring's words, flags last.
fn words(ring: RingView<'_>) -> Vec<u64> {
    let header = [ring.head(), ring.released()].map(|word| word.load(Ordering::Relaxed));
    let parked = [ring.reader_parked(), ring.writer_parked()].map(|word| word.load(Ordering::Relaxed).into());
    let flags = (0..SMALLEST as u64).step_by(8).map(|at| ring.flag(at).load(Ordering::Relaxed).into());
    header.into_iter().chain(parked).chain(flags).collect()
}

pub(crate) fn b9_one_ring_for_all_handles<H: Harness>(place: &H) {
    let writer = H::Backend::open(place.address(), Role::Writer).unwrap();
    let reader = H::Backend::open(place.address(), Role::Reader).unwrap();
    let guest = guest(place);
    for handle in [&writer, &reader, &guest] {
        assert_eq!(handle.layout(), Layout::Ring { capacity: SMALLEST });
        assert_eq!((handle.ring().capacity(), handle.ring().longest()), (SMALLEST, SMALLEST / 4));
        assert!(words(handle.ring()).iter().all(|word| *word == 0), "new memory is zero");
    }
    let ring = writer.ring();
    ring.head().store(1 << 40, Ordering::Relaxed);
    ring.released().store(2 << 40, Ordering::Relaxed);
    ring.reader_parked().store(3, Ordering::Relaxed);
    ring.writer_parked().store(4, Ordering::Relaxed);
    for at in (0..SMALLEST as u64).step_by(8) {
        ring.flag(at).store(u32::try_from(at).unwrap() + 5, Ordering::Relaxed);
    }
    let expected: Vec<u64> =
        [1 << 40, 2 << 40, 3, 4].into_iter().chain((0..SMALLEST as u64).step_by(8).map(|at| at + 5)).collect();
    for handle in [&writer, &reader, &guest] {
        assert_eq!(words(handle.ring()), expected);
    }
}

pub(crate) fn b9_words_apart_and_untouched<H: Harness>(place: &H) {
    let mut writer = H::Backend::open(place.address(), Role::Writer).unwrap();
    let mut reader = H::Backend::open(place.address(), Role::Reader).unwrap();
    let ring = writer.ring();
    ring.head().store(u64::MAX, Ordering::Relaxed);
    ring.released().store(u64::MAX, Ordering::Relaxed);
    ring.reader_parked().store(u32::MAX, Ordering::Relaxed);
    ring.writer_parked().store(u32::MAX, Ordering::Relaxed);
    let before = words(ring);
    for handle in [&mut writer, &mut reader] {
        handle.park(handle.ring().reader_parked(), Duration::from_micros(1));
        handle.unpark(handle.ring().reader_parked());
        handle.wake();
        handle.sleep(Duration::from_micros(1));
        handle.status().unwrap();
        handle.forget_failure().unwrap();
    }
    let guest = guest(place);
    reader.leave().unwrap();
    writer.leave().unwrap();
    assert_eq!(words(guest.ring()), before);
}

pub(crate) fn b10_park_returns_unless_the_word_is_set<H: Harness>(place: &H) {
    let backend = guest(place);
    let started = Instant::now();
    for other in [0, 2, u32::MAX] {
        backend.ring().reader_parked().store(other, Ordering::Relaxed);
        backend.park(backend.ring().reader_parked(), LONG);
    }
    // Set, and for a short time.
    for parked in [backend.ring().reader_parked(), backend.ring().writer_parked()] {
        parked.store(1, Ordering::Relaxed);
        backend.park(parked, Duration::from_millis(1));
        assert!(!backend.unpark(parked), "nobody sleeps");
    }
    assert!(started.elapsed() < LONG / 2);
}

/// The parked word of either side.
fn parked_word_of(ring: RingView<'_>, role: Role) -> &AtomicU32 {
    if role == Role::Reader { ring.reader_parked() } else { ring.writer_parked() }
}

pub(crate) fn b10_unpark_says_whether_anybody_slept<H: Harness>(place: &H) {
    let here = guest(place);
    let parked = parked_word_of(here.ring(), Role::Reader);
    parked.store(1, Ordering::Relaxed);
    assert!(!here.unpark(parked), "nobody sleeps");
    // It can wake by itself just before.
    until("a sleeper that was woken", || {
        let there = guest(place);
        thread::scope(|scope| {
            let sleeper = scope.spawn(move || there.park(parked_word_of(there.ring(), Role::Reader), LONG));
            loop {
                if here.unpark(parked) {
                    return true;
                }
                if sleeper.is_finished() {
                    return false;
                }
                thread::yield_now();
            }
        })
    });
}

pub(crate) fn b10_unpark_wakes_who_is_parked<H: Harness>(place: &H) {
    let here = guest(place);
    for (role, other) in [(Role::Reader, Role::Writer), (Role::Writer, Role::Reader)] {
        let there = guest(place);
        let parked = parked_word_of(here.ring(), role);
        parked.store(1, Ordering::Relaxed);
        let started = Instant::now();
        thread::scope(|scope| {
            let sleeper = scope.spawn(move || there.park(parked_word_of(there.ring(), role), LONG));
            until("somebody to wake, or awake", || {
                assert!(!here.unpark(parked_word_of(here.ring(), other)), "nobody sleeps on that one");
                here.unpark(parked) || sleeper.is_finished()
            });
        });
        assert!(started.elapsed() < LONG / 2, "it slept on");
    }
}

/// The look at the parked word and falling asleep are one step.
pub(crate) fn b10_no_wake_is_lost<H: Harness>(place: &H) {
    let (here, there) = (guest(place), guest(place));
    let started = Instant::now();
    thread::scope(|scope| {
        scope.spawn(move || {
            for _ in 0..200 {
                let parked = there.ring().writer_parked();
                parked.store(1, Ordering::SeqCst);
                while parked.load(Ordering::SeqCst) == 1 {
                    there.park(parked, LONG);
                }
            }
        });
        for _ in 0..200 {
            let parked = here.ring().writer_parked();
            until("a sleeper", || parked.load(Ordering::SeqCst) == 1);
            parked.store(0, Ordering::SeqCst);
            here.unpark(parked);
        }
    });
    assert!(started.elapsed() < LONG, "a wake was lost");
}
