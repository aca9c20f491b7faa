//! The same on every runtime: on tokio, current-thread and multi-thread, and on smol.
#![cfg(not(loom))]
#![allow(clippy::disallowed_types, reason = "nothing of this is checked by a model")]

mod cancelled;
mod deaths;
mod descriptor;
mod fairness;
mod foreign;
mod forked;
mod peer;
mod place;
mod sessions;
mod shutdown;
mod thread;
mod timeouts;

#[path = "../../../tests/support/ipc.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod ipc;

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

/// Runs each of these on each runtime.
macro_rules! on_each {
    ($($name:ident)*) => {$(
        mod $name {
            #[test]
            fn tokio_current_thread() {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on($crate::within(super::$name()));
            }

            #[test]
            fn tokio_multi_thread() {
                let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
                runtime.block_on($crate::within(super::$name()));
            }

            #[test]
            fn smol() {
                smol::block_on($crate::within(super::$name()));
            }
        }
    )*};
}
use on_each;

/// What only a test that hangs will meet.
const DEADLINE: Duration = Duration::from_secs(60);

async fn within<T>(work: impl Future<Output = T>) -> T {
    smol::future::or(work, async {
        smol::Timer::after(DEADLINE).await;
        panic!("the test hangs")
    })
    .await
}

/// Waits until it is so.
#[track_caller]
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !is_so() {
        assert!(Instant::now() < deadline, "not so after {DEADLINE:?}: {what}");
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// Polls once, for no task.
fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Polls so often, unless it is ready before, with something done before each poll, and drops it.
fn poll_times<F: Future>(future: F, times: usize, mut before: impl FnMut(usize)) -> Option<F::Output> {
    let mut future = pin!(future);
    for time in 0..times {
        before(time);
        if let Poll::Ready(output) = poll_once(future.as_mut()) {
            return Some(output);
        }
    }
    None
}

/// A waker that notes that it was called.
#[derive(Default)]
struct Flag(AtomicBool);

impl Flag {
    fn new() -> (Arc<Self>, Waker) {
        let flag = Arc::new(Self::default());
        (flag.clone(), flag.into())
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}
