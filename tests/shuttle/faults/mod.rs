//! Faults by seed: writers and readers that come one after the other, each a process of the simulated kernel that is
//! killed, stopped or interrupted or meets a limit at any of its system calls, while third parties remove segment and
//! seats, and tools look. All of it follows from the seed.
//!
//! Sides are the library's: the programs' own loops stand on standard input and output, on signals and on the
//! system's clock, of which a model has none.

mod oracle;
mod plan;

use crate::explore::{PREEMPTED, Size, claim, noted};
use crate::place::{USER, key};
use crate::text;
use oracle::{Item, Oracle};
use parking_lot::Mutex;
use plan::Plan;
use shm_handoff::backend::sysv::simulated::{Fate, Kernel, remove_seats, remove_segment};
use shm_handoff::backend::sysv::{Observer, Options, SysV};
use shm_handoff::{Error, Reader, RecvError, SendError, WaitPolicy, Writer};
use shuttle::rand::{Rng, thread_rng};
use shuttle::thread;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Who is there, as far as it is known beside the model.
#[derive(Debug, Default, Clone, Copy)]
struct Standing {
    /// No writer comes any more.
    over: bool,
    /// How many readers have begun.
    readers: usize,
    /// The last of them is seated.
    listens: bool,
    /// How often a reader has heard of a writer's death, and gone on.
    heard: usize,
    /// Writers that have begun and have not left in order, and those of them that have ended.
    not_left: usize,
    failed: usize,
    /// The writer was seated when it all was like this; `None`: it was not, or it has begun to leave.
    seated_at: Option<(usize, usize)>,
}

#[derive(Clone)]
struct System {
    kernel: Kernel,
    options: Options,
    plan: Plan,
    oracle: Oracle,
    standing: Arc<Mutex<Standing>>,
    messages: usize,
}

/// How the life of a side ended that was not killed.
enum Ended {
    InOrder,
    /// Its handle was dropped.
    Dropped,
}

impl System {
    /// The next process: it runs `life` on this thread; `None`: it was killed.
    fn process<T>(&self, life: impl FnOnce() -> T) -> Option<T> {
        let lived = self.kernel.process(USER).run(life);
        // Nobody keeps the others from their turn by being killed again and again.
        thread::yield_now();
        lived
    }

    fn is_over(&self) -> bool {
        self.standing.lock().over
    }

    /// One writer after the other, until all was offered.
    fn writers(&self) {
        while self.oracle.next() < self.messages {
            self.oracle.writer_begins();
            self.standing.lock().not_left += 1;
            let ended = self.process(|| self.write());
            self.oracle.writer_ends();
            let seated_at = self.standing.lock().seated_at.take();
            match ended {
                Some(Ok(Ended::InOrder)) => {
                    noted("writer left");
                    self.standing.lock().not_left -= 1;
                    // Often nobody comes for a while: what is told of it then is told of its leaving.
                    (0..thread_rng().gen_range(0..100)).for_each(|_| thread::yield_now());
                    continue;
                }
                Some(Ok(Ended::Dropped)) => noted("writer dropped"),
                Some(Err(SendError::ReaderGone)) => noted("writer left by the reader"),
                Some(Err(SendError::Backend(error))) if self.plan.expects(&error) => noted("writer failed"),
                Some(Err(error)) => panic!("a writer: {error:?}, {:?}", self.plan),
                None => noted("writer killed"),
            }
            self.standing.lock().failed += 1;
            if let Some(then) = seated_at
                && !self.plan.removes_seats
                && thread_rng().gen_bool(0.7)
            {
                self.await_hearing(then);
            }
        }
        self.standing.lock().over = true;
        // Whoever sleeps is woken by its end.
        self.process(|| ());
    }

    /// The reader that was there while the writer was has to hear of its death, with nobody to follow it.
    fn await_hearing(&self, (readers, heard): (usize, usize)) {
        loop {
            let standing = *self.standing.lock();
            if (standing.readers, standing.heard) != (readers, heard) {
                return noted("death heard, or reader gone");
            }
            thread::yield_now();
        }
    }

    fn write(&self) -> Result<Ended, SendError> {
        let mut writer = Writer::<SysV>::open(&self.options)?;
        {
            let mut standing = self.standing.lock();
            standing.seated_at = standing.listens.then_some((standing.readers, standing.heard));
        }
        for _ in 0..thread_rng().gen_range(0..8) {
            match thread_rng().gen_range(0..10) {
                0 => self.send(&mut writer, 0)?,
                1 => {
                    let look = self.oracle.look();
                    writer.recover(&mut WaitPolicy::forever())?;
                    self.oracle.looked(look);
                }
                2 | 3 => self.send(&mut writer, thread_rng().gen_range(2..5))?,
                _ => self.send(&mut writer, 1)?,
            }
        }
        if thread_rng().gen_bool(0.2) {
            return Ok(Ended::Dropped);
        }
        self.standing.lock().seated_at = None;
        let look = self.oracle.look();
        writer.close()?;
        self.oracle.looked(look);
        Ok(Ended::InOrder)
    }

    /// Sends so many messages of those that are left, together; none: an end.
    fn send(&self, writer: &mut Writer<SysV>, many: usize) -> Result<(), SendError> {
        let mut left = if many == 0 { 1 } else { many.min(self.messages - self.oracle.next()) };
        while left > 0 {
            let items: Vec<_> = (0..left).map(|_| self.oracle.offer(many == 0)).collect();
            let (sent, error) = match attempt(writer, &items) {
                Ok(()) => {
                    self.oracle.sent();
                    return Ok(());
                }
                Err(refused) => refused,
            };
            items[sent..].iter().rev().for_each(|item| self.oracle.refused(*item));
            self.oracle.sent();
            left -= sent;
            match error {
                SendError::ReaderGone => {
                    noted("reader gone");
                    writer.await_reader(&mut WaitPolicy::forever())?;
                }
                SendError::Backend(error) if self.plan.expects(&error) && thread_rng().gen_bool(0.5) => {
                    noted("tried again");
                }
                error => return Err(error),
            }
        }
        Ok(())
    }

    /// One reader after the other, until no writer comes any more.
    fn readers(&self) {
        while !self.is_over() {
            {
                let mut standing = self.standing.lock();
                standing.readers += 1;
                standing.listens = false;
            }
            let ended = self.process(|| self.read());
            noted(match ended {
                Some(Ok(Ended::InOrder)) => "reader left",
                Some(Ok(Ended::Dropped)) => "reader dropped",
                Some(Err(RecvError::Backend(error))) if self.plan.expects(&error) => "reader failed",
                Some(Err(error)) => panic!("a reader: {error:?}, {:?}", self.plan),
                None => "reader killed",
            });
        }
    }

    fn read(&self) -> Result<Ended, RecvError> {
        let mut forgotten = self.standing.lock().failed;
        let mut reader = Reader::<SysV>::open(&self.options)?;
        self.standing.lock().listens = true;
        let mut until_over = |_| if self.is_over() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        for _ in 0..thread_rng().gen_range(1..12) {
            let message = match reader.peek_with(&mut WaitPolicy::forever().on_tick(&mut until_over)) {
                Ok(message) => message,
                Err(RecvError::WriterGone) => {
                    noted("writer gone");
                    {
                        let standing = *self.standing.lock();
                        let is_true = standing.not_left > forgotten || self.plan.may_mistake_a_leaver();
                        assert!(
                            is_true,
                            "a writer that left in order was taken for dead: {standing:?}, {:?}",
                            self.plan
                        );
                        forgotten = standing.failed;
                    }
                    reader.await_next_writer()?;
                    self.standing.lock().heard += 1;
                    continue;
                }
                Err(RecvError::Interrupted) => break,
                Err(error) => return Err(error),
            };
            if message.ends_session() {
                self.oracle.peeked(None);
                self.oracle.releasing();
                message.end_session()?;
                self.oracle.released();
                noted("ended");
                break;
            }
            self.oracle.peeked(Some(message.text()));
            if thread_rng().gen_bool(0.85) {
                self.oracle.releasing();
                message.release();
                self.oracle.released();
            }
        }
        if thread_rng().gen_bool(0.3) {
            return Ok(Ended::Dropped);
        }
        reader.close()?;
        Ok(Ended::InOrder)
    }

    /// Now and then runs `life` as a process, until no writer comes any more.
    fn now_and_then(&self, life: impl Fn(), after: impl Fn()) {
        loop {
            for _ in 0..thread_rng().gen_range(1..self.plan.pause) {
                thread::yield_now();
                if self.is_over() {
                    return;
                }
            }
            self.process(&life);
            after();
        }
    }

    fn remove(&self) {
        let which = match (self.plan.removes_segments, self.plan.removes_seats) {
            (true, true) => thread_rng().gen_range(0..3),
            (true, false) => 0,
            _ => 1,
        };
        if which != 1 {
            self.oracle.removal_begins();
            if remove_segment(key()) {
                noted("segment removed");
            }
        }
        if which != 0 && remove_seats(key()) {
            noted("seats removed");
        }
    }

    fn third_parties(&self) {
        self.now_and_then(|| self.remove(), || self.oracle.removal_is_over());
    }

    fn observers(&self) {
        let look = || match Observer::open(key()) {
            Ok(_) => noted("looked at"),
            Err(Error::Missing { .. } | Error::Removed { .. } | Error::NotAChannel { .. }) => {}
            Err(error) => assert!(self.plan.expects(&error), "an observer: {error:?}, {:?}", self.plan),
        };
        self.now_and_then(look, || ());
    }

    /// What is left when nothing happens any more: it is read, and a session that ends leaves nothing.
    fn settles(&self) {
        self.kernel.judge(|_| Fate::Goes);
        let (segments, sets) = self.kernel.left();
        assert!(segments <= 1 && sets <= 1, "{segments} segments and {sets} sets are left");
        self.process(|| while self.drain_once().unwrap() {}).expect("nobody kills it");
        self.oracle.nothing_is_left();
        let system = self.clone();
        let writer = thread::spawn(move || {
            system.process(|| {
                let mut writer = Writer::<SysV>::open(&system.options).unwrap();
                writer.send(&text(0)).unwrap();
                writer.end().unwrap();
                writer.close().unwrap();
            })
        });
        self.process(|| {
            let mut reader = Reader::<SysV>::open(&self.options).unwrap();
            assert_eq!(reader.next_message().unwrap(), Some(&*text(0)));
            reader.peek().unwrap().end_session().unwrap();
            reader.close().unwrap();
        });
        writer.join().unwrap();
        assert_eq!(self.kernel.left(), (0, 0), "left behind by a clean end");
    }

    /// Reads what is there up to an end; whether there was one.
    fn drain_once(&self) -> Result<bool, RecvError> {
        let mut reader = Reader::<SysV>::open(&self.options)?;
        loop {
            let message = match reader.peek_with(&mut WaitPolicy::non_blocking()) {
                Ok(message) => message,
                Err(RecvError::TimedOut) => return Ok(false),
                Err(error) => return Err(error),
            };
            if message.ends_session() {
                self.oracle.peeked(None);
                message.end_session()?;
                self.oracle.released();
                return Ok(true);
            }
            self.oracle.peeked(Some(message.text()));
            message.release();
            self.oracle.released();
        }
    }
}

/// Sends the messages, or the end; how many were sent, if not all.
fn attempt(writer: &mut Writer<SysV>, items: &[Item]) -> Result<(), (usize, SendError)> {
    let mut texts = Vec::new();
    for item in items {
        match item {
            Item::Message(n) => texts.push(text(*n)),
            Item::End => return writer.end().map_err(|error| (0, error)),
        }
    }
    writer.send_all_with(&texts.iter().map(Vec::as_slice).collect::<Vec<_>>(), &mut WaitPolicy::forever())
}

fn everything_happens(options: Options, messages: usize) {
    let (kernel, plan) = (Kernel::new(), Plan::draw());
    plan.begin(&kernel);
    let system = System { kernel, options, plan, oracle: Oracle::default(), standing: Arc::default(), messages };
    let mut others = Vec::new();
    let mut beside = |is_there: bool, run: fn(&System)| {
        let system = system.clone();
        others.extend(is_there.then(|| thread::spawn(move || run(&system))));
    };
    beside(true, System::readers);
    beside(plan.removes_segments || plan.removes_seats, System::third_parties);
    beside(plan.observed, System::observers);
    system.writers();
    for other in others {
        other.join().unwrap();
    }
    system.settles();
}

const SIZE: Size = Size { executions: 300, messages: 50 };

/// **S21** Whatever happens to the processes: what was sent for sure arrives, once and in order, but for what the
/// contract gives up (`oracle`); a death is heard; nobody waits forever; what is left is usable, and a clean end
/// leaves nothing.
#[test]
fn s21_faults_by_seed() {
    let floors = [
        (PREEMPTED, 1_400_000),
        ("killed", 17_000),
        ("writer killed", 8_500),
        ("reader killed", 8_000),
        ("killed before it had sent", 5_500),
        ("stopped", 32_000),
        ("limit met", 2_100),
        ("tried again", 200),
        ("interrupted", 6_500),
        ("segment removed", 5_500),
        ("seats removed", 6_000),
        ("looked at", 3_000),
        ("death heard, or reader gone", 1_600),
        ("reader gone", 2_200),
        ("writer gone", 2_900),
        ("ended", 2_500),
        ("came again", 5_000),
    ];
    claim(
        "S21",
        "System V: kills, stops, limits, EINTR and removals at random: nothing lost or twice but what the contract gives up",
        SIZE,
        &floors,
        |messages| {
            everything_happens(Options::slot(key()), messages);
        },
    );
}

/// **S21** The same at a ring.
#[test]
fn s21_faults_by_seed_at_a_ring() {
    let floors = [
        (PREEMPTED, 1_000_000),
        ("killed", 10_500),
        ("writer killed", 5_300),
        ("reader killed", 4_800),
        ("killed before it had sent", 2_400),
        ("stopped", 15_000),
        ("limit met", 1_600),
        ("tried again", 80),
        ("interrupted", 11_000),
        ("segment removed", 2_600),
        ("seats removed", 3_800),
        ("looked at", 1_500),
        ("death heard, or reader gone", 1_000),
        ("reader gone", 1_700),
        ("writer gone", 1_700),
        ("ended", 2_800),
        ("came again", 5_500),
    ];
    claim("S21", "System V, ring: the same", SIZE, &floors, |messages| {
        everything_happens(Options::ring(key(), 64).unwrap(), messages);
    });
}
