//! Sending and receiving that need not wait make no system call and allocate
//! nothing: counted, in a child process each, over many messages.
//!
//! The child lets a seccomp filter trap every system call of its thread; the
//! handler counts. Allocations are counted by the allocator. That both counters
//! count is tested first.
//!
//! And what it does where a sandbox refuses the system call that spares a ring its
//! fences.
#![cfg(all(not(model), target_arch = "x86_64"))]

#[path = "../common/mod.rs"]
mod common;
#[path = "../support/seccomp.rs"]
mod seccomp;
mod trap;

use common::{Harness, InProcess, SystemV};
use shm_handoff::backend::Backend;
use shm_handoff::backend::memory::offsets::ring::SMALLEST;
use shm_handoff::backend::sysv::SysV;
use shm_handoff::{Reader, Received, RecvError, Ring, WaitPolicy, Writer};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ops::ControlFlow;
use std::process::Command;
use std::sync::atomic::Ordering;

/// The system's allocator, and a count.
struct Counting;

std::thread_local! {
    // Of this thread alone: the test harness has one of its own, which allocates when it likes.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    // (A thread that ends may still allocate.)
    let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: all is the system allocator's, whose promises these are.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Set in the child.
const CHILD: &str = "SHM_HANDOFF_COST_CHILD";

/// Messages that are sent and received.
const ROUNDS: usize = 10_000;

/// Runs this test once more in a process of its own, where `prepare` makes what is
/// measured, and the place where that meets. Returns the number of system calls, what
/// the first of them was, and the number of allocations.
fn counted<P, M: FnMut()>(test: &str, prepare: impl FnOnce() -> (P, M)) -> [u64; 3] {
    if std::env::var_os(CHILD).is_some() {
        let (place, mut measured) = prepare();
        // Once before: what is set up by the first use is no cost of every one.
        measured();
        // The process will end at once, and leave nothing: those attached keep the
        // memory, and a side that need not wait does not look whether it was removed.
        drop(place);
        trap::arm();
        let before = ALLOCATIONS.get();
        measured();
        let [calls, first] = trap::counted();
        let allocations = ALLOCATIONS.get() - before;
        trap::report([calls, first, allocations]);
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    let output = child.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(CHILD, "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let counts = said.lines().find_map(|line| line.strip_prefix(trap::REPORT));
    let counts: Vec<u64> = counts
        .unwrap_or_else(|| panic!("no counts: {}\n{said}\n{}", output.status, String::from_utf8_lossy(&output.stderr)))
        .split_whitespace()
        .map(|count| count.parse().unwrap())
        .collect();
    counts.try_into().unwrap()
}

#[test]
fn what_is_counted_is_counted() {
    let counts = counted("what_is_counted_is_counted", || {
        let measured = || {
            for _ in 0..3 {
                // SAFETY: takes nothing and touches nothing.
                unsafe { libc::syscall(libc::SYS_getppid) };
            }
            for _ in 0..5 {
                std::hint::black_box(Box::new(1));
            }
        };
        ((), measured)
    });
    assert_eq!(counts, [3, libc::SYS_getppid.cast_unsigned(), 5]);
}

/// Whichever layout is met, one message at a time.
fn through_either<H: Harness>(test: &str, make: impl FnOnce() -> H) {
    let counts = counted(test, || {
        let place = make();
        let mut reader = Reader::<H::Backend>::open(place.address()).unwrap();
        let mut writer = Writer::<H::Backend>::open(place.address()).unwrap();
        let mut room = vec![0; 2048];
        let measured = move || {
            for round in 0..ROUNDS {
                let len = round * 7 % 2000;
                writer.send_with(&[b'x'; 2000][..len], &mut WaitPolicy::forever()).unwrap();
                assert!(reader.recv_with(&mut room, &mut WaitPolicy::forever()) == Ok(Received::Message(len)));
                writer.send_with(b"peeked at", &mut WaitPolicy::forever()).unwrap();
                reader.peek().unwrap().release();
                // Without a NUL, for a slot.
                writer.send_value(&[0x0101_0101_u32; 7]).unwrap();
                assert!(reader.recv_value() == Ok(Some([0x0101_0101_u32; 7])));
            }
        };
        (place, measured)
    });
    assert_eq!(counts, [0, 0, 0], "system calls, the number of the first, allocations");
}

/// What a ring can do besides: batches, reservations, peeks in place.
fn through_a_ring<H: Harness>(test: &str) {
    let counts = counted(test, || {
        let place = H::ring(SMALLEST);
        let mut reader = Reader::<H::Backend, Ring>::open(place.address()).unwrap();
        let mut writer = Writer::<H::Backend, Ring>::open(place.address()).unwrap();
        let measured = move || {
            for round in 0..ROUNDS {
                round_of_all(&mut reader, &mut writer, round);
            }
        };
        (place, measured)
    });
    assert_eq!(counts, [0, 0, 0], "system calls, the number of the first, allocations");
}

fn round_of_all<B: Backend>(reader: &mut Reader<B, Ring>, writer: &mut Writer<B, Ring>, round: usize) {
    let endless = &mut WaitPolicy::forever();
    writer.send_all(&[b"one", b"two", &[b'x'; 300][..round % 300]]).unwrap();
    let mut reserved = writer.reserve(round % 2000).unwrap();
    // SAFETY: this thread alone is at work here.
    unsafe { reserved.bytes() }.fill(7);
    reserved.commit();
    let mut reserved = writer.reserve(40).unwrap();
    reserved.write_at(0, b"five");
    reserved.commit_first(4);
    let mut reserved = writer.reserve_value::<[u64; 5]>().unwrap();
    reserved.write(&[6; 5]);
    reserved.commit();
    assert!(reader.peek_next(endless).unwrap().text() == b"one");
    assert!(reader.try_peek_next().unwrap().unwrap().text() == b"two");
    reader.release_peeked();
    assert!(reader.recv(&mut [0; 300]) == Ok(Received::Message(round % 300)));
    let message = reader.peek_in_place(endless).unwrap();
    assert!(message.len() == round % 2000);
    message.release();
    assert!(reader.recv(&mut [0; 4]) == Ok(Received::Message(4)));
    assert!(*reader.peek_value::<[u64; 5]>().unwrap().unwrap() == [6; 5]);
    assert!(reader.recv_value() == Ok(Some([6_u64; 5])));
}

#[test]
fn a_slot_in_one_process() {
    through_either("a_slot_in_one_process", InProcess::fresh);
}

#[test]
fn a_slot_in_a_segment() {
    through_either("a_slot_in_a_segment", SystemV::fresh);
}

#[test]
fn a_ring_in_one_process() {
    through_either("a_ring_in_one_process", || InProcess::ring(SMALLEST));
}

#[test]
fn a_ring_in_a_segment() {
    through_either("a_ring_in_a_segment", || SystemV::ring(SMALLEST));
}

#[test]
fn batches_and_in_place_in_one_process() {
    through_a_ring::<InProcess>("batches_and_in_place_in_one_process");
}

#[test]
fn batches_and_in_place_in_a_segment() {
    through_a_ring::<SystemV>("batches_and_in_place_in_a_segment");
}

/// Whether the peer of the reader, and of the writer, needs no fence.
fn peer_fences<B: Backend>(backend: &B) -> [u32; 2] {
    let ring = backend.ring();
    [ring.reader_fences(), ring.writer_fences()]
        .map(|fences| fences.expect("a ring between processes has them").word.load(Ordering::Relaxed))
}

/// Runs this test once more in a process of its own, for what can't be undone.
fn alone(test: &str, life: impl FnOnce()) {
    if std::env::var_os(CHILD).is_some() {
        return life();
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    let output = child.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(CHILD, "1").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // A name that no test has is no failure to the harness.
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("test result: ok. 1 passed;"), "the process for {test} ran no test: {said}");
}

/// Where the kernel refuses heavy fences each side has its own fence, and is woken.
#[test]
fn a_ring_without_membarrier() {
    alone("a_ring_without_membarrier", || {
        seccomp::refuse(libc::SYS_membarrier);
        let place = SystemV::ring(SMALLEST);
        let mut reader = Reader::<SysV, Ring>::open(place.address()).unwrap();
        let mut writer = Writer::<SysV, Ring>::open(place.address()).unwrap();
        assert_eq!(peer_fences(writer.backend()), [0, 0]);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                // Longer than the ring, so that both sides sleep now and then.
                for number in 0..20_000_u32 {
                    writer.send(&[number.to_ne_bytes(); 16].concat()).unwrap();
                }
                writer.close().unwrap();
            });
            let mut room = [0; 64];
            for number in 0..20_000_u32 {
                assert_eq!(reader.recv(&mut room), Ok(Received::Message(64)));
                assert_eq!(room, *[number.to_ne_bytes(); 16].concat());
            }
        });
    });
}

/// Where it is refused from some moment on, a side takes its word back before it
/// sleeps; and a side that comes to a ring says what it can, whatever was said
/// there before.
#[test]
fn a_heavy_fence_that_is_refused() {
    alone("a_heavy_fence_that_is_refused", || {
        let place = SystemV::ring(SMALLEST);
        let mut reader = Reader::<SysV, Ring>::open(place.address()).unwrap();
        let writer = Writer::<SysV, Ring>::open(place.address()).unwrap();
        let before = peer_fences(writer.backend());
        if before != [1, 1] {
            eprintln!("this kernel has no membarrier (peer fences: {before:?}): nothing to take back");
            return;
        }
        seccomp::refuse(libc::SYS_membarrier);
        // No deadline: that can pass before it has come to sleep. It has ticks before its yields and before it sleeps; the fourth comes after that.
        let mut ticks = 0;
        let mut hook = |_| {
            ticks += 1;
            if ticks == 4 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        assert_eq!(
            reader.recv_with(&mut [], &mut WaitPolicy::forever().on_tick(&mut hook)),
            Err(RecvError::Interrupted)
        );
        assert_eq!(peer_fences(writer.backend()), [0, 1], "the reader has slept");
        drop(writer);
        let writer = Writer::<SysV, Ring>::open(place.address()).unwrap();
        assert_eq!(peer_fences(writer.backend()), [0, 0]);
    });
}
