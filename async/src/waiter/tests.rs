//! A thread that panics, as none should.

use super::*;
use crate::endpoint::sealed::Sealed;
use shm_handoff::backend::inproc::{Channel, InProc};
use shm_handoff::{Reader, Ring};

/// Its waits panic.
struct Broken(Reader<InProc, Ring>);

impl Sealed for Broken {}

impl Endpoint for Broken {
    type Wait = ();
    const FIRST: () = ();

    fn wait(&mut self, (): (), _: &mut WaitPolicy<'_>) -> bool {
        panic!("a wait that panics, for a test")
    }

    fn is_ready(&mut self, (): ()) -> bool {
        false
    }

    fn has_ended(&self) -> bool {
        false
    }

    fn interrupter(&mut self) -> Interrupter {
        self.0.interrupter()
    }
}

/// A drop must not: it can be part of another panic.
#[test]
fn a_lost_endpoint_panics_where_it_is_used_alone() {
    let mut waiter = Waiter::new(Broken(Reader::open(&Channel::ring(4096)).unwrap()));
    waiter.wait(()).unwrap();
    assert_eq!(waiter.try_recall(), None);
    assert!(catch_unwind(AssertUnwindSafe(|| waiter.recall().is_ready(()))).is_err());
    let poll = AssertUnwindSafe(|| waiter.poll_here(&Context::from_waker(Waker::noop()), None));
    assert!(catch_unwind(poll).is_err());
    drop(waiter);
}
