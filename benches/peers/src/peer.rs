//! What every peer is to the measurement.

use crate::turns::{self, Receives, Sends};
use crate::work::Work;
use crate::{Failure, run};
use serde::{Deserialize, Serialize};
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::path::PathBuf;

/// The sending end of one direction. What goes wrong panics: that ends this one
/// measurement, and its row says why.
pub(crate) trait Tx {
    /// How many messages are handed over at a time.
    const BATCH: usize = 1;

    fn send(&mut self, message: &[u8]);

    /// Hands over as many as [`BATCH`](Self::BATCH) says.
    fn send_all(&mut self, messages: &[&[u8]]) {
        for message in messages {
            self.send(message);
        }
    }

    /// Nothing that was sent is held back.
    fn flush(&mut self) {}
}

/// The receiving end.
pub(crate) trait Rx {
    /// Waits for the next message, lets `look` see it, and releases it. `expects` is
    /// its length, for who has none of his own.
    fn recv<T>(&mut self, expects: usize, look: impl FnOnce(&[u8]) -> T) -> T;
}

/// Both ends that one side holds.
pub(crate) type Ends<P> = (<P as Peer>::Tx, <P as Peer>::Rx);

/// A way to hand messages from one process to another, one in each direction.
pub(crate) trait Peer: Sized {
    type Tx;
    type Rx;

    /// What has to be there before the far side starts.
    fn make(place: &Place) -> Result<Self, Failure>;

    /// Descriptors for the far side; it finds them in `place`.
    fn fds(&self) -> Vec<RawFd> {
        Vec::new()
    }

    /// Whatever else the far side has to know; it finds it in `place`.
    fn note(&self) -> String {
        String::new()
    }

    /// The near side's ends, while the far side opens its own.
    fn near(&mut self, place: &Place) -> Result<Ends<Self>, Failure>;

    /// The far side's ends.
    fn far(place: &Place) -> Result<Ends<Self>, Failure>;

    /// After the far side is gone: leaves in order.
    fn close(self, _place: &Place, ends: Ends<Self>) -> Result<(), Failure> {
        drop(ends);
        Ok(())
    }

    /// The far side's.
    fn close_far(ends: Ends<Self>) -> Result<(), Failure> {
        drop(ends);
        Ok(())
    }

    /// Removes what two processes that were killed left behind.
    fn clean(_place: &Place) {}
}

/// A way to hand messages from one thread to another.
pub(crate) trait Threads {
    type Tx: Tx + Send + 'static;
    type Rx: Rx + Send + 'static;

    /// One direction.
    fn make(work: Work) -> (Self::Tx, Self::Rx);
}

/// Where two sides meet.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Two keys of the System V kind: this one and the next.
    pub(crate) key: u32,
    /// A directory of our own.
    pub(crate) dir: PathBuf,
    /// A name of our own.
    pub(crate) name: String,
    pub(crate) fds: Vec<RawFd>,
    pub(crate) note: String,
    pub(crate) longest: usize,
    pub(crate) slots: usize,
}

impl Place {
    pub(crate) fn new(run: u32, dir: PathBuf, work: Work) -> Self {
        Self {
            key: 0x5E00_0000 | (run << 1 & 0x00FF_FFFE),
            dir,
            name: format!("shm-handoff-peers-{run}"),
            longest: work.longest(),
            slots: work.slots(),
            ..Self::default()
        }
    }
}

/// A descriptor that was passed to this process by number.
pub(crate) fn inherited(fd: RawFd) -> std::os::fd::BorrowedFd<'static> {
    // SAFETY: it came from the process that started us and left it open; a number
    // that is not open meets EBADF. It is not closed while it is looked at.
    unsafe { std::os::fd::BorrowedFd::borrow_raw(fd) }
}

/// The `at`th descriptor that was passed, to own.
pub(crate) fn passed(place: &Place, at: usize) -> Result<OwnedFd, Failure> {
    let fd = *place.fds.get(at).ok_or("a descriptor is missing")?;
    nix::fcntl::fcntl(inherited(fd), nix::fcntl::F_GETFD)?;
    // SAFETY: open, as was just seen; inherited for this, and taken once.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// How a peer stands in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Limit,
    Ours,
    Processes,
    Threads,
}

/// One row.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// Why it can't be measured here.
    pub(crate) missing: Option<&'static str>,
    /// What it is not measured at: it would say nothing.
    pub(crate) not: fn(Work) -> bool,
    pub(crate) near: fn(&run::Near) -> Result<run::Figures, Failure>,
    pub(crate) far: fn(&run::Far) -> Result<(), Failure>,
    pub(crate) clean: fn(&Place),
}

impl Entry {
    pub(crate) const fn of<P: Peer<Tx: Tx, Rx: Rx>>(id: &'static str, name: &'static str, kind: Kind) -> Self {
        Self {
            id,
            name,
            kind,
            missing: None,
            not: |_| false,
            near: run::near::<P>,
            far: run::far::<P>,
            clean: P::clean,
        }
    }

    /// One whose ends are futures.
    pub(crate) const fn in_turns<P: Peer<Tx: Sends, Rx: Receives>>(
        id: &'static str,
        name: &'static str,
        kind: Kind,
    ) -> Self {
        Self {
            id,
            name,
            kind,
            missing: None,
            not: |_| false,
            near: turns::near::<P>,
            far: turns::far::<P>,
            clean: P::clean,
        }
    }

    pub(crate) const fn absent(id: &'static str, name: &'static str, why: &'static str) -> Self {
        Self {
            id,
            name,
            kind: Kind::Processes,
            missing: Some(why),
            not: |_| true,
            near: |_| Err("not here".into()),
            far: |_| Err("not here".into()),
            clean: |_| (),
        }
    }

    pub(crate) const fn not(self, not: fn(Work) -> bool) -> Self {
        Self { not, ..self }
    }
}
