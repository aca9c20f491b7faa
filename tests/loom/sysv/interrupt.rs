//! A sleep that another thread ends.

use super::{Reader, USER, ring, slot};
use crate::explore::{Depth, actor, claim, main_is};
use shm_handoff::backend::sysv::Options;
use shm_handoff::backend::sysv::simulated::Kernel;
use shm_handoff::sync::{AtomicU32, Ordering};
use shm_handoff::{RecvError, WaitPolicy};
use std::ops::ControlFlow;
use std::rc::Rc;

fn a_wait_that_is_ended(options: Options) {
    let kernel = Kernel::new();
    main_is("reader");
    let [process, thread] = [(); 2].map(|()| kernel.process(USER));
    let mut reader = process.begins(|| Reader::open(&options).unwrap());
    let stop = Rc::new(AtomicU32::new(0));
    let (interrupter, asked) = (reader.interrupter(), Rc::clone(&stop));
    let stops = actor("interrupter", move || {
        thread.begins(|| {
            asked.store(1, Ordering::Release);
            interrupter.interrupt();
        });
    });
    let received = process.begins(|| {
        let mut hook =
            |_| if stop.load(Ordering::Acquire) == 1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        reader.wait_with(&mut WaitPolicy::forever().on_tick(&mut hook))
    });
    assert_eq!(received, Err(RecvError::Interrupted));
    stops.join();
    process.run(|| drop(reader));
}

/// **V34** An interrupt ends a reader's sleep, on its parked word or where no peer wakes it, also if it has not fallen asleep yet.
/// (A sleep has no bound here: one that is missed is a deadlock.)
#[test]
fn v34_an_interrupt_ends_a_sleep() {
    claim("V34", "an interrupt ends a reader's sleep at a ring, or keeps it from lasting", Depth::whole(2_390), || {
        a_wait_that_is_ended(ring());
    });
    claim("V34", "the same at a slot, where no peer wakes it", Depth::whole(2_246), || a_wait_that_is_ended(slot()));
}
