//! Runtimes that are dropped while an endpoint waits: what was received or sent before is all that was, the seat is free at
//! once, and the next runtime goes on.

use crate::place::{LAYOUTS, Layout, Place, message, number};
use crate::until;
use shm_handoff::{Received, RecvError};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// A task, and what is dropped right behind it.
struct Task {
    work: Pin<Box<dyn Future<Output = ()> + Send>>,
    _held: Arc<()>,
}

impl Future for Task {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.work.as_mut().poll(context)
    }
}

/// Runs a task on each kind of runtime for some time, and drops the runtime.
fn for_a_while(turn: usize, time: Duration, work: impl Future<Output = ()> + Send + 'static) {
    let held = Arc::new(());
    let task = Task { work: Box::pin(work), _held: held.clone() };
    run_and_drop(turn, time, task);
    // A task that is woken meanwhile goes where it is woken, some microseconds later.
    until("the runtime drops the task", || Arc::strong_count(&held) == 1);
}

fn run_and_drop(turn: usize, time: Duration, task: Task) {
    match turn % 3 {
        0 => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.spawn(task);
            runtime.block_on(async { tokio::time::sleep(time).await });
        }
        1 => {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
            runtime.spawn(task);
            std::thread::sleep(time);
        }
        _ => {
            let executor = smol::Executor::new();
            let task = executor.spawn(task);
            smol::block_on(executor.run(async {
                smol::Timer::after(time).await;
                // If another thread wakes a task while its smol executor is dropped, the task is kept forever.
                task.cancel().await
            }));
        }
    }
}

/// Some microseconds, other ones each time.
fn a_while(turn: usize) -> Duration {
    Duration::from_micros(turn as u64 * 379 % 3000)
}

const TURNS: usize = 60;

#[test]
fn a_reader_in_a_task() {
    for layout in LAYOUTS {
        let place = Place::new(layout);
        let mut writer = place.blocking_writer();
        let received = Arc::new(Mutex::new(Vec::new()));
        let sends = std::thread::spawn(move || {
            let mut sent = 0;
            // The reader that a slot's first message waits for comes and goes.
            let deadline = std::time::Instant::now() + crate::DEADLINE;
            while sent < 200 && std::time::Instant::now() < deadline {
                match writer.send(&message(sent)) {
                    Ok(()) => sent += 1,
                    Err(shm_handoff::SendError::ReaderGone) => {
                        writer.await_reader(&mut shm_handoff::WaitPolicy::deadline(deadline)).unwrap();
                    }
                    Err(error) => panic!("{error}"),
                }
                if sent % 3 == 0 {
                    std::thread::sleep(a_while(sent as usize));
                }
            }
            // It stays until all was received.
            writer
        });
        let mut turn = 0;
        while received.lock().unwrap().len() < 200 {
            // At once: the last one's seat is free.
            let (mut reader, all) = (place.reader().spins([0, 100][turn % 2]), received.clone());
            let task = async move {
                let mut bytes = [0; 2048];
                while let Received::Message(len) = reader.recv(&mut bytes).await.unwrap() {
                    // Nothing is awaited between the two.
                    all.lock().unwrap().push(number(&bytes[..len]));
                }
            };
            for_a_while(turn, a_while(turn), task);
            turn += 1;
            assert!(turn < 5000, "the messages do not come");
        }
        sends.join().unwrap();
        assert_eq!(*received.lock().unwrap(), (0..200).collect::<Vec<_>>(), "{layout:?}");
    }
}

#[test]
fn a_writer_in_a_task() {
    for layout in LAYOUTS {
        let place = Place::new(layout);
        let mut reader = place.blocking_reader();
        let sent = Arc::new(AtomicU32::new(0));
        let receives = std::thread::spawn(move || {
            let mut numbers = Vec::new();
            let mut bytes = [0; 16 << 10];
            loop {
                match reader.recv(&mut bytes) {
                    Ok(Received::Message(_)) => numbers.push(number(&bytes[..8])),
                    Ok(Received::End) => return numbers,
                    // A writer in a task that is dropped has failed.
                    Err(RecvError::WriterGone) => reader.await_next_writer().unwrap(),
                    Err(error) => panic!("{error}"),
                }
                if numbers.len() % 5 == 0 {
                    std::thread::sleep(Duration::from_micros(300)); // the writer waits for room meanwhile
                }
            }
        });
        for turn in 0..TURNS {
            let (mut writer, count) = (place.writer().spins([0, 100][turn % 2]), sent.clone());
            let task = async move {
                loop {
                    let mut bytes = message(count.load(Ordering::SeqCst)).to_vec();
                    bytes.resize(if layout == Layout::Ring { 9000 } else { 8 }, b'0');
                    writer.send(&bytes).await.unwrap();
                    count.fetch_add(1, Ordering::SeqCst);
                }
            };
            for_a_while(turn, a_while(turn), task);
        }
        let mut last = place.blocking_writer();
        last.end().unwrap();
        let count = sent.load(Ordering::SeqCst);
        assert_eq!(receives.join().unwrap(), (0..count).collect::<Vec<_>>(), "{layout:?}");
    }
}

/// A waker that drops its task, where it is called.
struct DropsTask(Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>);

impl Wake for DropsTask {
    fn wake(self: Arc<Self>) {
        let task = self.0.lock().unwrap().take();
        drop(task);
    }
}

/// As a runtime's last waker does: the task goes on the waiter's own thread, with the endpoint that has just come back.
#[test]
fn a_task_that_its_waker_drops() {
    for layout in LAYOUTS {
        for panics in [false, true] {
            let place = Place::new(layout);
            let (mut reader, mut writer) = (place.reader().spins(0), place.blocking_writer());
            let dropped = Arc::new(());
            let theirs = Dropped { _held: dropped.clone(), panics };
            let task = async move {
                let _theirs = theirs;
                reader.recv(&mut [0; 2048]).await.unwrap();
                unreachable!("it is dropped before");
            };
            let drops = Arc::new(DropsTask(Mutex::new(None)));
            let mut task: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(task);
            let waker = Waker::from(drops.clone());
            assert!(task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            *drops.0.lock().unwrap() = Some(task);
            writer.send(&message(1)).unwrap();
            until("the task is dropped", || Arc::strong_count(&dropped) == 1);
            until("the seat is free", || {
                shm_handoff::Reader::<shm_handoff::backend::sysv::SysV>::open(&place.options()).is_ok()
            });
            let mut next = place.blocking_reader();
            assert_eq!(next.recv(&mut [0; 2048]), Ok(Received::Message(8)), "{layout:?}: nobody has taken it");
        }
    }
}

/// Panics on its way, if it is to.
struct Dropped {
    _held: Arc<()>,
    panics: bool,
}

impl Drop for Dropped {
    fn drop(&mut self) {
        if self.panics {
            std::panic::resume_unwind(Box::new("a destructor that panics"));
        }
    }
}
