//! A C program of the tutorial beside an async writer. It can look once more into the slot that it has released, so nothing is
//! put there for some milliseconds, however often the writer's waits are dropped meanwhile.

use crate::place::{Layout, Place};
use crate::poll_times;
use nix::poll::{PollFd, PollFlags, poll};
use shm_handoff::backend::Backend;
use shm_handoff::backend::sysv::SysV;
use shm_handoff::{Role, SendError};
use shm_handoff_async::Paused;
use std::os::fd::AsFd;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

crate::on_each! { a_send_that_waits sends_that_are_dropped other_calls_in_between }

/// How long it is given.
const PAUSE: Duration = Duration::from_millis(5);
const ROUNDS: usize = 5;

/// Attached without a seat, as a C program is.
struct Foreign(SysV);

impl Foreign {
    fn at(place: &Place) -> Self {
        Self(SysV::open(&place.options(), Role::Guest).unwrap())
    }

    /// Releases what lies there; when that was.
    fn release(&self) -> Instant {
        let flag = self.0.segment().word(0);
        assert_ne!(flag.load(Ordering::Acquire), 0, "nothing lies there");
        let now = Instant::now();
        flag.store(0, Ordering::Release);
        now
    }
}

#[track_caller]
fn paused_since(released: Instant) {
    let took = released.elapsed();
    assert!(took >= PAUSE, "published after {took:?}");
}

async fn a_send_that_waits() {
    let place = Place::new(Layout::Slot);
    let mut writer = place.writer();
    let reader = Foreign::at(&place);
    writer.send(b"one\n").await.unwrap();
    for _ in 0..ROUNDS {
        let released = reader.release();
        writer.send(b"two\n").await.unwrap();
        paused_since(released);
    }
}

async fn sends_that_are_dropped() {
    let place = Place::new(Layout::Slot);
    let mut writer = place.writer().spins(0);
    let reader = Foreign::at(&place);
    writer.send(b"one\n").await.unwrap();
    for _ in 0..ROUNDS {
        let released = reader.release();
        while poll_times(writer.send(b"two\n"), 1, |_| ()).is_none() {
            std::thread::sleep(Duration::from_micros(100)); // what a `select!` may do meanwhile
        }
        paused_since(released);
    }
}

async fn other_calls_in_between() {
    let place = Place::new(Layout::Slot);
    let mut writer = place.writer().spins(0);
    let reader = Foreign::at(&place);
    writer.send(b"one\n").await.unwrap();
    for _ in 0..ROUNDS {
        let released = reader.release();
        poll_times(writer.send(b"two\n"), 1, |_| ());
        std::thread::sleep(Duration::from_millis(1)); // the thread pauses meanwhile, or has not begun
        assert!(writer.inner().await.capacity() > 0);
        writer.send(b"two\n").await.unwrap();
        paused_since(released);
    }
}

#[test]
fn a_descriptor() {
    let place = Place::new(Layout::Slot);
    let mut writer = Paused::new().unwrap().resume(place.blocking_writer());
    let reader = Foreign::at(&place);
    writer.with(|writer| writer.send(b"one\n")).unwrap();
    for _ in 0..ROUNDS {
        let released = reader.release();
        loop {
            assert_eq!(poll(&mut [PollFd::new(writer.as_fd(), PollFlags::POLLIN)], 60_000_u16), Ok(1));
            match writer.with(|writer| writer.try_send(b"two\n")) {
                Err(SendError::WouldBlock) => {}
                sent => break sent.unwrap(),
            }
        }
        paused_since(released);
    }
}
