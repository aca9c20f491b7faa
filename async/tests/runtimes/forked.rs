//! A forked child has a copy of an endpoint, without its memory, its seat and its thread: it can drop it.

use crate::place::{LAYOUTS, Layout, Place, message};
use crate::{poll_once, poll_times, until};
use shm_handoff::Received;
use std::mem::ManuallyDrop;
use std::pin::Pin;

/// Does `work` in a forked child, and waits until that is over.
fn in_a_child(what: &str, work: impl FnOnce()) {
    // SAFETY: the child drops what it has a copy of, and ends; the allocator works behind a fork.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "fork: {}", std::io::Error::last_os_error());
    if child == 0 {
        // One that hangs is ended by the kernel.
        // SAFETY: takes a number alone.
        unsafe { libc::alarm(20) };
        work();
        // SAFETY: ends the process, without anything of the test's.
        unsafe { libc::_exit(0) };
    }
    let mut status = 0;
    until(what, || {
        // SAFETY: there is room for the status.
        unsafe { libc::waitpid(child, &raw mut status, libc::WNOHANG) == child }
    });
    assert_eq!(status, 0, "{what}");
}

#[test]
fn a_child_drops_a_reader() {
    for layout in LAYOUTS {
        for polls in [0, 1] {
            let place = Place::new(layout);
            let (reader, mut writer) = (place.reader().spins(0), place.blocking_writer());
            let mut reader = ManuallyDrop::new(reader);
            // With the endpoint here, and with the thread.
            assert!(poll_times(reader.recv(&mut [0; 2048]), polls, |_| ()).is_none());
            in_a_child("the child drops a reader", || {
                // SAFETY: of the child's copy, once.
                unsafe { ManuallyDrop::drop(&mut reader) };
            });
            let mut reader = ManuallyDrop::into_inner(reader);
            writer.send(&message(1)).unwrap();
            assert_eq!(smol::block_on(reader.recv(&mut [0; 2048])), Ok(Received::Message(8)), "{layout:?}");
        }
    }
}

/// An end that waits is called back when its future is dropped, and in a child nobody would come.
#[test]
fn a_child_drops_an_end() {
    let place = Place::new(Layout::Slot);
    let (mut reader, mut writer) = (place.blocking_reader(), place.writer().spins(0));
    smol::block_on(writer.send(&message(1))).unwrap();
    {
        let mut ends = ManuallyDrop::new(Box::pin(writer.end()));
        assert!(poll_once(Pin::as_mut(&mut ends)).is_pending());
        in_a_child("the child drops an end", || {
            // SAFETY: of the child's copy, once.
            unsafe { ManuallyDrop::drop(&mut ends) };
        });
        drop(ManuallyDrop::into_inner(ends));
    }
    assert_eq!(reader.recv(&mut [0; 2048]), Ok(Received::Message(8)));
    smol::block_on(writer.end()).unwrap();
    assert_eq!(reader.recv(&mut [0; 2048]), Ok(Received::End));
}
