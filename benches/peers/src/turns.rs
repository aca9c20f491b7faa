//! As `run`, for peers whose ends are futures: a runtime of one thread on each side, which runs whole loops, as a program's
//! tasks do.

use crate::board::{Board, Then, until};
use crate::message::{Inbox, Outbox};
use crate::peer::Peer;
use crate::run::{self, Effort, Far, Figures, Near, PAUSE, median, wide};
use crate::work::Work;
use crate::{Failure, machine};
use std::sync::LazyLock;
use std::time::Instant;
use tokio::runtime::{Builder, Runtime};

/// This side's.
pub(crate) static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_all().build().expect("a runtime"));

/// The sending end of one direction, as `Tx`.
pub(crate) trait Sends {
    async fn send(&mut self, message: &[u8]);
}

/// The receiving end, as `Rx`: the next message, released.
pub(crate) trait Receives {
    async fn recv(&mut self) -> &[u8];
}

pub(crate) fn near<P: Peer<Tx: Sends, Rx: Receives>>(order: &Near) -> Result<Figures, Failure> {
    run::near_by::<P>(order, |board, ends, processes| measured(board, ends, order, processes))
}

pub(crate) fn far<P: Peer<Tx: Sends, Rx: Receives>>(order: &Far) -> Result<(), Failure> {
    run::far_by::<P>(order, |board, ends| RUNTIME.block_on(answer(board, ends, order.work)))
}

fn measured(
    board: &Board,
    (tx, rx): &mut (impl Sends, impl Receives),
    order: &Near,
    processes: &[&str],
) -> Result<Figures, Failure> {
    let (outbox, inbox) = (Outbox::new(order.work, 1), Inbox::new(order.work));
    let mut sender = Sender { board, work: order.work, tx, rx, outbox, inbox };
    let before = sender.bare(Then::Bare);
    let value = match order.work {
        Work::Trip(_) | Work::OneWay(_) | Work::Mixed => sender.median(order.effort),
        Work::Soak(count) => {
            sender.whole(1 << 16);
            sender.chunk(count) * 1e9 / wide(count)
        }
        Work::Wake => sender.wake(order.effort.wakes),
        Work::Idle => run::idle(order.effort, processes)?,
    };
    let memory = processes.iter().map(|process| machine::resident(process)).sum();
    let after = sender.bare(Then::Stop);
    Ok(Figures { bare: [before, after], value, memory })
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

impl<T: Sends, R: Receives> Sender<'_, T, R> {
    fn median(&mut self, effort: Effort) -> f64 {
        let started = Instant::now();
        while started.elapsed().as_secs_f64() < effort.chunk {
            self.whole(64);
        }
        median(effort, |count| self.chunk(count))
    }

    fn whole(&mut self, count: u64) {
        self.board.ask_whole(self.outbox.last() + count);
        self.chunk(count);
    }

    #[inline(never)]
    fn chunk(&mut self, count: u64) -> f64 {
        let started = Instant::now();
        if let Work::Trip(_) = self.work {
            RUNTIME.block_on(self.trips(count));
        } else {
            self.board.ask(self.outbox.last() + count, Then::More);
            RUNTIME.block_on(self.sends(count));
            self.board.await_ack(self.outbox.last());
        }
        started.elapsed().as_secs_f64()
    }

    async fn trips(&mut self, count: u64) {
        self.sends(1).await;
        for left in (0..count).rev() {
            let message = self.rx.recv().await;
            if left > 0 {
                self.tx.send(self.outbox.next()).await;
            }
            self.inbox.check(message, self.board.is_whole(self.inbox.last() + 1));
        }
    }

    async fn sends(&mut self, count: u64) {
        for _ in 0..count {
            self.tx.send(self.outbox.next()).await;
        }
    }

    fn wake(&mut self, times: usize) -> f64 {
        let mut took: Vec<u64> = (0..times)
            .map(|at| {
                let started = Instant::now();
                until(|| started.elapsed() >= PAUSE);
                self.board.ask(self.outbox.last() + 1, Then::More);
                self.board.note_sent(machine::now_ns());
                RUNTIME.block_on(self.sends(1));
                self.board.await_ack(self.outbox.last());
                self.board.woken(at)
            })
            .collect();
        took.sort_unstable();
        wide(took[took.len() / 2])
    }

    fn bare(&mut self, then: Then) -> f64 {
        self.board.ask(self.outbox.last() + 1, then);
        RUNTIME
            .block_on(async { if let Work::Trip(_) = self.work { self.trips(1).await } else { self.sends(1).await } });
        self.board.await_ack(self.outbox.last());
        self.board.bare()
    }
}

/// The far side at work, until a message says stop.
async fn answer(board: &Board, (tx, rx): &mut (impl Sends, impl Receives), work: Work) {
    let mut inbox = Inbox::new(work);
    let mut woken = 0;
    loop {
        let message = rx.recv().await;
        if let Work::Trip(_) = work {
            tx.send(message).await;
        }
        inbox.check(message, board.is_whole(inbox.last() + 1));
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
