//! A forked child has a copy of an endpoint, without its memory, its seat and its thread: it can drop it.

use crate::place::{LAYOUTS, Layout, Place, message};
use crate::{poll_once, poll_times, until};
use shm_handoff::backend::sysv::SysV;
use shm_handoff::{Error, Received};
use std::env;
use std::fs::File;
use std::mem::ManuallyDrop;
use std::os::fd::AsRawFd;
use std::pin::Pin;
use std::process::Command;

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

/// A child in a pid namespace of its own can have its parent's number: in a container both are the first process.
#[test]
fn a_child_with_its_parents_number() {
    const FIRST: &str = "SHM_HANDOFF_FIRST_PROCESS";
    if env::var_os(FIRST).is_some() {
        return the_first_process_forks_another_first_process();
    }
    // This very test, as the first process of a pid namespace.
    let mut first = Command::new("unshare");
    first.args(["--user", "--map-root-user", "--pid", "--fork", "--kill-child"]);
    if !first.arg("true").status().is_ok_and(|status| status.success()) {
        return println!("NOT CHECKED: a child with its parent's number: no pid namespace can be made here");
    }
    let mut first = Command::new("unshare");
    first.args(["--user", "--map-root-user", "--pid", "--fork", "--kill-child"]).arg(env::current_exe().unwrap());
    first.args(["--exact", "forked::a_child_with_its_parents_number", "--test-threads=1"]).env(FIRST, "1");
    let output = first.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{}\n{said}", output.status);
}

fn the_first_process_forks_another_first_process() {
    assert_eq!(std::process::id(), 1);
    let ours = File::open("/proc/self/ns/pid").unwrap();
    for layout in LAYOUTS {
        for polls in [0, 1] {
            let place = Place::new(layout);
            let (reader, mut writer) = (place.reader().spins(0), place.blocking_writer());
            let mut reader = ManuallyDrop::new(reader);
            assert!(poll_times(reader.recv(&mut [0; 2048]), polls, |_| ()).is_none());
            // What this process forks from now on is the first of another namespace.
            // SAFETY: takes a flag alone.
            assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWPID) }, 0);
            in_a_child("the child with its parent's number drops a reader", || {
                assert_eq!(std::process::id(), 1);
                // SAFETY: of the child's copy, once.
                unsafe { ManuallyDrop::drop(&mut reader) };
            });
            // SAFETY: takes numbers alone.
            assert_eq!(unsafe { libc::setns(ours.as_raw_fd(), libc::CLONE_NEWPID) }, 0);
            let second = shm_handoff::Reader::<SysV>::open(&place.options()).map(drop);
            assert!(matches!(second, Err(Error::SeatTaken { .. })), "{layout:?}: the seat is the parent's still");
            let mut reader = ManuallyDrop::into_inner(reader);
            writer.send(&message(1)).unwrap();
            assert_eq!(smol::block_on(reader.recv(&mut [0; 2048])), Ok(Received::Message(8)), "{layout:?}");
        }
    }
}
