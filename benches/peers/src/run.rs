//! One measurement, seen from both sides: the *near* side sends and holds the
//! watch, the *far* side receives, on the other core.

use crate::board::{Board, Then, until};
use crate::message::{Inbox, MOST, Outbox};
use crate::peer::{Ends, Peer, Place, Rx, Threads, Tx, inherited};
use crate::work::Work;
use crate::{Failure, machine};
use serde::{Deserialize, Serialize};
use std::os::fd::{AsRawFd, RawFd};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// What one measurement is to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Near {
    pub(crate) peer: String,
    pub(crate) work: Work,
    pub(crate) place: Place,
    pub(crate) cores: [usize; 2],
    pub(crate) effort: Effort,
}

/// What the far side is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Far {
    pub(crate) peer: String,
    pub(crate) work: Work,
    pub(crate) place: Place,
    pub(crate) core: usize,
    board: RawFd,
}

/// How long to measure.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Effort {
    /// One figure is the median of so many chunks ...
    pub(crate) chunks: usize,
    /// ... of about so many seconds each.
    pub(crate) chunk: f64,
    pub(crate) wakes: usize,
    /// Seconds that a receiver has waited before its idling is measured, and for
    /// how many.
    pub(crate) settle: f64,
    pub(crate) idle: f64,
}

/// What came out.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// The bare ping-pong before and after, ns.
    pub(crate) bare: [f64; 2],
    /// ns a round trip, a message or a wake-up; idling, % of a core.
    pub(crate) value: f64,
    /// Resident memory of both at the end, bytes.
    pub(crate) memory: u64,
}

/// The near side of two processes.
pub(crate) fn near<P: Peer<Tx: Tx, Rx: Rx>>(order: &Near) -> Result<Figures, Failure> {
    near_by::<P>(order, |board, ends, processes| measured(board, ends, order, processes))
}

/// The same, measured by another loop.
pub(crate) fn near_by<P: Peer>(
    order: &Near,
    measured: impl FnOnce(&Board, &mut Ends<P>, &[&str]) -> Result<Figures, Failure>,
) -> Result<Figures, Failure> {
    let (board, board_fd) = Board::make()?;
    let mut place = order.place.clone();
    let mut peer = P::make(&place)?;
    place.fds = peer.fds();
    for fd in &place.fds {
        nix::fcntl::fcntl(inherited(*fd), nix::fcntl::F_SETFD(nix::fcntl::FdFlag::empty()))?;
    }
    place.note = peer.note();
    let far = Far {
        peer: order.peer.clone(),
        work: order.work,
        place: place.clone(),
        core: order.cores[1],
        board: board_fd.as_raw_fd(),
    };
    let mut child = Command::new("/proc/self/exe").arg("--far").arg(serde_json::to_string(&far)?).spawn()?;
    let mut ends = peer.near(&place)?;
    await_ready(board, Some(&mut child))?;
    let others = child.id().to_string();
    let figures = measured(board, &mut ends, &["self", &others])?;
    let status = child.wait()?;
    if !status.success() {
        return Err(format!("the far side: {status}").into());
    }
    peer.close(&place, ends)?;
    Ok(figures)
}

/// The far side of two processes.
pub(crate) fn far<P: Peer<Tx: Tx, Rx: Rx>>(order: &Far) -> Result<(), Failure> {
    far_by::<P>(order, |board, ends| answer(board, ends, order.work))
}

/// The same, with another loop that answers.
pub(crate) fn far_by<P: Peer>(order: &Far, answer: impl FnOnce(&Board, &mut Ends<P>)) -> Result<(), Failure> {
    let board = Board::map(inherited(order.board))?;
    let mut ends: Ends<P> = P::far(&order.place)?;
    board.say_ready();
    answer(board, &mut ends);
    P::close_far(ends)
}

/// Both sides of two threads.
pub(crate) fn threads<T: Threads>(order: &Near) -> Result<Figures, Failure> {
    let (board, _) = Board::make()?;
    let (to, far_from) = T::make(order.work);
    let (far_to, from) = T::make(order.work);
    let (core, work) = (order.cores[1], order.work);
    let far = std::thread::spawn(move || {
        machine::pin(core);
        board.say_ready();
        answer(board, &mut (far_to, far_from), work);
    });
    await_ready(board, None)?;
    let figures = measured(board, &mut (to, from), order, &["self"])?;
    far.join().map_err(|_| "the far side panicked")?;
    Ok(figures)
}

/// One core alone; the other one is there for the bare ping-pong.
pub(crate) fn alone(order: &Near, mut work: impl FnMut(Work, u64)) -> Result<Figures, Failure> {
    let (board, _) = Board::make()?;
    let core = order.cores[1];
    let far = std::thread::spawn(move || {
        machine::pin(core);
        board.answer_bare();
        board.answer_bare();
    });
    let before = board.bare();
    let mut chunk = |count| {
        let started = Instant::now();
        work(order.work, count);
        started.elapsed().as_secs_f64()
    };
    let value =
        if let Work::Soak(count) = order.work { chunk(count) * 1e9 / wide(count) } else { median(order.effort, chunk) };
    let after = board.bare();
    far.join().map_err(|_| "the far side panicked")?;
    Ok(Figures { bare: [before, after], value, memory: machine::resident("self") })
}

fn await_ready(board: &Board, mut child: Option<&mut Child>) -> Result<(), Failure> {
    let started = Instant::now();
    while !board.is_ready() {
        if let Some(status) = child.as_mut().map(|child| child.try_wait()).transpose()?.flatten() {
            return Err(format!("the far side did not open: {status}").into());
        }
        if started.elapsed() > Duration::from_secs(10) {
            return Err("the far side is not ready after 10 s".into());
        }
        std::thread::yield_now();
    }
    Ok(())
}

fn measured(
    board: &Board,
    (tx, rx): &mut (impl Tx, impl Rx),
    order: &Near,
    processes: &[&str],
) -> Result<Figures, Failure> {
    let mut sender = Sender::new(board, order.work, tx, rx);
    let effort = order.effort;
    let before = sender.bare(Then::Bare);
    let value = match order.work {
        Work::Trip(_) | Work::OneWay(_) | Work::Mixed => sender.median(effort),
        Work::Soak(count) => {
            // Twice around the ring: no page is touched for the first time after that.
            sender.whole(1 << 16);
            sender.chunk(count) * 1e9 / wide(count)
        }
        Work::Wake => sender.wake(effort.wakes),
        Work::Idle => idle(effort, processes)?,
    };
    let memory = processes.iter().map(|process| machine::resident(process)).sum();
    let after = sender.bare(Then::Stop);
    Ok(Figures { bare: [before, after], value, memory })
}

/// Processor time while nothing happens, % of a core.
pub(crate) fn idle(effort: Effort, processes: &[&str]) -> Result<f64, Failure> {
    let used = || -> Result<u64, Failure> { processes.iter().map(|process| machine::processor_ns(process)).sum() };
    std::thread::sleep(Duration::from_secs_f64(effort.settle));
    let (started, from) = (Instant::now(), used()?);
    std::thread::sleep(Duration::from_secs_f64(effort.idle));
    let to = used()?;
    Ok(wide(to - from) / started.elapsed().as_secs_f64() / 1e7)
}

#[allow(clippy::cast_precision_loss, reason = "figures of ten digits at most")]
pub(crate) fn wide(count: u64) -> f64 {
    count as f64
}

/// ns a message: the median of some chunks, about as long as they are to be.
pub(crate) fn median(effort: Effort, mut chunk: impl FnMut(u64) -> f64) -> f64 {
    let mut count = MOST as u64;
    let mut took = chunk(count);
    while took < effort.chunk / 4.0 {
        count *= 2;
        took = chunk(count);
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and small")]
    let count = ((wide(count) * effort.chunk / took) as u64).next_multiple_of(MOST as u64).max(MOST as u64);
    let mut chunks: Vec<f64> = (0..effort.chunks).map(|_| chunk(count) * 1e9 / wide(count)).collect();
    chunks.sort_by(f64::total_cmp);
    chunks[chunks.len() / 2]
}

/// The near side at work.
struct Sender<'a, T, R> {
    board: &'a Board,
    work: Work,
    tx: &'a mut T,
    rx: &'a mut R,
    outbox: Outbox,
    inbox: Inbox,
}

impl<'a, T: Tx, R: Rx> Sender<'a, T, R> {
    fn new(board: &'a Board, work: Work, tx: &'a mut T, rx: &'a mut R) -> Self {
        Self { board, work, tx, rx, outbox: Outbox::new(work, T::BATCH), inbox: Inbox::new(work) }
    }

    /// ns a message, warmed up.
    fn median(&mut self, effort: Effort) -> f64 {
        // Every byte compared, long enough to go once around a ring.
        let started = Instant::now();
        while started.elapsed().as_secs_f64() < effort.chunk {
            self.whole(64);
        }
        median(effort, |count| self.chunk(count))
    }

    /// So many, every byte of which is compared.
    fn whole(&mut self, count: u64) {
        self.board.ask_whole(self.outbox.last() + count);
        self.chunk(count);
    }

    /// Seconds until so many messages were there (and back, if the work is that).
    #[inline(never)]
    fn chunk(&mut self, count: u64) -> f64 {
        let started = Instant::now();
        if let Work::Trip(_) = self.work {
            self.trips(count);
        } else {
            self.batches(count);
        }
        started.elapsed().as_secs_f64()
    }

    /// There and back, so many times. An answer is checked after the next message was
    /// sent: the trip is not the check's, on neither side.
    fn trips(&mut self, count: u64) {
        let Self { board, tx, rx, outbox, inbox, .. } = self;
        for left in (0..=count).rev() {
            let mut send = || {
                if left > 0 {
                    tx.send(outbox.next());
                    tx.flush();
                }
            };
            if left == count {
                send();
                continue;
            }
            rx.recv(inbox.expects(), |message| {
                send();
                inbox.check(message, board.is_whole(inbox.last() + 1));
            });
        }
    }

    fn batches(&mut self, count: u64) {
        let batches = count.div_ceil(T::BATCH as u64);
        self.board.ask(self.outbox.last() + batches * T::BATCH as u64, Then::More);
        for _ in 0..batches {
            if T::BATCH == 1 {
                self.tx.send(self.outbox.next());
            } else {
                self.tx.send_all(&self.outbox.batch::<MOST>());
            }
        }
        self.tx.flush();
        self.board.await_ack(self.outbox.last());
    }

    /// ns from send to receipt: the median of some times after a pause.
    fn wake(&mut self, times: usize) -> f64 {
        let mut took: Vec<u64> = (0..times)
            .map(|at| {
                // At work meanwhile, so that only the other side has to be woken.
                let started = Instant::now();
                until(|| started.elapsed() >= PAUSE);
                self.board.ask(self.outbox.last() + 1, Then::More);
                let message = self.outbox.next();
                self.board.note_sent(machine::now_ns());
                self.tx.send(message);
                self.tx.flush();
                self.board.await_ack(self.outbox.last());
                self.board.woken(at)
            })
            .collect();
        took.sort_unstable();
        wide(took[took.len() / 2])
    }

    /// The bare ping-pong, for which the far side leaves its loop.
    fn bare(&mut self, then: Then) -> f64 {
        self.board.ask(self.outbox.last() + 1, then);
        if let Work::Trip(_) = self.work {
            self.trips(1);
        } else {
            self.tx.send(self.outbox.next());
            self.tx.flush();
        }
        self.board.await_ack(self.outbox.last());
        self.board.bare()
    }
}

/// Long enough for the receiver to have gone to sleep.
pub(crate) const PAUSE: Duration = Duration::from_millis(3);

/// The far side at work, until a message says stop.
fn answer(board: &Board, (tx, rx): &mut (impl Tx, impl Rx), work: Work) {
    let mut inbox = Inbox::new(work);
    let mut woken = 0;
    loop {
        let expects = inbox.expects();
        rx.recv(expects, |message| {
            if let Work::Trip(_) = work {
                tx.send(message);
                tx.flush();
            }
            // After the answer: the trip is not the check's.
            inbox.check(message, board.is_whole(inbox.last() + 1));
        });
        let Some(then) = board.asked(inbox.last()) else { continue };
        if work == Work::Wake && then == Then::More {
            board.note_woken(woken, machine::now_ns());
            woken += 1;
        }
        board.ack(inbox.last());
        if then != Then::More {
            board.answer_bare();
        }
        if then == Then::Stop {
            return;
        }
    }
}
